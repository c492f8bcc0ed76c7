//! How our values stand in columns: times as microseconds, ids and names as text, structures as JSON text.
//!
//! What comes back from a column and is not what we put there is [`Error::Inconsistent`], with the row it came from.

use std::fmt::Display;
use std::str::FromStr;

use model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Cuts a time to what a column keeps.
pub(crate) fn whole_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).expect("the microseconds of a time are a time")
}

/// Reads a time.
pub(crate) fn time(table: &'static str, row: impl Display, at_us: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(at_us).map_err(|error| damaged(table, row, error))
}

/// Reads a time that may be missing.
pub(crate) fn time_opt(table: &'static str, row: impl Display, at_us: Option<i64>) -> Result<Option<Timestamp>, Error> {
    at_us.map(|at_us| time(table, row, at_us)).transpose()
}

/// Reads an id, a name, a word of an enumeration: all that has a text form.
pub(crate) fn parse<T: FromStr<Err: Display>>(table: &'static str, row: impl Display, text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| damaged(table, row, error))
}

/// Reads such a text that may be missing.
pub(crate) fn parse_opt<T: FromStr<Err: Display>>(
    table: &'static str,
    row: impl Display,
    text: Option<&str>,
) -> Result<Option<T>, Error> {
    text.map(|text| parse(table, row, text)).transpose()
}

/// Reads a structure.
pub(crate) fn json<T: DeserializeOwned>(table: &'static str, row: impl Display, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| damaged(table, row, error))
}

/// Writes a structure. Our structures have text keys and no custom failing parts.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our structures can be written as JSON")
}

/// The word of a unit enumeration as serde writes it: `duty_officer`.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("a unit variant is written as a string, not as {other:?}"),
    }
}

/// Reads such a word.
pub(crate) fn from_word<T: DeserializeOwned>(table: &'static str, row: impl Display, text: &str) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| damaged(table, row, error))
}

/// The error for a row that breaks our rules.
pub(crate) fn damaged(table: &'static str, row: impl Display, reason: impl Display) -> Error {
    Error::Inconsistent {
        table,
        row: row.to_string(),
        reason: reason.to_string(),
    }
}
