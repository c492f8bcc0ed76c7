//! The directory as JSON: `{"format": "dnscert-directory-1", "organisations": [PROFILE, …]}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::import::{BadRow, Entry, Reading};
use super::profile::Profile;

/// The name of the shape. Another shape gets another number.
const FORMAT: &str = "dnscert-directory-1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    format: String,
    organisations: Vec<Value>,
}

#[derive(Serialize)]
struct Output<'a> {
    format: &'static str,
    organisations: &'a [&'a Profile],
}

pub(super) fn write(profiles: &[&Profile]) -> Vec<u8> {
    let output = Output {
        format: FORMAT,
        organisations: profiles,
    };
    let mut bytes = serde_json::to_vec_pretty(&output).expect("profiles have text keys only");
    bytes.push(b'\n');
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let input: Input = match serde_json::from_slice(bytes) {
        Ok(input) => input,
        Err(error) => {
            let line = u64::try_from(error.line()).ok().filter(|line| *line > 0);
            reading.bad.push(BadRow {
                line,
                ..BadRow::whole(error)
            });
            return reading;
        }
    };
    if input.format != FORMAT {
        reading.bad.push(BadRow {
            field: "format".to_owned(),
            ..BadRow::whole(format!("it is not `{FORMAT}`"))
        });
        return reading;
    }
    for (place, value) in input.organisations.into_iter().enumerate() {
        let handle = value
            .get("handle")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        match serde_json::from_value(value) {
            Ok(profile) => reading.entries.push(Entry {
                profile,
                lines: Vec::new(),
            }),
            Err(error) => {
                let field = format!("organisations[{place}]");
                reading.bad.push(BadRow {
                    handle,
                    field,
                    ..BadRow::whole(error)
                });
            }
        }
    }
    reading
}
