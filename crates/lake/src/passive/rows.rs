//! The rows of `rrset`, `rdata` and `name`: what makes a row one of its own, and what of two that are the same is made one.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use deltalake_core::kernel::{Add, LogicalFileView, StructField};
use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::{Name, PassiveRrset, SeenIn, Span};

use super::run::Run;
use super::{key, value};
use crate::delta::Logged;
use crate::row::{self, Column, Columns, Kind, arrow_schema, delta_columns};

/// A row of a sorted table. Its first column is the key: the table is asked by it.
pub(crate) trait Sorted: Logged<File = Run> + Clone {
    /// The columns but for the partition, the key first.
    const COLUMNS: &'static [Column];
    /// The columns in whose order the rows of a file stand, as engines compare them: as many from the first on as `order` has so.
    const ORDER: &'static [&'static str];
    /// The column that says when a row was last seen.
    const LAST: &'static str = "last";

    /// The order of the table. Rows that are equal by it are one.
    fn order(&self, other: &Self) -> Ordering;
    /// Takes in a row that is equal by `order`.
    fn absorb(&mut self, other: Self);
    /// When the row was last seen, in seconds since 1970.
    fn last(&self) -> i64;
    /// Who gave it; `None` in a table whose rows are of all together.
    fn seen_by(&self) -> Option<&str> {
        None
    }
    /// The rows as one batch of `COLUMNS`.
    fn to_batch(rows: &[Self]) -> RecordBatch;
    /// Adds those rows of a batch of `COLUMNS` that are wanted. The error says what no row of ours can have.
    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String>;
}

/// Which rows a reader wants, of those in its ranges of keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Types; `None` for all.
    pub rtypes: Option<HashSet<u16>>,
    /// Sources; `None` for all.
    pub sources: Option<HashSet<String>>,
}

impl Wanted {
    pub fn takes(&self, rtype: i32, source: &str) -> bool {
        let of_type = |rtypes: &HashSet<u16>| u16::try_from(rtype).is_ok_and(|rtype| rtypes.contains(&rtype));
        self.rtypes.as_ref().is_none_or(of_type) && self.takes_source(source)
    }

    pub fn takes_source(&self, source: &str) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.contains(source))
    }
}

/// When and how often something was seen. Times are in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sightings {
    pub first: i64,
    pub last: i64,
    pub count: u64,
}

impl Sightings {
    fn of(rrset: &PassiveRrset) -> Self {
        Self {
            first: rrset.first.as_second(),
            last: rrset.last.as_second(),
            count: rrset.count,
        }
    }

    pub fn absorb(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.count = self.count.saturating_add(other.count);
    }
}

/// A row of `rrset`: one RRset of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RrsetRow {
    pub owner: String,
    pub rtype: u16,
    pub bailiwick: String,
    /// Each record's data after its length in two octets.
    pub rdata: Vec<u8>,
    pub seen_in: SeenIn,
    pub source: Arc<str>,
    pub sightings: Sightings,
}

/// A row of `rdata`: one record of one source, under one of the values by which it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RdataRow {
    pub value: Vec<u8>,
    pub rtype: u16,
    pub owner: String,
    pub rdata: Vec<u8>,
    pub seen_in: SeenIn,
    pub source: Arc<str>,
    pub sightings: Sightings,
}

/// A row of `name`: a name that owns records, or to which records point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameRow {
    pub name: String,
    pub place: Place,
    pub last: i64,
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Owner,
    Target,
}

const PLACES: [(Place, &str); 2] = [(Place::Owner, "owner"), (Place::Target, "target")];
const SEEN_IN: [(SeenIn, &str); 2] = [(SeenIn::Wire, "wire"), (SeenIn::ZoneFile, "zone_file")];

/// The rows of `rrset` for RRsets of one source, in the order of the table, those that are the same as one.
pub(crate) fn rrset_rows(source: &Arc<str>, rrsets: &[PassiveRrset]) -> Vec<RrsetRow> {
    let row = |rrset: &PassiveRrset| RrsetRow {
        owner: key::reversed(&rrset.name),
        rtype: rrset.rtype.to_int(),
        bailiwick: key::reversed(&rrset.bailiwick),
        rdata: joined(&rrset.rdata),
        seen_in: rrset.seen_in,
        source: source.clone(),
        sightings: Sightings::of(rrset),
    };
    sorted(rrsets.iter().map(row).collect())
}

/// Those of `rdata`.
pub(crate) fn rdata_rows(source: &Arc<str>, rrsets: &[PassiveRrset]) -> Vec<RdataRow> {
    let mut rows = Vec::with_capacity(rrsets.len());
    for rrset in rrsets {
        let owner = key::reversed(&rrset.name);
        for rdata in &rrset.rdata {
            let row = |value| RdataRow {
                value,
                rtype: rrset.rtype.to_int(),
                owner: owner.clone(),
                rdata: rdata.clone(),
                seen_in: rrset.seen_in,
                source: source.clone(),
                sightings: Sightings::of(rrset),
            };
            rows.extend(value::keys(rrset.rtype, rdata).into_iter().map(row));
        }
    }
    sorted(rows)
}

/// Those of `name`.
pub(crate) fn name_rows(rrsets: &[PassiveRrset]) -> Vec<NameRow> {
    let mut rows = Vec::with_capacity(rrsets.len());
    for rrset in rrsets {
        let row = |name: &Name, place| NameRow {
            name: key::forward(name),
            place,
            last: rrset.last.as_second(),
        };
        rows.push(row(&rrset.name, Place::Owner));
        let values = rrset.rdata.iter().flat_map(|rdata| value::keys(rrset.rtype, rdata));
        rows.extend(values.filter_map(|value| Some(row(&key::target(&value)?, Place::Target))));
    }
    sorted(rows)
}

/// Rows in the order of their table, those that are the same as one.
pub(super) fn sorted<S: Sorted>(mut rows: Vec<S>) -> Vec<S> {
    rows.sort_unstable_by(S::order);
    let mut merged: Vec<S> = Vec::with_capacity(rows.len());
    for row in rows {
        match merged.last_mut() {
            Some(last) if last.order(&row).is_eq() => last.absorb(row),
            _ => merged.push(row),
        }
    }
    merged
}

/// Record data in one column. Data of more than 65,535 octets cannot come from the DNS and is cut.
pub(super) fn joined(rdata: &[Vec<u8>]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(rdata.iter().map(|one| one.len() + 2).sum());
    for one in rdata {
        let length = u16::try_from(one.len()).unwrap_or(u16::MAX);
        joined.extend(length.to_be_bytes());
        joined.extend_from_slice(&one[..usize::from(length)]);
    }
    joined
}

/// The record data of one column; `None` when it is not made by `joined`.
pub(crate) fn parted(mut joined: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rdata = Vec::new();
    while let Some((length, rest)) = joined.split_first_chunk::<2>() {
        let (one, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rdata.push(one.to_vec());
        joined = rest;
    }
    joined.is_empty().then_some(rdata)
}

pub(super) const fn column(name: &'static str, kind: Kind, comment: &'static str) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        comment,
        since: 1,
    }
}

/// A column that may be null.
pub(super) const fn optional(name: &'static str, kind: Kind, comment: &'static str) -> Column {
    Column {
        nullable: true,
        ..column(name, kind, comment)
    }
}

/// A column that came with a later version of its table.
pub(super) const fn added(since: u32, name: &'static str, kind: Kind, comment: &'static str) -> Column {
    Column {
        since,
        ..optional(name, kind, comment)
    }
}

/// Of the tables of figures.
pub(super) const SPAN: Column = added(
    2,
    "span",
    Kind::Long,
    "Seconds from the beginning of `minute` on that the row is of: 60, 3600, 86400, or those of a calendar month; null: 60",
);

pub(super) const LEVEL: Column = column(
    super::run::LEVEL,
    Kind::Text,
    "`minute`, `hour`, `day` or `month`: how often the file's rows were merged; the partition",
);
pub(super) const RTYPE: Column = column("rtype", Kind::Integer, "Type, as IANA numbers it");
const SEEN: Column = column("seen_in", Kind::Text, "`wire` or `zone_file`");
pub(super) const SOURCE: Column = column("source", Kind::Text, "Who gave it: a word of `passive-sources.json`");
pub(super) const FIRST: Column = column("first", Kind::Time, "First seen, UTC");
pub(super) const LAST: Column = column("last", Kind::Time, "Last seen, UTC");
pub(super) const COUNT: Column = column("count", Kind::Long, "Answers or snapshots that held it");

/// How a sorted table stands in its log.
macro_rules! logged {
    ($row:ty, $name:literal, $about:literal) => {
        logged!($row, $name, $about, 1);
    };
    ($row:ty, $name:literal, $about:literal, $version:literal) => {
        impl Logged for $row {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;
            const VERSION: u32 = $version;
            const PARTITION: &'static str = super::run::LEVEL;
            const PROPERTIES: &'static [(&'static str, &'static str)] = super::PROPERTIES;
            type File = Run;

            fn columns() -> Vec<StructField> {
                delta_columns(&LEVEL, <Self as Sorted>::COLUMNS)
            }

            fn entry(file: &Run, modified: i64) -> Add {
                file.entry(modified)
            }

            fn file(entry: &LogicalFileView) -> Run {
                Run::of_entry(entry)
            }

            fn path(file: &Run) -> &str {
                &file.path
            }
        }
    };
}

pub(super) use logged;

logged!(RrsetRow, "rrset", "Passive DNS: RRsets by owner name");
logged!(RdataRow, "rdata", "Passive DNS: records by what they say");
logged!(
    NameRow,
    "name",
    "Passive DNS: names as they are read, to find them by how they begin"
);

pub(super) fn times(seconds: impl Iterator<Item = i64>) -> Arc<TimestampMicrosecondArray> {
    let times = TimestampMicrosecondArray::from_iter_values(seconds.map(|second| second.saturating_mul(1_000_000)));
    Arc::new(times.with_timezone("UTC"))
}

pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Arc<StringArray> {
    Arc::new(StringArray::from_iter_values(texts))
}

pub(super) fn octets<'a>(octets: impl Iterator<Item = &'a [u8]>) -> Arc<BinaryArray> {
    Arc::new(BinaryArray::from_iter_values(octets))
}

/// Columns as a batch of the table.
pub(super) fn batch<S: Sorted>(columns: Vec<Arc<dyn arrow::array::Array>>) -> RecordBatch {
    RecordBatch::try_new(arrow_schema(S::COLUMNS), columns).expect("the columns are those of the schema, all as long")
}

/// What `rrset` and `rdata` have in common at the end of a row.
struct Tail<'a> {
    rtypes: &'a Int32Array,
    seen_in: &'a StringArray,
    sources: &'a StringArray,
    firsts: &'a TimestampMicrosecondArray,
    lasts: &'a TimestampMicrosecondArray,
    counts: &'a Int64Array,
    /// The source of the row before: most rows of a file have one source.
    source: Arc<str>,
}

impl<'a> Tail<'a> {
    fn of(columns: &Columns<'a>) -> Result<Self, String> {
        Ok(Self {
            rtypes: columns.integers("rtype")?,
            seen_in: columns.texts("seen_in")?,
            sources: columns.texts("source")?,
            firsts: columns.times("first")?,
            lasts: columns.times("last")?,
            counts: columns.longs("count")?,
            source: Arc::from(""),
        })
    }

    fn is_wanted(&self, at: usize, wanted: &Wanted) -> bool {
        wanted.takes(self.rtypes.value(at), self.sources.value(at))
    }

    fn rtype(&self, at: usize) -> Result<u16, String> {
        row::narrow("rtype", i64::from(self.rtypes.value(at)))
    }

    fn seen_in(&self, at: usize) -> Result<SeenIn, String> {
        row::word("seen_in", self.seen_in.value(at), &SEEN_IN)
    }

    fn source(&mut self, at: usize) -> Arc<str> {
        if *self.source != *self.sources.value(at) {
            self.source = Arc::from(self.sources.value(at));
        }
        self.source.clone()
    }

    fn sightings(&self, at: usize) -> Result<Sightings, String> {
        Ok(Sightings {
            first: self.firsts.value(at).div_euclid(1_000_000),
            last: self.lasts.value(at).div_euclid(1_000_000),
            count: row::narrow("count", self.counts.value(at))?,
        })
    }
}

impl Sorted for RrsetRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "owner",
            Kind::Text,
            "Owner name, labels from the root down, each followed by a dot",
        ),
        RTYPE,
        column(
            "bailiwick",
            Kind::Text,
            "Zone on whose behalf the server spoke, in the form of `owner`",
        ),
        column(
            "rdata",
            Kind::Octets,
            "Data of all records as on the wire, each after its length in two octets",
        ),
        SEEN,
        SOURCE,
        FIRST,
        LAST,
        COUNT,
    ];
    const ORDER: &'static [&'static str] = &["owner", "rtype", "bailiwick", "rdata", "seen_in", "source"];

    fn order(&self, other: &Self) -> Ordering {
        let owner = self.owner.cmp(&other.owner).then(self.rtype.cmp(&other.rtype));
        let data = || {
            self.bailiwick
                .cmp(&other.bailiwick)
                .then_with(|| self.rdata.cmp(&other.rdata))
        };
        owner
            .then_with(data)
            .then(self.seen_in.cmp(&other.seen_in))
            .then_with(|| self.source.cmp(&other.source))
    }

    fn absorb(&mut self, other: Self) {
        self.sightings.absorb(other.sightings);
    }

    fn last(&self) -> i64 {
        self.sightings.last
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        batch::<Self>(vec![
            texts(rows.iter().map(|row| row.owner.as_str())),
            Arc::new(Int32Array::from_iter_values(
                rows.iter().map(|row| i32::from(row.rtype)),
            )),
            texts(rows.iter().map(|row| row.bailiwick.as_str())),
            octets(rows.iter().map(|row| row.rdata.as_slice())),
            texts(rows.iter().map(|row| row.seen_in.as_str())),
            texts(rows.iter().map(|row| &*row.source)),
            times(rows.iter().map(|row| row.sightings.first)),
            times(rows.iter().map(|row| row.sightings.last)),
            counts(rows.iter().map(|row| row.sightings.count)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (owners, bailiwicks) = (columns.texts("owner")?, columns.texts("bailiwick")?);
        let rdata = columns.octets("rdata")?;
        let mut tail = Tail::of(&columns)?;
        for at in places {
            if tail.is_wanted(at, wanted) {
                rows.push(Self {
                    owner: owners.value(at).to_owned(),
                    rtype: tail.rtype(at)?,
                    bailiwick: bailiwicks.value(at).to_owned(),
                    rdata: rdata.value(at).to_vec(),
                    seen_in: tail.seen_in(at)?,
                    source: tail.source(at),
                    sightings: tail.sightings(at)?,
                });
            }
        }
        Ok(())
    }
}

/// The column [`SPAN`].
pub(super) fn spans(spans: impl Iterator<Item = (Timestamp, Span)>) -> Arc<Int64Array> {
    Arc::new(Int64Array::from_iter_values(
        spans.map(|(start, span)| span.seconds(start)),
    ))
}

/// The span of a row by that column, which is null where minutes were all that there was.
pub(super) fn span(column: &Int64Array, at: usize) -> Result<Span, String> {
    if column.is_null(at) {
        return Ok(Span::Minute);
    }
    let seconds = column.value(at);
    Span::of_seconds(seconds).ok_or_else(|| format!("column `span` has the value `{seconds}`"))
}

pub(super) fn counts(counts: impl Iterator<Item = u64>) -> Arc<Int64Array> {
    let count = |count| i64::try_from(count).unwrap_or(i64::MAX);
    Arc::new(Int64Array::from_iter_values(counts.map(count)))
}

impl Sorted for RdataRow {
    const COLUMNS: &'static [Column] = &[
        column(
            "value",
            Kind::Octets,
            "`n` and a name in the form of `owner`, `4` or `6` and the octets of an address, or `r` and the record's data",
        ),
        RTYPE,
        column(
            "owner",
            Kind::Text,
            "Owner name, labels from the root down, each followed by a dot",
        ),
        column("rdata", Kind::Octets, "Data of the record as on the wire"),
        SEEN,
        SOURCE,
        FIRST,
        LAST,
        COUNT,
    ];
    const ORDER: &'static [&'static str] = &["value", "rtype", "owner", "rdata", "seen_in", "source"];

    fn order(&self, other: &Self) -> Ordering {
        let value = self.value.cmp(&other.value).then(self.rtype.cmp(&other.rtype));
        let data = || self.owner.cmp(&other.owner).then_with(|| self.rdata.cmp(&other.rdata));
        value
            .then_with(data)
            .then(self.seen_in.cmp(&other.seen_in))
            .then_with(|| self.source.cmp(&other.source))
    }

    fn absorb(&mut self, other: Self) {
        self.sightings.absorb(other.sightings);
    }

    fn last(&self) -> i64 {
        self.sightings.last
    }

    fn seen_by(&self) -> Option<&str> {
        Some(&self.source)
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        batch::<Self>(vec![
            octets(rows.iter().map(|row| row.value.as_slice())),
            Arc::new(Int32Array::from_iter_values(
                rows.iter().map(|row| i32::from(row.rtype)),
            )),
            texts(rows.iter().map(|row| row.owner.as_str())),
            octets(rows.iter().map(|row| row.rdata.as_slice())),
            texts(rows.iter().map(|row| row.seen_in.as_str())),
            texts(rows.iter().map(|row| &*row.source)),
            times(rows.iter().map(|row| row.sightings.first)),
            times(rows.iter().map(|row| row.sightings.last)),
            counts(rows.iter().map(|row| row.sightings.count)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, wanted: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (values, owners, rdata) = (
            columns.octets("value")?,
            columns.texts("owner")?,
            columns.octets("rdata")?,
        );
        let mut tail = Tail::of(&columns)?;
        for at in places {
            if tail.is_wanted(at, wanted) {
                rows.push(Self {
                    value: values.value(at).to_vec(),
                    rtype: tail.rtype(at)?,
                    owner: owners.value(at).to_owned(),
                    rdata: rdata.value(at).to_vec(),
                    seen_in: tail.seen_in(at)?,
                    source: tail.source(at),
                    sightings: tail.sightings(at)?,
                });
            }
        }
        Ok(())
    }
}

impl Sorted for NameRow {
    const COLUMNS: &'static [Column] = &[
        column("name", Kind::Text, "A name as it is read, each label followed by a dot"),
        column(
            "place",
            Kind::Text,
            "`owner`: it has records; `target`: records point to it",
        ),
        LAST,
    ];
    const ORDER: &'static [&'static str] = &["name", "place"];

    fn order(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name).then(self.place.cmp(&other.place))
    }

    fn absorb(&mut self, other: Self) {
        self.last = self.last.max(other.last);
    }

    fn last(&self) -> i64 {
        self.last
    }

    fn to_batch(rows: &[Self]) -> RecordBatch {
        let word = |row: &Self| {
            PLACES
                .iter()
                .find(|(place, _)| *place == row.place)
                .map_or("", |(_, word)| *word)
        };
        batch::<Self>(vec![
            texts(rows.iter().map(|row| row.name.as_str())),
            texts(rows.iter().map(word)),
            times(rows.iter().map(|row| row.last)),
        ])
    }

    fn read(batch: &RecordBatch, places: Range<usize>, _: &Wanted, rows: &mut Vec<Self>) -> Result<(), String> {
        let columns = Columns(batch);
        let (names, words) = (columns.texts("name")?, columns.texts("place")?);
        let lasts = columns.times("last")?;
        for at in places {
            rows.push(Self {
                name: names.value(at).to_owned(),
                place: row::word("place", words.value(at), &PLACES)?,
                last: lasts.value(at).div_euclid(1_000_000),
            });
        }
        Ok(())
    }
}

/// The type of a row's number.
pub(crate) fn rtype(number: u16) -> Rtype {
    Rtype::from_int(number)
}
