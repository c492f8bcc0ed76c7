//! What is kept of a sweep so that another run can go on where it ended. A text, not a file: keeping it is the caller's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Name and version of the form.
const FORMAT: &str = "dnscert-sweep-1";

/// How far a sweep has come. Its size is that of what was under way, whatever the number of names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// QTYPE of all its questions, as a mnemonic. A run that asks for another type is another sweep.
    pub rtype: String,
    /// Lines of the names that were read.
    pub lines: u64,
    /// Digest of those lines.
    pub digest: u64,
    /// Numbers of those among them, from 1 and rising, that were not finished.
    pub pending: Vec<u64>,
    /// Lines among them that are no names.
    pub skipped: u64,
    /// Octets of the output that hold the finished ones. What stands after them was finished after this was kept.
    pub output_bytes: u64,
    /// How often each thing came of a question: an RCODE, or an outcome that is no answer.
    pub counts: BTreeMap<String, u64>,
}

/// A text that is no state of a sweep.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is no JSON of this form.
    #[error("it is no state of a sweep")]
    Form(#[from] serde_json::Error),
    /// It is of another version.
    #[error("it has the format `{0}`; this version knows `{FORMAT}`")]
    Format(String),
    /// A value that no sweep leaves.
    #[error("`{field}` has a value that no sweep leaves: {reason}")]
    Value {
        /// Which.
        field: &'static str,
        /// Why not.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: String,
    #[serde(rename = "type")]
    rtype: String,
    lines: u64,
    /// Hexadecimal: JSON readers of others round large numbers.
    digest: String,
    skipped: u64,
    output_bytes: u64,
    counts: BTreeMap<String, u64>,
    pending: Vec<u64>,
}

impl State {
    /// The state as JSON, for [`State::from_json`].
    pub fn to_json(&self) -> String {
        let saved = Saved {
            format: FORMAT.to_owned(),
            rtype: self.rtype.clone(),
            lines: self.lines,
            digest: format!("{:016x}", self.digest),
            skipped: self.skipped,
            output_bytes: self.output_bytes,
            counts: self.counts.clone(),
            pending: self.pending.clone(),
        };
        serde_json::to_string(&saved).expect("numbers and texts make JSON")
    }

    /// Reads what [`State::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, StateError> {
        let saved: Saved = serde_json::from_str(text)?;
        if saved.format != FORMAT {
            return Err(StateError::Format(saved.format));
        }
        let digest = u64::from_str_radix(&saved.digest, 16).map_err(|error| StateError::Value {
            field: "digest",
            reason: error.to_string(),
        })?;
        let wrong = |reason: String| StateError::Value {
            field: "pending",
            reason,
        };
        if let Some(line) = saved.pending.iter().find(|line| **line == 0 || **line > saved.lines) {
            return Err(wrong(format!("line {line} is none of the {} read", saved.lines)));
        }
        if !saved.pending.is_sorted_by(|a, b| a < b) {
            return Err(wrong("the lines do not rise".to_owned()));
        }
        Ok(Self {
            rtype: saved.rtype,
            lines: saved.lines,
            digest,
            pending: saved.pending,
            skipped: saved.skipped,
            output_bytes: saved.output_bytes,
            counts: saved.counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_state_that_was_kept_is_read_as_it_was(
            rtype in "[A-Z]{1,8}",
            pending in proptest::collection::btree_set(1_u64..1_000_000, 0..40),
            more in 0_u64..1_000_000,
            digest: u64,
            numbers: (u32, u64),
            counts in proptest::collection::btree_map("[A-Z]{1,9}", any::<u64>(), 0..6),
        ) {
            let state = State {
                rtype,
                lines: pending.last().copied().unwrap_or(0) + more,
                digest,
                pending: pending.into_iter().collect(),
                skipped: numbers.0.into(),
                output_bytes: numbers.1,
                counts,
            };
            prop_assert_eq!(State::from_json(&state.to_json()).unwrap(), state);
        }

        #[test]
        fn any_text_is_a_state_or_a_clear_error(text in ".{0,200}") {
            prop_assert!(State::from_json(&text).is_err());
        }

        #[test]
        fn a_state_that_was_cut_short_is_an_error(lines: u64, cut in 0_usize..100) {
            let json = State { lines, ..State::default() }.to_json();
            let kept = json.len().saturating_sub(cut + 1);
            prop_assert!(State::from_json(&json[..kept]).is_err());
        }
    }

    #[test]
    fn a_state_that_no_sweep_leaves_is_named() {
        let good = State {
            lines: 9,
            pending: vec![3, 7],
            ..State::default()
        }
        .to_json();
        for (from, to, said) in [
            ("dnscert-sweep-1", "dnscert-sweep-9", "`dnscert-sweep-9`"),
            ("[3,7]", "[3,70]", "line 70 is none of the 9 read"),
            ("[3,7]", "[0]", "line 0 is none of the 9 read"),
            ("[3,7]", "[7,3]", "the lines do not rise"),
            ("0000000000000000", "-", "`digest`"),
        ] {
            let error = State::from_json(&good.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
