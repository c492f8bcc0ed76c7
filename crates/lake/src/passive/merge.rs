//! Small runs become large ones: which are merged, and how, with a few pages of each in memory.
//!
//! Three runs of a level make one of the next. Of the largest level the small ones are merged among themselves once there are more
//! than six, so that a table has a dozen runs at most and a row is rewritten some tens of times in a year of receipts each minute.

use std::path::Path;
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::open_run::OpenRun;
use super::rows::{Sorted, Wanted};
use super::run::{Level, Run, Writer};
use crate::error::Error;
use crate::row;

/// Runs of one level that make one of the next. Fewer rewrites rows more often, more leaves more runs to look into.
const FAN_IN: usize = 3;

/// Runs of the largest level that become one at a time. More: as many open files, and each row looks at the heads of all.
const MOST_AT_ONCE: usize = 12;

/// Runs of the largest level that stay apart.
const LARGE_RUNS: usize = 6;

/// Runs that make one, and its level; `None` when all is well.
pub(crate) fn plan<'a>(runs: &[&'a Run]) -> Option<(Vec<&'a Run>, Level)> {
    let of_level = |level: Level| {
        runs.iter()
            .copied()
            .filter(|run| run.level == level)
            .collect::<Vec<_>>()
    };
    for pair in Level::ALL.windows(2) {
        let runs = of_level(pair[0]);
        if runs.len() >= FAN_IN {
            return Some((runs, pair[1]));
        }
    }
    let mut large = of_level(Level::Month);
    if large.len() <= LARGE_RUNS {
        return None;
    }
    large.sort_by_key(|run| run.rows);
    // the two smallest, and what is not larger than those before it together: so a row is rewritten when its run about doubles
    let mut rows = large[0].rows + large[1].rows;
    let more = large[2..].iter().take_while(|run| {
        let is_small = run.rows <= rows;
        rows += run.rows;
        is_small
    });
    let count = 2 + more.count();
    large.truncate(count.min(MOST_AT_ONCE));
    Some((large, Level::Month))
}

/// Writes the rows of several runs as one run; none where no row is left. The error inside names the run that
/// cannot be read.
pub(crate) fn merge<S: Sorted>(
    table: &Path,
    runs: &[Arc<OpenRun<S>>],
    level: Level,
    keeps: impl Fn(&S) -> bool,
) -> Result<Result<Option<Run>, Unread>, Error> {
    let mut all = match All::of(runs) {
        Ok(all) => all,
        Err(unread) => return Ok(Err(unread)),
    };
    let mut writer = Writer::<S>::create(table, level, last_receipt(runs))?;
    while let Some(row) = all.next() {
        if keeps(&row) {
            writer.push(row)?;
        }
    }
    if let Some(unread) = all.unread() {
        return Ok(Err(unread));
    }
    if writer.rows() == 0 {
        return Ok(Ok(None));
    }
    writer.finish().map(|run| Ok(Some(run)))
}

/// The number of the last receipt of which the runs hold rows.
pub(super) fn last_receipt<S>(runs: &[Arc<OpenRun<S>>]) -> i64 {
    runs.iter().map(|run| run.run.receipt).max().unwrap_or(0)
}

/// A run that cannot be read, and why.
pub(super) type Unread = (String, String);

/// All rows of several runs as one stream.
pub(super) struct All<S>(Merged<S, Stream<S>>);

impl<S: Sorted> All<S> {
    pub fn of(runs: &[Arc<OpenRun<S>>]) -> Result<Self, Unread> {
        let stream = |run: &Arc<OpenRun<S>>| match run.all() {
            Ok(reader) => Ok(Stream::new(run.clone(), reader)),
            Err(reason) => Err((run.run.path.clone(), reason)),
        };
        let streams = runs.iter().map(stream).collect::<Result<_, _>>()?;
        Ok(Self(Merged::new(streams)))
    }

    pub fn next(&mut self) -> Option<S> {
        self.0.next()
    }

    /// After the last row: a run that was read short. What was written of it must not take its place.
    pub fn unread(&self) -> Option<Unread> {
        let failure = |stream: &Stream<S>| Some((stream.run.run.path.clone(), stream.failure()?));
        self.0.streams.iter().find_map(failure)
    }
}

/// Rows in the order of their table.
pub(crate) trait Rows<S> {
    /// The next row.
    fn next(&mut self) -> Option<S>;
}

/// Rows of several streams as one, those that are the same as one row.
pub(crate) struct Merged<S, R> {
    pub streams: Vec<R>,
    /// The next row of each stream.
    heads: Vec<Option<S>>,
}

impl<S: Sorted, R: Rows<S>> Merged<S, R> {
    pub fn new(mut streams: Vec<R>) -> Self {
        let heads = streams.iter_mut().map(Rows::next).collect();
        Self { streams, heads }
    }

    pub fn next(&mut self) -> Option<S> {
        let least = self.least()?;
        let mut row = self.take(least)?;
        for at in 0..self.heads.len() {
            while self.heads[at].as_ref().is_some_and(|head| head.order(&row).is_eq()) {
                if let Some(same) = self.take(at) {
                    row.absorb(same);
                }
            }
        }
        Some(row)
    }

    /// A dozen streams at most: looking at each is as fast as a heap.
    fn least(&self) -> Option<usize> {
        let heads = self
            .heads
            .iter()
            .enumerate()
            .filter_map(|(at, head)| Some((at, head.as_ref()?)));
        heads.min_by(|(_, a), (_, b)| a.order(b)).map(|(at, _)| at)
    }

    fn take(&mut self, at: usize) -> Option<S> {
        std::mem::replace(&mut self.heads[at], self.streams[at].next())
    }
}

/// All rows of a run.
struct Stream<S> {
    run: Arc<OpenRun<S>>,
    reader: ParquetRecordBatchReader,
    rows: std::vec::IntoIter<S>,
    read: u64,
    error: Option<String>,
}

impl<S: Sorted> Stream<S> {
    fn new(run: Arc<OpenRun<S>>, reader: ParquetRecordBatchReader) -> Self {
        Self {
            run,
            reader,
            rows: Vec::new().into_iter(),
            read: 0,
            error: None,
        }
    }

    fn failure(&self) -> Option<String> {
        let short = || format!("it has {} rows where the log says {}", self.read, self.run.run.rows);
        self.error
            .clone()
            .or_else(|| (self.read != self.run.run.rows).then(short))
    }
}

impl<S: Sorted> Rows<S> for Stream<S> {
    fn next(&mut self) -> Option<S> {
        loop {
            if let Some(row) = self.rows.next() {
                self.read += 1;
                return Some(row);
            }
            let mut rows = Vec::new();
            let reader = &mut self.reader;
            // the decoder is not ours and its input is whatever the disk gives
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match reader.next() {
                None => Ok(false),
                Some(batch) => {
                    let batch = batch.map_err(|error| error.to_string())?;
                    let batch = row::complete(S::COLUMNS, &batch, None)?;
                    S::read(&batch, 0..batch.num_rows(), &Wanted::default(), &mut rows).map(|()| true)
                }
            }));
            match read.unwrap_or_else(|_| Err("the decoder broke on it".to_owned())) {
                Ok(true) => self.rows = rows.into_iter(),
                Ok(false) => return None,
                Err(reason) => {
                    self.error = Some(reason);
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Levels and rows after so many receipts of 1,000 rows, with a merge after each; and how often a row was rewritten.
    fn after(receipts: u64) -> (Vec<(Level, u64)>, u64) {
        let mut runs: Vec<Run> = Vec::new();
        let (mut rewritten, mut most) = (0, 0);
        for receipt in 0..receipts {
            let run = |level, rows, number: u64| Run {
                path: format!("{receipt}-{number}"),
                level,
                receipt: 0,
                rows,
                bytes: 0,
            };
            runs.push(run(Level::Minute, 1000, 0));
            for number in 1.. {
                let all: Vec<&Run> = runs.iter().collect();
                let Some((merged, level)) = plan(&all) else { break };
                let rows = merged.iter().map(|run| run.rows).sum();
                let paths: Vec<String> = merged.iter().map(|run| run.path.clone()).collect();
                runs.retain(|run| !paths.contains(&run.path));
                runs.push(run(level, rows, number));
                rewritten += rows;
            }
            most = most.max(runs.len());
            assert!(most <= 12, "{most} runs after {receipt} receipts");
        }
        let mut levels: Vec<(Level, u64)> = runs.iter().map(|run| (run.level, run.rows)).collect();
        levels.sort();
        (levels, rewritten / (receipts * 1000))
    }

    #[test]
    fn of_very_many_runs_a_dozen_become_one_at_a_time() {
        let run = |number: u64| Run {
            path: number.to_string(),
            level: Level::Month,
            receipt: 0,
            rows: 1_000,
            bytes: 0,
        };
        let mut runs: Vec<Run> = (0..330).map(run).collect();
        for number in 330.. {
            let all: Vec<&Run> = runs.iter().collect();
            let Some((merged, _)) = plan(&all) else { break };
            assert!(merged.len() <= MOST_AT_ONCE, "{}", merged.len());
            let rows = merged.iter().map(|run| run.rows).sum();
            let paths: Vec<String> = merged.iter().map(|run| run.path.clone()).collect();
            runs.retain(|run| !paths.contains(&run.path));
            runs.push(Run { rows, ..run(number) });
        }
        assert!(runs.len() <= 12, "{}", runs.len());
        assert_eq!(runs.iter().map(|run| run.rows).sum::<u64>(), 330_000);
    }

    #[test]
    fn a_table_has_a_dozen_runs_however_many_receipts_came() {
        use Level::{Day, Hour, Minute};
        assert_eq!(after(2).0, [(Minute, 1000), (Minute, 1000)]);
        assert_eq!(after(13).0, [(Minute, 1000), (Hour, 3000), (Day, 9000)]);
        let (levels, rewritten) = after(20_000);
        assert_eq!(levels.iter().map(|(_, rows)| rows).sum::<u64>(), 20_000_000);
        assert!(rewritten < 40, "each row was rewritten {rewritten} times");
    }
}
