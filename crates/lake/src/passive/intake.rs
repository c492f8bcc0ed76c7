//! Taking in what an input holds: as much as it is, as one receipt.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deltalake_core::kernel::Transaction;
use jiff::Timestamp;
use model::{ClientCell, DistinctCell, MalformedMessage, OperatorFigure, OutOfBailiwick, PassiveRrset, TrafficCell};

use super::client::{ClientRow, client_rows};
use super::distinct_count::{DistinctRow, distinct_rows};
use super::evidence::{EvidenceRow, evidence_rows};
use super::malformed::{MalformedRow, malformed_rows};
use super::rows::{NameRow, RdataRow, RrsetRow, Sorted, name_rows, rdata_rows, rrset_rows};
use super::rssac002::{FigureRow, figure_rows};
use super::run::{Level, Run, Writer};
use super::traffic::{TrafficRow, traffic_rows};
use super::{Logs, Passive, Source};
use crate::delta::Log;
use crate::error::{Error, blocking};
use crate::table::lock;

/// Name under which the number of the last receipt stands in the log of `rrset`.
pub(super) const RECEIPTS: &str = "dnscert-receipts";

/// The id of a receipt as the log of `rrset` has it.
pub(super) fn mark_of(receipt: &str) -> String {
    format!("dnscert-receipt/{receipt}")
}

fn check_id(receipt: &str) -> Result<(), Error> {
    match (1..=200).contains(&receipt.chars().count()) {
        true => Ok(()),
        false => Err(Error::Word {
            what: "the id of a receipt",
            text: receipt.chars().take(200).collect(),
        }),
    }
}

/// What a source saw, or a part of it. Equal things may come in several parts: they add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// What servers said that may say so: passive DNS.
    pub rrsets: Vec<PassiveRrset>,
    /// What they said that may not.
    pub evidence: Vec<OutOfBailiwick>,
    /// Figures of traffic.
    pub traffic: Vec<TrafficCell>,
    /// How many clients and names there were.
    pub distincts: Vec<DistinctCell>,
    /// Who asked most.
    pub clients: Vec<ClientCell>,
    /// What could not be read.
    pub malformed: Vec<MalformedMessage>,
    /// Figures that an operator publishes of a day.
    pub rssac002: Vec<OperatorFigure>,
}

impl Brought {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0
    }

    /// Adds what another part holds.
    pub fn append(&mut self, mut other: Self) {
        self.rrsets.append(&mut other.rrsets);
        self.evidence.append(&mut other.evidence);
        self.traffic.append(&mut other.traffic);
        self.distincts.append(&mut other.distincts);
        self.clients.append(&mut other.clients);
        self.malformed.append(&mut other.malformed);
        self.rssac002.append(&mut other.rssac002);
    }

    /// How many things it holds.
    pub fn rows(&self) -> usize {
        let beside = self.evidence.len() + self.traffic.len() + self.distincts.len() + self.malformed.len();
        self.rrsets.len() + beside + self.clients.len() + self.rssac002.len()
    }
}

/// A receipt that is being taken in. Nothing of it is seen before `commit`, and all of it after; where it is dropped before, or the
/// process dies, nothing of it stays but files that no table has, which a vacuum removes.
pub struct Intake {
    passive: Passive,
    source: Arc<str>,
    /// Its id; empty while that is not known.
    receipt: String,
    /// Further words by which the receipt is known.
    words: Vec<String>,
    runs: Written,
    is_done: bool,
}

/// Files that are on the disk and in no table yet.
#[derive(Default)]
struct Written {
    rrset: Vec<Run>,
    rdata: Vec<Run>,
    name: Vec<Run>,
    evidence: Vec<Run>,
    traffic: Vec<Run>,
    distincts: Vec<Run>,
    clients: Vec<Run>,
    malformed: Vec<Run>,
    rssac002: Vec<Run>,
}

/// Takes in what a source saw as one receipt, which opens passive DNS for writing and closes it again: whether it is new. The source is
/// registered, or what may be done with it said anew, where the lake does not know it so. `Error::Busy` while somebody else has it open.
pub async fn take_in(
    lake: &Path,
    receipt: &str,
    source: &Source,
    brought: Brought,
    now: Timestamp,
) -> Result<bool, Error> {
    let passive = Passive::open(lake).await?;
    if !passive.sources().contains(source) {
        passive.set_source(source.clone()).await?;
    }
    let Some(mut intake) = passive.begin(&source.id, receipt).await? else {
        return Ok(false);
    };
    intake.add(brought).await?;
    intake.commit(now).await
}

impl Passive {
    /// Begins to take in what a registered source saw, once for each id of a receipt (1 to 200 characters): `None` when it is in
    /// already. A receipt that is in stays as it is, also after a crash at any moment; so whoever does not know whether it came
    /// through may hand it over again, within [`RECEIPT_MEMORY`](super::RECEIPT_MEMORY) before the time of its commit.
    pub async fn begin(&self, source: &str, receipt: &str) -> Result<Option<Intake>, Error> {
        check_id(receipt)?;
        let mut intake = self.begin_unnamed(source)?;
        receipt.clone_into(&mut intake.receipt);
        Ok((!self.knows_receipt(receipt).await?).then_some(intake))
    }

    /// Begins to take in a receipt whose id is known when it has come in as a whole: it ends with [`Intake::commit_as`].
    pub fn begin_unnamed(&self, source: &str) -> Result<Intake, Error> {
        self.check_writer()?;
        if !lock(&self.0.view).sources.contains_key(source) {
            return Err(Error::Word {
                what: "a registered source",
                text: source.to_owned(),
            });
        }
        Ok(Intake {
            passive: self.clone(),
            source: Arc::from(source),
            receipt: String::new(),
            words: Vec::new(),
            runs: Written::default(),
            is_done: false,
        })
    }

    /// Takes in a receipt of RRsets alone, as [`Passive::begin`] does: whether it is new. All are in memory at once: some 100,000
    /// are a good size of a part.
    pub async fn append(
        &self,
        source: &str,
        receipt: &str,
        rrsets: Vec<PassiveRrset>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(mut intake) = self.begin(source, receipt).await? else {
            return Ok(false);
        };
        let brought = Brought {
            rrsets,
            ..Brought::default()
        };
        intake.add(brought).await?;
        intake.commit(now).await
    }
}

impl Intake {
    /// From its commit on the receipt is known by this word too ([`Passive::knows_receipt`]).
    pub fn know_as(&mut self, word: &str) {
        self.words.push(word.to_owned());
    }

    /// It is not to be known by the words of before.
    pub fn forget_words(&mut self) {
        self.words.clear();
    }

    /// Writes a part of the receipt to the disk.
    pub async fn add(&mut self, brought: Brought) -> Result<(), Error> {
        let (folder, source) = (self.passive.0.shared.folder.clone(), self.source.clone());
        let mut runs = std::mem::take(&mut self.runs);
        let (runs, done) = blocking(move || {
            let done = runs.add(&folder, &source, brought);
            Ok((runs, done))
        })
        .await?;
        self.runs = runs;
        done
    }

    /// Brings the receipt in under this id (1 to 200 characters), as [`commit`](Self::commit) does.
    pub async fn commit_as(mut self, receipt: &str, now: Timestamp) -> Result<bool, Error> {
        receipt.clone_into(&mut self.receipt);
        self.commit(now).await
    }

    /// Brings the receipt in: whether it is new. It is not when it came in by another call since `begin`.
    pub async fn commit(mut self, now: Timestamp) -> Result<bool, Error> {
        check_id(&self.receipt)?;
        let passive = self.passive.clone();
        let mut logs = passive.0.logs.lock().await;
        let mark = mark_of(&self.receipt);
        if logs.rrset.transaction(&mark).await?.is_some() {
            return Ok(false);
        }
        // an earlier call may have failed, or been dropped, between its commits
        passive.take_out_half_receipts(&mut logs).await?;
        let number = logs.receipts().await? + 1;
        let runs = std::mem::take(&mut self.runs);
        let folder = passive.0.shared.folder.clone();
        let runs = blocking(move || runs.number(&folder, number)).await?;
        let words = self.words.iter().map(|word| mark_of(word));
        let mut marks: Vec<Transaction> = std::iter::once(mark)
            .chain(words)
            .map(|mark| Transaction::new_with_last_update(mark, number, Some(now.as_millisecond())))
            .collect();
        // without a time: it is never forgotten
        marks.push(Transaction::new(RECEIPTS, number));
        self.is_done = true;
        append(Some(&mut logs.name), &passive, runs.name).await?;
        append(Some(&mut logs.rdata), &passive, runs.rdata).await?;
        append(logs.evidence.as_mut(), &passive, runs.evidence).await?;
        append(logs.traffic.as_mut(), &passive, runs.traffic).await?;
        append(logs.distincts.as_mut(), &passive, runs.distincts).await?;
        append(logs.clients.as_mut(), &passive, runs.clients).await?;
        append(logs.malformed.as_mut(), &passive, runs.malformed).await?;
        append(logs.rssac002.as_mut(), &passive, runs.rssac002).await?;
        let Logs { rrset, .. } = &mut *logs;
        rrset.append(&passive.folder("rrset"), &runs.rrset, marks).await?;
        passive.show(&logs).await?;
        Ok(true)
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if !self.is_done {
            self.runs.remove(&self.passive.0.shared.folder);
        }
    }
}

async fn append<S: Sorted>(log: Option<&mut Log<S>>, passive: &Passive, runs: Vec<Run>) -> Result<(), Error> {
    match log {
        Some(log) if !runs.is_empty() => log.append(&passive.folder(S::NAME), &runs, Vec::new()).await,
        _ => Ok(()),
    }
}

impl Written {
    fn add(&mut self, lake: &Path, source: &Arc<str>, brought: Brought) -> Result<(), Error> {
        // one table after the other, so that the rows of one are in memory at a time
        self.rrset.extend(write(lake, rrset_rows(source, &brought.rrsets))?);
        self.rdata.extend(write(lake, rdata_rows(source, &brought.rrsets))?);
        self.name.extend(write(lake, name_rows(&brought.rrsets))?);
        self.evidence
            .extend(write(lake, evidence_rows(source, &brought.evidence))?);
        self.traffic.extend(write(lake, traffic_rows(source, brought.traffic))?);
        self.distincts
            .extend(write(lake, distinct_rows(source, brought.distincts))?);
        self.clients.extend(write(lake, client_rows(source, brought.clients))?);
        self.malformed
            .extend(write(lake, malformed_rows(source, brought.malformed))?);
        self.rssac002
            .extend(write(lake, figure_rows(source, brought.rssac002))?);
        Ok(())
    }

    fn number(self, lake: &Path, number: i64) -> Result<Self, Error> {
        fn of<S: Sorted>(lake: &Path, runs: Vec<Run>, number: i64) -> Result<Vec<Run>, Error> {
            let table = lake.join(S::NAME);
            runs.into_iter().map(|run| run.number(&table, number)).collect()
        }
        Ok(Self {
            rrset: of::<RrsetRow>(lake, self.rrset, number)?,
            rdata: of::<RdataRow>(lake, self.rdata, number)?,
            name: of::<NameRow>(lake, self.name, number)?,
            evidence: of::<EvidenceRow>(lake, self.evidence, number)?,
            traffic: of::<TrafficRow>(lake, self.traffic, number)?,
            distincts: of::<DistinctRow>(lake, self.distincts, number)?,
            clients: of::<ClientRow>(lake, self.clients, number)?,
            malformed: of::<MalformedRow>(lake, self.malformed, number)?,
            rssac002: of::<FigureRow>(lake, self.rssac002, number)?,
        })
    }

    /// Removes what can be removed; a vacuum removes the rest.
    fn remove(&self, lake: &Path) {
        fn of<S: Sorted>(lake: &Path, runs: &[Run]) -> impl Iterator<Item = PathBuf> {
            runs.iter().map(move |run| lake.join(S::NAME).join(&run.path))
        }
        let passive = of::<RrsetRow>(lake, &self.rrset)
            .chain(of::<RdataRow>(lake, &self.rdata))
            .chain(of::<NameRow>(lake, &self.name));
        let beside = of::<EvidenceRow>(lake, &self.evidence)
            .chain(of::<TrafficRow>(lake, &self.traffic))
            .chain(of::<DistinctRow>(lake, &self.distincts))
            .chain(of::<ClientRow>(lake, &self.clients))
            .chain(of::<MalformedRow>(lake, &self.malformed))
            .chain(of::<FigureRow>(lake, &self.rssac002));
        for path in passive.chain(beside) {
            let _ = fs::remove_file(path);
        }
    }
}

/// The rows as a new file; none where there are no rows.
fn write<S: Sorted>(lake: &Path, rows: Vec<S>) -> Result<Option<Run>, Error> {
    if rows.is_empty() {
        return Ok(None);
    }
    let mut writer = Writer::create(&lake.join(S::NAME), Level::Minute, 0)?;
    rows.into_iter().try_for_each(|row| writer.push(row))?;
    writer.finish().map(Some)
}
