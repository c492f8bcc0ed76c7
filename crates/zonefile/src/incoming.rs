//! A zone that comes from a server, record by record, and the file that becomes of it: whole (RFC 5936), or as what changed
//! since an earlier file (RFC 1995).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use domain::base::iana::{Class, Rtype};
use domain::base::name::ToLabelIter as _;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Record, RecordData, ToName};
use model::rdata_text;

use crate::Error;
use crate::snapshot::Snapshot;
use crate::sorted::{self, Row, Sorter};

/// Level of Zstandard. Of a registry's zone 3 leaves a seventh, and 19 a ninth in twenty times the time.
const LEVEL: i32 = 3;

/// A whole zone on its way into a file.
pub struct Incoming {
    sorter: Sorter,
    records: u64,
}

impl Incoming {
    /// Holds up to `memory` octets of records; the others are on disk meanwhile.
    pub fn new(memory: usize) -> Self {
        Self {
            sorter: Sorter::new(memory),
            records: 0,
        }
    }

    /// Takes a record, in any order. Those of another class than IN are no part of the zone.
    pub fn add<N: ToName, D: RecordData + ComposeRecordData>(&mut self, record: &Record<N, D>) -> io::Result<()> {
        if record.class() == Class::IN {
            self.records += 1;
            self.sorter.push(&Row::of(record))?;
        }
        Ok(())
    }

    /// Records so far, each as often as it came.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Writes the file: SOA first, then all in canonical order, packed by Zstandard. It is on disk when this returns.
    pub fn write(self, path: &Path) -> Result<(), Error> {
        let write = || -> io::Result<()> {
            let sorted = self.sorter.finish()?;
            let mut text = Text::create(path)?;
            for is_soa in [true, false] {
                let mut rows = sorted.rows()?;
                while let Some(row) = rows.next_row()? {
                    if (row.rtype() == Rtype::SOA) == is_soa {
                        text.line(&row)?;
                    }
                }
            }
            text.end()
        };
        write().map_err(|source| Error::Write {
            path: path.to_owned(),
            source,
        })
    }
}

/// Why what a server says has changed does not lead from the file at hand to a newer one.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// More than are held in memory.
    #[error("more than {most} records changed")]
    TooMany {
        /// How many are.
        most: usize,
    },
    /// A record goes that is not there.
    #[error("the record `{record}` should go, and is not in `{}`", path.display())]
    NotThere {
        /// The record, as in a zone file.
        record: String,
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] Error),
}

/// A record without its TTL, in canonical order: owner, type, data.
type Key = (Vec<u8>, u16, Vec<u8>);

/// What became of a record by all steps together.
struct Outcome {
    /// The first step took it away, so it was there before.
    was_there: bool,
    /// The TTL that it has at the end, in seconds; `None` when it is gone.
    ttl: Option<u32>,
}

/// What changed, over any number of steps (RFC 1995 §4).
pub struct Changes {
    most: usize,
    records: BTreeMap<Key, Outcome>,
}

/// How many records came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records that are new, or have another TTL.
    pub added: u64,
    /// Records that are gone.
    pub removed: u64,
}

impl Changes {
    /// Holds up to `most` records in memory. Fewer: a zone that is signed anew comes as a whole. More: so much memory, some 200 octets
    /// each.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            records: BTreeMap::new(),
        }
    }

    /// A record goes.
    pub fn remove<N: ToName, D: RecordData + ComposeRecordData>(&mut self, record: &Record<N, D>) -> Result<(), Unfit> {
        self.step(record, false)
    }

    /// A record comes.
    pub fn add<N: ToName, D: RecordData + ComposeRecordData>(&mut self, record: &Record<N, D>) -> Result<(), Unfit> {
        self.step(record, true)
    }

    fn step<N: ToName, D: RecordData + ComposeRecordData>(
        &mut self,
        record: &Record<N, D>,
        comes: bool,
    ) -> Result<(), Unfit> {
        if record.class() != Class::IN {
            return Ok(());
        }
        let row = Row::of(record);
        let ttl = comes.then_some(row.ttl);
        let outcome = self.records.entry((row.owner, row.rtype, row.rdata));
        outcome
            .and_modify(|outcome| outcome.ttl = ttl)
            .or_insert(Outcome { was_there: !comes, ttl });
        match self.records.len() > self.most {
            true => Err(Unfit::TooMany { most: self.most }),
            false => Ok(()),
        }
    }

    /// Writes the file that becomes of `before`, as [`Incoming::write`] does.
    pub fn write(&self, before: &Snapshot, path: &Path) -> Result<Applied, Unfit> {
        let failed = |source| Error::Write {
            path: path.to_owned(),
            source,
        };
        let mut text = Text::create(path).map_err(failed)?;
        let mut applied = Applied::default();
        for is_soa in [true, false] {
            let part = |rtype: u16| (rtype == Rtype::SOA.to_int()) == is_soa;
            let mut changes = self.records.iter().filter(|((_, rtype, _), _)| part(*rtype)).peekable();
            let mut rows = before.sorted.rows().map_err(failed)?;
            loop {
                let row = rows.next_row().map_err(failed)?;
                if row.as_ref().is_some_and(|row| !part(row.rtype)) {
                    continue;
                }
                let here = row.as_ref().map(|row| (&row.owner, row.rtype, &row.rdata));
                // what stands before this record in the order of all, and is not in the file
                while let Some((key, outcome)) =
                    changes.next_if(|((owner, rtype, rdata), _)| here.is_none_or(|here| (owner, *rtype, rdata) < here))
                {
                    if outcome.was_there {
                        return Err(Unfit::NotThere {
                            record: presentation(&row_of(key, 0)),
                            path: before.path.clone(),
                        });
                    }
                    if let Some(ttl) = outcome.ttl {
                        applied.added += 1;
                        text.line(&row_of(key, ttl)).map_err(failed)?;
                    }
                }
                let Some(row) = row else { break };
                match changes
                    .next_if(|((owner, rtype, rdata), _)| (owner, *rtype, rdata) == (&row.owner, row.rtype, &row.rdata))
                {
                    None => text.line(&row).map_err(failed)?,
                    Some((_, Outcome { ttl: None, .. })) => applied.removed += 1,
                    Some((key, Outcome { ttl: Some(ttl), .. })) => {
                        applied.added += u64::from(*ttl != row.ttl);
                        text.line(&row_of(key, *ttl)).map_err(failed)?;
                    }
                }
            }
        }
        text.end().map_err(failed)?;
        Ok(applied)
    }
}

fn row_of((owner, rtype, rdata): &Key, ttl: u32) -> Row {
    Row {
        owner: owner.clone(),
        rtype: *rtype,
        rdata: rdata.clone(),
        ttl,
    }
}

/// A record as a line of a zone file, without its end.
fn presentation(row: &Row) -> String {
    let rtype = row.rtype();
    format!(
        "{} {} IN {rtype} {}",
        owner(&row.owner),
        row.ttl,
        data(rtype, &row.rdata)
    )
}

/// The name of a key as readers of zone files take it, whatever octets it has: `"`, `@`, `$` and others mean something there.
fn owner(key: &[u8]) -> String {
    let name = sorted::name(key);
    if name.is_root() {
        return ".".to_owned();
    }
    let mut text = String::new();
    for label in name.as_wire().iter_labels().filter(|label| !label.is_root()) {
        for octet in label.as_slice().iter().copied() {
            match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'*' | b'/' => text.push(char::from(octet)),
                octet => {
                    // writing to a String cannot fail
                    let _ = write!(text, "\\{octet:03}");
                }
            }
        }
        text.push('.');
    }
    text
}

/// The data as readers of zone files take them. What means something there, like a `"` in a name, is written in octets (RFC 3597 §5).
fn data(rtype: Rtype, rdata: &[u8]) -> String {
    let text = rdata_text(rtype, rdata);
    let is_quoted = matches!(
        rtype,
        Rtype::TXT | Rtype::SPF | Rtype::CAA | Rtype::HINFO | Rtype::NAPTR | Rtype::URI
    );
    let is_plain = |character: char| match character {
        '"' => is_quoted,
        character => character.is_ascii_alphanumeric() || " .:-_*/+=,~?&%!".contains(character),
    };
    match text.starts_with("\\# ") || (!text.is_empty() && text.chars().all(is_plain)) {
        true => text,
        false => generic(rdata),
    }
}

fn generic(rdata: &[u8]) -> String {
    let mut text = format!("\\# {}", rdata.len());
    for (at, octet) in rdata.iter().enumerate() {
        // writing to a String cannot fail
        let _ = write!(text, "{}{octet:02x}", if at == 0 { " " } else { "" });
    }
    text
}

/// A zone file that is being written.
struct Text {
    out: zstd::stream::write::Encoder<'static, BufWriter<File>>,
}

impl Text {
    fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        let mut out = zstd::stream::write::Encoder::new(file, LEVEL)?;
        out.include_checksum(true)?;
        Ok(Self { out })
    }

    fn line(&mut self, row: &Row) -> io::Result<()> {
        writeln!(self.out, "{}", presentation(row))
    }

    fn end(self) -> io::Result<()> {
        let file = self
            .out
            .finish()?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::base::Ttl;
    use domain::base::rdata::UnknownRecordData;
    use model::Name;
    use proptest::prelude::*;

    use super::*;
    use crate::Reading;

    type Data = UnknownRecordData<Vec<u8>>;
    type Wire = domain::base::Name<Vec<u8>>;

    /// Records of a zone by owner, type and data, with their TTL.
    type Records = BTreeMap<(Name, u16, Vec<u8>), u32>;

    fn owner() -> impl Strategy<Value = Name> {
        let octet = prop_oneof![
            Just(b'a'),
            Just(b'@'),
            Just(b'.'),
            Just(b'"'),
            Just(b'$'),
            Just(b' '),
            any::<u8>()
        ];
        let label = proptest::collection::vec(octet, 1..4);
        proptest::collection::vec(label, 0..3).prop_map(|labels| {
            let labels = labels.into_iter().chain([b"test".to_vec()]);
            let mut wire: Vec<u8> = labels
                .flat_map(|label| [vec![label.len() as u8], label].concat())
                .collect();
            wire.push(0);
            Name::from_wire(&Wire::from_octets(wire).unwrap())
        })
    }

    fn records() -> impl Strategy<Value = Records> {
        let rtype = prop_oneof![Just(1u16), Just(16), Just(28), Just(65_280)];
        let key = (owner(), rtype, proptest::collection::vec(any::<u8>(), 0..6));
        proptest::collection::btree_map(key, 0u32..4, 0..20)
    }

    fn record((key, ttl): (&(Name, u16, Vec<u8>), &u32)) -> Record<Wire, Data> {
        let (owner, rtype, rdata) = key;
        let data = UnknownRecordData::from_octets(Rtype::from_int(*rtype), rdata.clone()).unwrap();
        Record::new(owner.as_wire().clone(), Class::IN, Ttl::from_secs(*ttl), data)
    }

    /// The zone as a file, as a server would give it.
    fn written(records: &Records, path: &Path, memory: usize) {
        let mut incoming = Incoming::new(memory);
        records.iter().for_each(|each| incoming.add(&record(each)).unwrap());
        incoming.write(path).unwrap();
    }

    fn read(path: &Path) -> (Snapshot, Records) {
        let snapshot = Snapshot::read(path, &Reading::default()).unwrap();
        let mut rows = snapshot.sorted.rows().unwrap();
        let mut records = Records::new();
        while let Some(row) = rows.next_row().unwrap() {
            records.insert((sorted::name(&row.owner), row.rtype, row.rdata), row.ttl);
        }
        drop(rows);
        (snapshot, records)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_zone_reads_back_as_it_came(zone in records(), memory in 1usize..2000) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("zone");
            written(&zone, &path, memory);
            let (snapshot, found) = read(&path);
            prop_assert!(!snapshot.faults.iter().any(|fault| matches!(fault, crate::Fault::Broken { .. })), "{:?}", snapshot.faults);
            prop_assert_eq!(found, zone);
        }

        #[test]
        fn changes_lead_from_one_edition_to_the_next(editions in proptest::collection::vec(records(), 2..4)) {
            let folder = tempfile::tempdir().unwrap();
            let (before, after) = (folder.path().join("before"), folder.path().join("after"));
            written(&editions[0], &before, 1000);
            let mut changes = Changes::new(1000);
            for pair in editions.windows(2) {
                let is_new = |each: &(&(Name, u16, Vec<u8>), &u32), other: &Records| other.get(each.0) != Some(each.1);
                for gone in pair[0].iter().filter(|each| is_new(each, &pair[1])) {
                    changes.remove(&record(gone)).unwrap();
                }
                for new in pair[1].iter().filter(|each| is_new(each, &pair[0])) {
                    changes.add(&record(new)).unwrap();
                }
            }
            let (snapshot, _) = read(&before);
            changes.write(&snapshot, &after).unwrap();
            let (_, found) = read(&after);
            prop_assert_eq!(&found, editions.last().unwrap());
        }
    }

    #[test]
    fn changes_that_do_not_fit_or_are_too_many_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zone");
        let key = |label: &str| (format!("{label}.test").parse::<Name>().unwrap(), 1, vec![192, 0, 2, 1]);
        written(&Records::from([(key("a"), 60)]), &path, 1000);
        let (snapshot, _) = read(&path);
        let mut changes = Changes::new(1);
        changes.remove(&record((&key("b"), &60))).unwrap();
        let unfit = changes.write(&snapshot, &folder.path().join("after")).unwrap_err();
        assert!(
            unfit.to_string().contains("`b.test. 0 IN A 192.0.2.1` should go"),
            "{unfit}"
        );
        let many = changes.add(&record((&key("c"), &60))).unwrap_err();
        assert!(matches!(many, Unfit::TooMany { most: 1 }));
    }
}
