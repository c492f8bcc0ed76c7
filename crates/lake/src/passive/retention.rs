//! How long rows are kept: by table, and by whose data they are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::open_run::OpenRun;
use super::rows::Sorted;
use super::{Logs, Passive, Runs, View, merge};
use crate::delta::Log;
use crate::error::{Error, blocking};
use crate::row::Columns;
use crate::table::lock;

/// A run is written again without its old rows when they are one in so many of it, or when one is overdue by this part of the time it
/// may be kept. Larger writes the same rows again more often, smaller lets old rows stay longer.
pub(super) const SHARE: u32 = 20;

/// How long rows are kept after they were last seen. What no rule fits is kept for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// The rules; where several fit, the shortest time holds.
    pub rules: Vec<Rule>,
}

/// How long some rows are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Rows of this table; `None` for all.
    pub table: Option<String>,
    /// Rows of the sources of this owner ([`Source::owner`](super::Source::owner)); `None` for all. The table `name` says of no row
    /// whose it is, so that no such rule fits there: a name stays until the rules of its table let it go.
    pub owner: Option<String>,
    /// How long after they were last seen.
    pub keep: SignedDuration,
}

impl Retention {
    /// How long rows of a table and an owner are kept; `None` for ever.
    pub fn of(&self, table: &str, owner: Option<&str>) -> Option<SignedDuration> {
        let fits = |rule: &&Rule| {
            let is_table = rule.table.as_deref().is_none_or(|of| of == table);
            is_table && rule.owner.as_deref().is_none_or(|of| Some(of) == owner)
        };
        self.rules.iter().filter(fits).map(|rule| rule.keep).min()
    }
}

/// Last second of a source's rows that are too old, and of those that are overdue; `i64::MIN` for none.
#[derive(Debug, Clone, Copy)]
struct Cutoff {
    old: i64,
    overdue: i64,
}

impl Cutoff {
    fn of(keep: Option<SignedDuration>, now: Timestamp) -> Self {
        let before = |time| now.saturating_sub(time).map_or(i64::MIN, Timestamp::as_second);
        Self {
            old: keep.map_or(i64::MIN, before),
            overdue: keep.map_or(i64::MIN, |keep| before(keep + keep / SHARE as i32)),
        }
    }
}

/// The cutoffs of a table.
#[derive(Clone)]
struct Cutoffs {
    /// By the word of the source.
    of_sources: BTreeMap<String, Cutoff>,
    /// Of rows whose source is not registered, or that have none.
    of_others: Cutoff,
}

impl Cutoffs {
    fn of(&self, source: Option<&str>) -> Cutoff {
        let of_source = source.and_then(|source| self.of_sources.get(source));
        *of_source.unwrap_or(&self.of_others)
    }

    fn is_any(&self) -> bool {
        let mut all = self.of_sources.values().chain([&self.of_others]);
        all.any(|cutoff| cutoff.old > i64::MIN)
    }
}

impl Passive {
    /// Takes out the rows that may not be kept any longer, and returns how many. Their octets leave the disk with the vacuum that
    /// comes `retention` after. Look-ups and receipts go on meanwhile.
    pub async fn expire(&self, retention: &Retention, now: Timestamp) -> Result<u64, Error> {
        self.check_writer()?;
        let _merging = self.0.merging.lock().await;
        let mut gone = 0;
        gone += self
            .expire_table(retention, now, |view| &view.rrset, |logs| Some(&mut logs.rrset))
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.rdata, |logs| Some(&mut logs.rdata))
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.name, |logs| Some(&mut logs.name))
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.evidence, |logs| logs.evidence.as_mut())
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.traffic, |logs| logs.traffic.as_mut())
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.distincts, |logs| logs.distincts.as_mut())
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.clients, |logs| logs.clients.as_mut())
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.malformed, |logs| logs.malformed.as_mut())
            .await?;
        gone += self
            .expire_table(retention, now, |view| &view.rssac002, |logs| logs.rssac002.as_mut())
            .await?;
        Ok(gone)
    }

    async fn expire_table<S: Sorted>(
        &self,
        retention: &Retention,
        now: Timestamp,
        runs: impl Fn(&View) -> &Runs<S>,
        log: impl Fn(&mut Logs) -> Option<&mut Log<S>>,
    ) -> Result<u64, Error> {
        let view = lock(&self.0.view).clone();
        let of_source = |owner: &str| Cutoff::of(retention.of(S::NAME, Some(owner)), now);
        let cutoffs = Cutoffs {
            of_sources: view
                .sources
                .values()
                .map(|source| (source.id.clone(), of_source(&source.owner)))
                .collect(),
            of_others: Cutoff::of(retention.of(S::NAME, None), now),
        };
        if !cutoffs.is_any() {
            return Ok(0);
        }
        let mut gone = 0;
        for run in runs(&view).iter() {
            let (table, cutoffs, run) = (self.folder(S::NAME), cutoffs.clone(), run.clone());
            let old = run.run.path.clone();
            let new = match blocking(move || without_old(&table, run, &cutoffs)).await? {
                Ok(None) => continue,
                Ok(Some((new, rows))) => {
                    gone += rows;
                    new
                }
                Err(reason) => {
                    self.0.shared.note(&Path::new(S::NAME).join(&old), reason);
                    continue;
                }
            };
            let mut logs = self.0.logs.lock().await;
            if let Some(log) = log(&mut logs) {
                log.replace(&self.folder(S::NAME), &[old], new.as_slice()).await?;
            }
            self.show(&logs).await?;
        }
        Ok(gone)
    }
}

type Rewritten = Option<(Option<super::Run>, u64)>;

/// Writes a run again without its old rows, where that is due: the new run, if rows are left, and how many went.
fn without_old<S: Sorted>(
    table: &Path,
    run: Arc<OpenRun<S>>,
    cutoffs: &Cutoffs,
) -> Result<Result<Rewritten, String>, Error> {
    let (mut old, mut is_overdue) = (0, false);
    let mut count = |source: Option<&str>, last: i64| {
        let cutoff = cutoffs.of(source);
        old += u64::from(last < cutoff.old);
        is_overdue |= last < cutoff.overdue;
    };
    if let Err(reason) = each_last(&run, &mut count) {
        return Ok(Err(reason));
    }
    if old == 0 || !(is_overdue || old * u64::from(SHARE) >= run.run.rows) {
        return Ok(Ok(None));
    }
    let level = run.run.level;
    let keeps = |row: &S| row.last() >= cutoffs.of(row.seen_by()).old;
    let written = merge::merge(table, &[run], level, keeps)?;
    Ok(written.map(|new| Some((new, old))).map_err(|(_, reason)| reason))
}

/// Source and second of the last sight of each row.
fn each_last<S: Sorted>(run: &OpenRun<S>, take: &mut dyn FnMut(Option<&str>, i64)) -> Result<(), String> {
    run.scan(&["source", S::LAST], &mut |batch| {
        let columns = Columns(batch);
        let (lasts, sources) = (columns.times(S::LAST)?, columns.texts("source").ok());
        for at in 0..lasts.len() {
            let source = sources.map(|sources| sources.value(at));
            take(source, lasts.value(at).div_euclid(1_000_000));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_rule_that_fits_holds_and_where_none_fits_rows_stay() {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let rule = |table: Option<&str>, owner: Option<&str>, keep| Rule {
            table: table.map(str::to_owned),
            owner: owner.map(str::to_owned),
            keep: days(keep),
        };
        let retention = Retention {
            rules: vec![
                rule(Some("traffic"), None, 400),
                rule(None, Some("Bank"), 90),
                rule(Some("malformed"), Some("Bank"), 7),
            ],
        };
        let cases = [
            ("traffic", Some("Team"), Some(400)),
            ("traffic", Some("Bank"), Some(90)),
            ("malformed", Some("Bank"), Some(7)),
            ("rrset", Some("Bank"), Some(90)),
            ("rrset", Some("Team"), None),
            ("name", None, None),
        ];
        for (table, owner, keep) in cases {
            assert_eq!(retention.of(table, owner), keep.map(days), "{table} {owner:?}");
        }
    }
}
