//! Figures that are old become coarser: those of minutes those of hours, these of days, these of months.
//!
//! A span becomes one with others only when all of the longer one is old enough, so that for each kind of span there is a moment up to
//! which there is to be nothing finer, and each of these moments lies at a boundary of the spans before it. What comes late, of a time that
//! has become coarser, is made so the next time.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::Span;

use super::merge::{All, Unread, last_receipt};
use super::open_run::OpenRun;
use super::retention::SHARE;
use super::rows::{self, Sorted};
use super::run::{Level, Run, Writer};
use super::{Logs, Passive, Runs, View};
use crate::delta::Log;
use crate::error::{Error, blocking};
use crate::row::Columns;
use crate::table::lock;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long figures stay as fine as they came ([`Passive::roll_up`]). A time that is shorter than the one before it counts as that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollUp {
    /// How long there are minutes. 31 days: what a monthly report shows can be followed up by the minute. The sketches of a server's
    /// minutes, which take most, are 370 MB at most then.
    pub minutes: SignedDuration,
    /// How long there are hours, from the same moment on. 366 days: a day is compared with the same of the year before.
    pub hours: SignedDuration,
    /// How long there are days; from then on there are months, for ever. 1,830 days, five years, as the manual of Zabbix advises for
    /// what is older than its values.
    pub days: SignedDuration,
}

impl Default for RollUp {
    fn default() -> Self {
        Self {
            minutes: DAY * 31,
            hours: DAY * 366,
            days: DAY * 1_830,
        }
    }
}

/// A row of figures of a span, which can be made one with those beside it.
pub(super) trait Figures: Sorted {
    /// Rows that are held while they are made one.
    const MOST_HELD: usize;

    /// Its first moment and kind.
    fn span(&mut self) -> (&mut Timestamp, &mut Span);
}

/// Up to which moment there is nothing finer than a span, in seconds since 1970, the longest first. Each is at a boundary of its span
/// and not behind the next.
#[derive(Debug, Clone, Copy)]
struct Boundaries([(Span, i64); 3]);

impl Boundaries {
    fn of(rule: &RollUp, now: Timestamp) -> Self {
        let before = |span: Span, keep| {
            let moment = now
                .saturating_sub(keep)
                .map_or(i64::MIN, |moment| span.start(moment).as_second());
            (span, moment)
        };
        let hours = rule.hours.max(rule.minutes);
        let days = rule.days.max(hours);
        Self([
            before(Span::Month, days),
            before(Span::Day, hours),
            before(Span::Hour, rule.minutes),
        ])
    }

    /// The boundaries of so long ago that what is finer is overdue.
    fn overdue(rule: &RollUp, now: Timestamp) -> Self {
        let longer = |keep: SignedDuration| keep + keep / SHARE as i32;
        let rule = RollUp {
            minutes: longer(rule.minutes),
            hours: longer(rule.hours),
            days: longer(rule.days),
        };
        Self::of(&rule, now)
    }

    /// The finest span that there is at a time, in seconds since 1970.
    fn finest(&self, time: i64) -> Span {
        let coarser = self.0.iter().find(|(_, before)| time < *before);
        coarser.map_or(Span::Minute, |(span, _)| *span)
    }
}

impl Passive {
    /// Makes figures of traffic, how many clients and names there were, and who asked most coarser where they are old enough, and returns how many rows
    /// became fewer thereby. Sums over hours, days or months that are as coarse already stay what they were. Look-ups and
    /// receipts go on meanwhile, and see the rows as they were or as they became: each table changes in one commit.
    pub async fn roll_up(&self, rule: &RollUp, now: Timestamp) -> Result<u64, Error> {
        self.check_writer()?;
        let _merging = self.0.merging.lock().await;
        let traffic = self
            .roll_up_table(rule, now, |view| &view.traffic, |logs| logs.traffic.as_mut())
            .await?;
        let distincts = self
            .roll_up_table(rule, now, |view| &view.distincts, |logs| logs.distincts.as_mut())
            .await?;
        let clients = self
            .roll_up_table(rule, now, |view| &view.clients, |logs| logs.clients.as_mut())
            .await?;
        Ok(traffic + distincts + clients)
    }

    async fn roll_up_table<S: Figures>(
        &self,
        rule: &RollUp,
        now: Timestamp,
        runs: impl Fn(&View) -> &Runs<S>,
        log: impl Fn(&mut Logs) -> Option<&mut Log<S>>,
    ) -> Result<u64, Error> {
        let (boundaries, overdue) = (Boundaries::of(rule, now), Boundaries::overdue(rule, now));
        let folder = self.folder(S::NAME);
        let mut left = runs(&lock(&self.0.view)).as_ref().clone();
        loop {
            let (table, runs) = (folder.clone(), left.clone());
            let done = blocking(move || {
                let mut due = Vec::new();
                for run in runs {
                    match is_due(&run, &boundaries, &overdue) {
                        Ok(false) => {}
                        Ok(true) => due.push(run),
                        Err(reason) => return Ok(Err((run.run.path.clone(), reason))),
                    }
                }
                let coarser = rolled_up(&table, &due, &boundaries)?;
                Ok(coarser.map(|new| (due, new)))
            });
            let (old, new) = match done.await? {
                Ok(done) => done,
                Err((path, reason)) => {
                    left.retain(|run| run.run.path != path);
                    self.0.shared.note(&Path::new(S::NAME).join(path), reason);
                    continue;
                }
            };
            if old.is_empty() {
                return Ok(0);
            }
            let rows = |runs: &mut dyn Iterator<Item = &Run>| runs.map(|run| run.rows).sum::<u64>();
            let fewer = rows(&mut old.iter().map(|run| &run.run)).saturating_sub(rows(&mut new.iter()));
            let old: Vec<String> = old.iter().map(|run| run.run.path.clone()).collect();
            let mut logs = self.0.logs.lock().await;
            if let Some(log) = log(&mut logs) {
                log.replace(&folder, &old, &new).await?;
            }
            self.show(&logs).await?;
            return Ok(fewer);
        }
    }
}

/// Whether a run is to be written again: as with rows that may not be kept, when a twentieth of its rows are finer than they may be,
/// or one of them is overdue.
fn is_due<S: Figures>(run: &OpenRun<S>, boundaries: &Boundaries, overdue: &Boundaries) -> Result<bool, String> {
    let (mut fine, mut is_overdue) = (0, false);
    run.scan(&["minute", "span"], &mut |batch| {
        let columns = Columns(batch);
        let (minutes, spans) = (columns.times("minute")?, columns.longs("span")?);
        for at in 0..batch.num_rows() {
            let (time, span) = (minutes.value(at).div_euclid(1_000_000), rows::span(spans, at)?);
            fine += u64::from(span < boundaries.finest(time));
            is_overdue |= span < overdue.finest(time);
        }
        Ok(())
    })?;
    Ok(is_overdue || fine > 0 && fine * u64::from(SHARE) >= run.run.rows)
}

/// Writes the rows of several runs again, as coarse as they are to be: as one run, or more where more of a span are different than may
/// be held.
fn rolled_up<S: Figures>(
    table: &Path,
    runs: &[Arc<OpenRun<S>>],
    boundaries: &Boundaries,
) -> Result<Result<Vec<Run>, Unread>, Error> {
    let mut all = match All::of(runs) {
        Ok(all) => all,
        Err(unread) => return Ok(Err(unread)),
    };
    let mut out = Out {
        table,
        level: runs.iter().map(|run| run.run.level).max().unwrap_or(Level::Month),
        receipt: last_receipt(runs),
        open: None,
        whole: Vec::new(),
    };
    // rows that begin with the same moment: their order is not that in which they come
    let mut held: Vec<S> = Vec::new();
    let mut beginning = Timestamp::MIN;
    while let Some(mut row) = all.next() {
        let (minute, span) = row.span();
        let coarser = boundaries.finest(minute.as_second());
        if *span < coarser {
            (*minute, *span) = (coarser.start(*minute), coarser);
        }
        let begins = *minute;
        if begins != beginning {
            out.write(&mut held)?;
            beginning = begins;
        }
        held.push(row);
        if held.len() >= S::MOST_HELD {
            held = rows::sorted(held);
            if held.len() > S::MOST_HELD / 2 {
                out.write(&mut held)?;
                out.end()?;
            }
        }
    }
    out.write(&mut held)?;
    // what was read short must not take the place of what it was read from
    if let Some(unread) = all.unread() {
        out.remove();
        return Ok(Err(unread));
    }
    out.end()?;
    Ok(Ok(out.whole))
}

/// Runs that are being written one after the other.
struct Out<'a, S: Sorted> {
    table: &'a Path,
    level: Level,
    receipt: i64,
    open: Option<Writer<S>>,
    whole: Vec<Run>,
}

impl<S: Sorted> Out<'_, S> {
    fn write(&mut self, rows: &mut Vec<S>) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let writer = match &mut self.open {
            Some(writer) => writer,
            None => self.open.insert(Writer::create(self.table, self.level, self.receipt)?),
        };
        rows::sorted(std::mem::take(rows))
            .into_iter()
            .try_for_each(|row| writer.push(row))
    }

    fn end(&mut self) -> Result<(), Error> {
        if let Some(writer) = self.open.take() {
            self.whole.push(writer.finish()?);
        }
        Ok(())
    }

    /// What cannot be removed is no file of the table, and a vacuum removes it.
    fn remove(&self) {
        for run in &self.whole {
            let _ = std::fs::remove_file(self.table.join(&run.path));
        }
    }
}
