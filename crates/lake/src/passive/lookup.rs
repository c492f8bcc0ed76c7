//! Answering a question: the ranges of keys that it means, the pages that hold them, and their rows as one.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::{Name, PassiveRrset, SeenIn};

use super::Shared;
use super::key::{self, Keys};
use super::merge::{Merged, Rows};
use super::open_run::{OpenRun, Touched};
use super::query::{Pattern, Plan, Query, ValuePattern};
use super::rows::{self, NameRow, Place, RdataRow, RrsetRow, Sightings, Sorted, Wanted};

/// An RRset with who saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRrset {
    /// The RRset; its times and count are those of all sources together.
    pub rrset: PassiveRrset,
    /// The words of the sources, sorted.
    pub sources: Vec<String>,
}

/// A record, as one finds it by its value, with who saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRecord {
    /// Owner name.
    pub name: Name,
    /// Type.
    pub rtype: Rtype,
    /// Data as on the wire.
    pub rdata: Vec<u8>,
    /// On the wire or in a zone file.
    pub seen_in: SeenIn,
    /// First seen.
    pub first: Timestamp,
    /// Last seen.
    pub last: Timestamp,
    /// How often.
    pub count: u64,
    /// The words of the sources, sorted.
    pub sources: Vec<String>,
}

/// What all answers say.
pub trait Seen {
    /// Where, from when, to when, how often.
    fn seen(&self) -> (SeenIn, Timestamp, Timestamp, u64);
}

impl Seen for SeenRrset {
    fn seen(&self) -> (SeenIn, Timestamp, Timestamp, u64) {
        (self.rrset.seen_in, self.rrset.first, self.rrset.last, self.rrset.count)
    }
}

impl Seen for SeenRecord {
    fn seen(&self) -> (SeenIn, Timestamp, Timestamp, u64) {
        (self.seen_in, self.first, self.last, self.count)
    }
}

/// Why there are no more answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// There are none.
    Complete,
    /// There are more than were asked for.
    Limit,
    /// So many rows were looked at as the question allows.
    Rows,
}

/// Answers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many answers.
    pub answers: u64,
    /// Their counts together.
    pub count: u64,
    /// First and last time on the wire.
    pub wire: Option<(Timestamp, Timestamp)>,
    /// First and last time in zone files.
    pub zone_file: Option<(Timestamp, Timestamp)>,
}

/// A row that becomes an answer.
pub(crate) trait Answer: Sorted {
    type Pattern: Pattern;
    type Seen: Seen;
    const PLACE: Place;

    /// The key of a name in this table.
    fn key_of(name: &Name) -> Vec<u8>;
    /// Whether it is the same but for the source.
    fn is_same(&self, other: &Self) -> bool;
    fn sightings(&self) -> Sightings;
    fn source(&self) -> &Arc<str>;
    /// Whether the rest of the question, besides its keys, type, sources and times, holds.
    fn fits(&self, query: &Query<Self::Pattern>) -> bool;
    /// What is the same for rows that stand for one answer under several keys; `None` when there is one key.
    fn identity(&self) -> Option<u64>;
    /// `None` when a column holds what no row of ours has.
    fn answer(self, first: Timestamp, last: Timestamp, sources: Vec<String>) -> Option<Self::Seen>;
}

impl Answer for RrsetRow {
    type Pattern = super::query::NamePattern;
    type Seen = SeenRrset;
    const PLACE: Place = Place::Owner;

    fn key_of(name: &Name) -> Vec<u8> {
        key::reversed(name).into()
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.rtype, self.seen_in) == (other.rtype, other.seen_in)
            && (&self.owner, &self.bailiwick, &self.rdata) == (&other.owner, &other.bailiwick, &other.rdata)
    }

    fn sightings(&self) -> Sightings {
        self.sightings
    }

    fn source(&self) -> &Arc<str> {
        &self.source
    }

    fn fits(&self, query: &Query<Self::Pattern>) -> bool {
        let is_of = |zone: &Name| self.bailiwick == key::reversed(zone);
        query.bailiwick.as_ref().is_none_or(is_of)
    }

    fn identity(&self) -> Option<u64> {
        None
    }

    fn answer(self, first: Timestamp, last: Timestamp, sources: Vec<String>) -> Option<SeenRrset> {
        let rrset = PassiveRrset {
            name: key::from_reversed(&self.owner)?,
            rtype: rows::rtype(self.rtype),
            bailiwick: key::from_reversed(&self.bailiwick)?,
            rdata: rows::parted(&self.rdata)?,
            seen_in: self.seen_in,
            first,
            last,
            count: self.sightings.count,
        };
        Some(SeenRrset { rrset, sources })
    }
}

impl Answer for RdataRow {
    type Pattern = ValuePattern;
    type Seen = SeenRecord;
    const PLACE: Place = Place::Target;

    fn key_of(name: &Name) -> Vec<u8> {
        key::of_target(name)
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.rtype, self.seen_in) == (other.rtype, other.seen_in)
            && (&self.value, &self.owner, &self.rdata) == (&other.value, &other.owner, &other.rdata)
    }

    fn sightings(&self) -> Sightings {
        self.sightings
    }

    fn source(&self) -> &Arc<str> {
        &self.source
    }

    fn fits(&self, query: &Query<ValuePattern>) -> bool {
        match &query.pattern {
            ValuePattern::Raw(octets) => self.rdata == *octets,
            _ => true,
        }
    }

    fn identity(&self) -> Option<u64> {
        // SOA, MINFO, RP and PX name two, and both may be asked for at once
        matches!(self.rtype, 6 | 14 | 17 | 26).then(|| {
            let mut hasher = DefaultHasher::new();
            (self.rtype, &self.owner, &self.rdata, self.seen_in).hash(&mut hasher);
            hasher.finish()
        })
    }

    fn answer(self, first: Timestamp, last: Timestamp, sources: Vec<String>) -> Option<SeenRecord> {
        Some(SeenRecord {
            name: key::from_reversed(&self.owner)?,
            rtype: rows::rtype(self.rtype),
            rdata: self.rdata,
            seen_in: self.seen_in,
            first,
            last,
            count: self.sightings.count,
            sources,
        })
    }
}

/// Rows of a range of keys in one run.
pub(super) struct Cursor<S> {
    run: Arc<OpenRun<S>>,
    shared: Arc<Shared>,
    keys: Keys,
    wanted: Arc<Wanted>,
    slices: Range<usize>,
    rows: std::vec::IntoIter<S>,
    budget: Arc<Budget>,
}

/// Rows that a question has looked at, and how many it may.
struct Budget {
    used: AtomicU64,
    most: u64,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.most
    }
}

impl<S: Sorted> Rows<S> for Cursor<S> {
    fn next(&mut self) -> Option<S> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(row);
            }
            let at = self.slices.next().filter(|_| !self.budget.is_spent())?;
            let mut rows = Vec::new();
            match self
                .run
                .read_slice(at, &self.keys, &self.wanted, &self.shared.cache, &mut rows)
            {
                Ok(looked_at) => {
                    self.budget.used.fetch_add(looked_at as u64, Ordering::Relaxed);
                }
                Err(reason) => {
                    self.shared
                        .note(&PathBuf::from(S::NAME).join(&self.run.run.path), reason);
                    return None;
                }
            }
            self.rows = rows.into_iter();
        }
    }
}

/// The rows of a range of keys.
pub(super) type Found<S> = Merged<S, Cursor<S>>;

/// All rows of a range of keys, however many.
pub(super) fn find_all<S: Sorted>(
    shared: &Arc<Shared>,
    runs: &[Arc<OpenRun<S>>],
    keys: &Keys,
    wanted: Wanted,
) -> Found<S> {
    let budget = Budget {
        used: AtomicU64::new(0),
        most: u64::MAX,
    };
    find(shared, runs, keys, &Arc::new(wanted), &Arc::new(budget))
}

fn find<S: Sorted>(
    shared: &Arc<Shared>,
    runs: &[Arc<OpenRun<S>>],
    keys: &Keys,
    wanted: &Arc<Wanted>,
    budget: &Arc<Budget>,
) -> Found<S> {
    let cursor = |run: &Arc<OpenRun<S>>| Cursor {
        run: run.clone(),
        shared: shared.clone(),
        slices: run.slices(keys),
        keys: keys.clone(),
        wanted: wanted.clone(),
        rows: Vec::new().into_iter(),
        budget: budget.clone(),
    };
    Merged::new(runs.iter().map(cursor).collect())
}

/// The ranges of a question, one after the other.
enum Ranges {
    Listed(std::vec::IntoIter<Keys>),
    OfNames(Box<Found<NameRow>>),
}

/// Answers, one after the other, from the tables as they were when the question was asked.
pub(crate) struct Lookup<S: Answer> {
    shared: Arc<Shared>,
    runs: Arc<Vec<Arc<OpenRun<S>>>>,
    query: Query<S::Pattern>,
    wanted: Arc<Wanted>,
    ranges: Ranges,
    current: Option<Found<S>>,
    /// A row that belongs to the next answer.
    next_row: Option<S>,
    identities: HashSet<u64>,
    skipped: usize,
    given: usize,
    budget: Arc<Budget>,
    end: Option<End>,
}

impl<S: Answer> Lookup<S> {
    pub fn new(
        shared: Arc<Shared>,
        runs: Arc<Vec<Arc<OpenRun<S>>>>,
        names: &[Arc<OpenRun<NameRow>>],
        query: Query<S::Pattern>,
        wanted: Wanted,
    ) -> Self {
        let budget = Arc::new(Budget {
            used: AtomicU64::new(0),
            most: query.rows,
        });
        let ranges = match query.pattern.plan().0 {
            Plan::Ranges(ranges) => Ranges::Listed(ranges.into_iter()),
            Plan::ByNames(keys) => Ranges::OfNames(Box::new(find(&shared, names, &keys, &Arc::default(), &budget))),
        };
        Self {
            shared,
            runs,
            query,
            wanted: Arc::new(wanted),
            ranges,
            current: None,
            next_row: None,
            identities: HashSet::new(),
            skipped: 0,
            given: 0,
            budget,
            end: None,
        }
    }

    fn next_keys(&mut self) -> Option<Keys> {
        match &mut self.ranges {
            Ranges::Listed(ranges) => ranges.next(),
            Ranges::OfNames(names) => loop {
                let row = names.next()?;
                if row.place == S::PLACE
                    && let Some(name) = key::from_forward(&row.name)
                {
                    return Some(key::only(S::key_of(&name)));
                }
            },
        }
    }

    fn next_row(&mut self) -> Option<S> {
        loop {
            if let Some(row) = self.next_row.take() {
                return Some(row);
            }
            match &mut self.current {
                Some(current) => match current.next() {
                    Some(row) => return Some(row),
                    None => self.current = None,
                },
                None => {
                    let keys = self.next_keys()?;
                    self.current = Some(find(&self.shared, &self.runs, &keys, &self.wanted, &self.budget));
                }
            }
        }
    }

    /// The next answer that the whole question fits.
    fn next_match(&mut self) -> Option<S::Seen> {
        loop {
            let Some(mut row) = self.next_row() else {
                self.end = Some(if self.budget.is_spent() {
                    End::Rows
                } else {
                    End::Complete
                });
                return None;
            };
            let mut sources = BTreeSet::from([row.source().to_string()]);
            while let Some(other) = self.next_row() {
                if !row.is_same(&other) {
                    self.next_row = Some(other);
                    break;
                }
                sources.insert(other.source().to_string());
                row.absorb(other);
            }
            // some runs may have stopped, so that what is summed up here is not all
            if self.budget.is_spent() {
                self.end = Some(End::Rows);
                return None;
            }
            let Sightings { first, last, .. } = row.sightings();
            let (Ok(first), Ok(last)) = (Timestamp::from_second(first), Timestamp::from_second(last)) else {
                continue;
            };
            if !row.fits(&self.query)
                || !self.query.fences.hold(first, last)
                || row.identity().is_some_and(|identity| !self.identities.insert(identity))
            {
                continue;
            }
            if let Some(answer) = row.answer(first, last, sources.into_iter().collect()) {
                return Some(answer);
            }
        }
    }

    /// Why there are no more answers; `None` while there may be.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// What would be read of each run that has anything to read.
    pub fn explain(mut self) -> Vec<Touched> {
        let mut touched = Vec::new();
        if let Ranges::OfNames(names) = &self.ranges {
            let of_names = names
                .streams
                .iter()
                .map(|cursor| cursor.run.touched(cursor.run.slices(&cursor.keys)));
            touched.extend(of_names);
        }
        let mut slices: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.runs.len()];
        let mut ranges = 0;
        while let Some(keys) = self.next_keys() {
            for (run, slices) in self.runs.iter().zip(&mut slices) {
                slices.extend(run.slices(&keys));
            }
            ranges += 1;
            if ranges >= self.query.limit.max(1) && matches!(self.ranges, Ranges::OfNames(_)) {
                break;
            }
        }
        touched.extend(
            self.runs
                .iter()
                .zip(slices)
                .map(|(run, slices)| run.touched(slices.into_iter())),
        );
        touched.retain(|run| run.pages.1 > 0);
        touched
    }
}

impl<S: Answer> Iterator for Lookup<S> {
    type Item = S::Seen;

    fn next(&mut self) -> Option<S::Seen> {
        if self.end.is_some() {
            return None;
        }
        while self.skipped < self.query.offset {
            self.next_match()?;
            self.skipped += 1;
        }
        let answer = self.next_match()?;
        if self.given >= self.query.limit {
            self.end = Some(End::Limit);
            return None;
        }
        self.given += 1;
        Some(answer)
    }
}

/// Adds answers up, until their counts reach `max_count`.
pub fn summarize<T: Seen>(answers: &mut impl Iterator<Item = T>, max_count: Option<u64>) -> Summary {
    let mut summary = Summary {
        answers: 0,
        count: 0,
        wire: None,
        zone_file: None,
    };
    for answer in answers {
        let (seen_in, first, last, count) = answer.seen();
        summary.answers += 1;
        summary.count = summary.count.saturating_add(count);
        let times = match seen_in {
            SeenIn::Wire => &mut summary.wire,
            SeenIn::ZoneFile => &mut summary.zone_file,
        };
        *times = Some(times.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
        if max_count.is_some_and(|most| summary.count >= most) {
            break;
        }
    }
    summary
}
