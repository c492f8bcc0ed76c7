//! Sealed parts: samples of one vantage point as one Parquet file, known by the SHA-256 of its octets.
//!
//! A vantage point seals what it measured and hands it over; here it is opened, looked at and taken in once, however
//! often it comes. It comes from outside, so nothing of it is believed: `pages` walks its structure before the Parquet
//! decoder sees it. The pages are not compressed, for what unfolds to many times its size is a bomb; dictionaries make a
//! part small enough (some 25 octets for each sample).
//!
//! What a sensor hands over is of another form: module `observed`.

pub(crate) mod ledger;
pub mod observed;
mod pages;
pub(crate) mod quarantine;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use model::Sample;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::row::{self, Row};

/// Largest dictionary of a column in octets. With batches of [`BATCH_ROWS`] it bounds what a part can unfold to in memory.
const DICTIONARY_BYTES: usize = 1 << 16;

/// Rows that are decoded at a time: a hostile dictionary with one long text unfolds to 64 MiB at most.
const BATCH_ROWS: usize = 512;

/// The SHA-256 of a part's octets; in text 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartId([u8; 32]);

impl PartId {
    /// The id of these octets.
    pub fn of(octets: &[u8]) -> Self {
        Self(Sha256::digest(octets).into())
    }

    pub(crate) fn octets(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no id of a part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 of 64 hexadecimal digits in lower case")]
pub struct PartIdError(String);

impl FromStr for PartId {
    type Err = PartIdError;

    fn from_str(text: &str) -> Result<Self, PartIdError> {
        let wrong = || PartIdError(text.chars().take(80).collect());
        let is_hex = |octet: &u8| octet.is_ascii_digit() || (b'a'..=b'f').contains(octet);
        if text.len() != 64 || !text.as_bytes().iter().all(is_hex) {
            return Err(wrong());
        }
        let mut octets = [0; 32];
        for (place, octet) in octets.iter_mut().enumerate() {
            *octet = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(octets))
    }
}

impl Serialize for PartId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What a part may be at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Octets. Default 2 MiB. A vantage point seals smaller ones.
    pub bytes: usize,
    /// Samples. Default 50,000.
    pub rows: usize,
    /// How long ago a sample may have been taken. Default a week: what waited longer in a spool tells nothing that anybody acts
    /// on. What the ledger remembers must reach further back, or a part could be taken twice.
    pub oldest: SignedDuration,
    /// How far ahead of the centre's clock a sample may lie. Default 5 minutes: a vantage point whose clock is worse spoils
    /// every figure that compares it with others.
    pub ahead: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 2 << 20,
            rows: 50_000,
            oldest: SignedDuration::from_hours(7 * 24),
            ahead: SignedDuration::from_mins(5),
        }
    }
}

/// Why a part is not taken. It goes to quarantine, and the vantage point is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its octets are not those of its name.
    #[error("its SHA-256 is {0}, not what it is called")]
    Hash(PartId),
    /// It is larger than a part may be.
    #[error("it has {found} {what}, more than {most}")]
    TooLarge {
        /// `octets`, `samples` or `rows`.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// It is no Parquet file, or not one of the form that parts have.
    #[error("it is no part: {0}")]
    Form(String),
    /// It has no rows.
    #[error("it holds no row")]
    Empty,
    /// A value is none that a row can have.
    #[error("a row in it cannot be read: {0}")]
    Value(String),
    /// A row is not of the vantage point that hands it over.
    #[error("a row in it is of vantage point `{found}`, not of `{expected}`")]
    Foreign {
        /// Whose it says it is.
        found: String,
        /// Who handed it over.
        expected: String,
    },
    /// A row is of too long ago, or of the future.
    #[error("a row in it is of {time}, which is {when}")]
    Time {
        /// Of when it says it is.
        time: Timestamp,
        /// `too long ago` or `in the future`.
        when: &'static str,
    },
}

/// Seals samples into a part: its id and its octets. Samples whose times have no place in the tables are left out.
pub fn seal(samples: &[Sample]) -> Result<(PartId, Vec<u8>), Error> {
    let rows: Vec<Sample> = samples.iter().filter_map(|sample| sample.clone().kept()).collect();
    let encode = |source| Error::Encode {
        table: Sample::TABLE,
        source,
    };
    let options = ArrowWriterOptions::new()
        .with_properties(properties())
        .with_skip_arrow_metadata(true);
    let mut octets = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut octets, Sample::arrow_schema(), options).map_err(encode)?;
    writer.write(&Sample::to_batch(&rows)).map_err(encode)?;
    writer.close().map_err(encode)?;
    Ok((PartId::of(&octets), octets))
}

fn properties() -> WriterProperties {
    let time = || ColumnPath::from("time");
    WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES / 2)
        .set_column_dictionary_enabled(time(), false)
        .set_column_encoding(time(), Encoding::DELTA_BINARY_PACKED)
        .build()
}

/// Opens a part. Never panics and never takes much more memory than the part has octets, whatever the octets are.
pub fn open(octets: &[u8], limits: &Limits) -> Result<Vec<Sample>, Refusal> {
    if octets.len() > limits.bytes {
        return Err(Refusal::TooLarge {
            what: "octets",
            found: octets.len(),
            most: limits.bytes,
        });
    }
    pages::check_footer(octets).map_err(Refusal::Form)?;
    // the decoder is not ours and its input is whatever came
    let opened = catch_unwind(AssertUnwindSafe(|| decode(octets, limits)));
    let samples = opened.unwrap_or_else(|_| Err(Refusal::Form("the decoder broke on it".to_owned())))?;
    if samples.is_empty() {
        return Err(Refusal::Empty);
    }
    Ok(samples)
}

fn decode(octets: &[u8], limits: &Limits) -> Result<Vec<Sample>, Refusal> {
    let form = |error: parquet::errors::ParquetError| Refusal::Form(error.to_string());
    let file = Bytes::copy_from_slice(octets);
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options).map_err(form)?;
    let rows = usize::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(usize::MAX);
    if rows > limits.rows {
        return Err(Refusal::TooLarge {
            what: "samples",
            found: rows,
            most: limits.rows,
        });
    }
    check_columns(&metadata)?;
    pages::check(octets, metadata.metadata(), DICTIONARY_BYTES).map_err(Refusal::Form)?;
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(form)?;
    let mut samples = Vec::with_capacity(rows);
    for batch in reader {
        let batch = batch.map_err(|error| Refusal::Form(error.to_string()))?;
        let batch = row::complete(Sample::COLUMNS, &batch, None).map_err(Refusal::Form)?;
        for sample in Sample::from_batch(&batch).map_err(Refusal::Value)? {
            samples.extend(sample.kept());
        }
    }
    Ok(samples)
}

/// The columns must be those of some version of the table, with their types.
fn check_columns(metadata: &ArrowReaderMetadata) -> Result<(), Refusal> {
    let found = metadata.schema().fields();
    let is_version = |version: u32| {
        let columns = Sample::COLUMNS.iter().filter(|column| column.since <= version);
        let expected = Sample::arrow_schema();
        let fields: Vec<_> = columns
            .filter_map(|column| expected.field_with_name(column.name).ok())
            .collect();
        let is_same = |(ours, theirs): (&&arrow::datatypes::Field, &Arc<arrow::datatypes::Field>)| {
            ours.name() == theirs.name()
                && ours.data_type() == theirs.data_type()
                && ours.is_nullable() == theirs.is_nullable()
        };
        fields.len() == found.len() && fields.iter().zip(found.iter()).all(is_same)
    };
    if (1..=Sample::SCHEMA_VERSION).any(is_version) {
        return Ok(());
    }
    Err(Refusal::Form(
        "its columns are those of no version of the table `sample`".to_owned(),
    ))
}

/// Whether all samples are of vantage point `probe`, and were taken when a vantage point may have taken them.
pub fn check(samples: &[Sample], probe: &str, now: Timestamp, limits: &Limits) -> Result<(), Refusal> {
    for sample in samples {
        if sample.probe != probe {
            return Err(Refusal::Foreign {
                found: sample.probe.chars().take(64).collect(),
                expected: probe.to_owned(),
            });
        }
        check_time(sample.time, now, limits)?;
    }
    Ok(())
}

/// Whether a moment is one of which a vantage point may tell now.
fn check_time(time: Timestamp, now: Timestamp, limits: &Limits) -> Result<(), Refusal> {
    let age = now.duration_since(time);
    let when = match () {
        () if age > limits.oldest => "too long ago",
        () if -age > limits.ahead => "in the future",
        () => return Ok(()),
    };
    Err(Refusal::Time { time, when })
}
