//! What came of the questions so far, counted.

use std::collections::BTreeMap;

use domain::base::iana::OptRcode;
use model::Outcome;

/// RCODEs that have a counter of their own: those assigned by IANA (DNS RCODEs, as of November 2026) end at 23.
const RCODES: usize = 24;

/// How often each thing came of a question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    answers: [u64; RCODES],
    /// Answers with an RCODE that nobody has assigned.
    unassigned: u64,
    failures: [u64; 4],
}

const FAILURES: [Outcome; 4] = [
    Outcome::Timeout,
    Outcome::Refused,
    Outcome::Garbage,
    Outcome::Unreachable,
];

/// The word under which unassigned RCODEs are counted.
const UNASSIGNED: &str = "RCODE";

impl Counts {
    /// Counts what came of one question; `rcode` only with an answer.
    pub fn add(&mut self, outcome: Outcome, rcode: Option<OptRcode>) {
        self.add_many(outcome, rcode, 1);
    }

    fn add_many(&mut self, outcome: Outcome, rcode: Option<OptRcode>, count: u64) {
        let counter = match FAILURES.iter().position(|failure| *failure == outcome) {
            Some(at) => &mut self.failures[at],
            None => {
                let rcode = rcode.map_or(usize::MAX, |rcode| usize::from(rcode.to_int()));
                self.answers.get_mut(rcode).unwrap_or(&mut self.unassigned)
            }
        };
        *counter += count;
    }

    /// Questions of which anything came.
    pub fn done(&self) -> u64 {
        self.answered() + self.failures.iter().sum::<u64>()
    }

    /// Questions that were answered.
    pub fn answered(&self) -> u64 {
        self.answers.iter().sum::<u64>() + self.unassigned
    }

    /// The counts that are not zero by their words: `NOERROR`, `timeout`.
    pub fn by_word(&self) -> BTreeMap<String, u64> {
        let answers = (0_u16..).zip(&self.answers);
        let answers = answers.map(|(rcode, count)| (word(OptRcode::masked_from_int(rcode)), *count));
        let failures = FAILURES.iter().zip(&self.failures);
        let failures = failures.map(|(outcome, count)| (outcome.as_str().to_owned(), *count));
        let unassigned = [(UNASSIGNED.to_owned(), self.unassigned)];
        let all = answers.chain(failures).chain(unassigned);
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Reads what [`Counts::by_word`] gives. `None` when a word is none of its.
    pub fn from_words(words: &BTreeMap<String, u64>) -> Option<Self> {
        let mut counts = Self::default();
        for (text, count) in words {
            if let Some(outcome) = FAILURES.iter().find(|outcome| outcome.as_str() == text) {
                counts.add_many(*outcome, None, *count);
            } else if text == UNASSIGNED {
                counts.unassigned += count;
            } else {
                let rcode = (0..RCODES as u16).map(OptRcode::masked_from_int);
                let rcode = rcode.into_iter().find(|rcode| word(*rcode) == *text)?;
                counts.add_many(Outcome::Answer, Some(rcode), *count);
            }
        }
        Some(counts)
    }
}

/// An RCODE as it is written: `NOERROR`, and `RCODE15` where it has no mnemonic.
pub(crate) fn word(rcode: OptRcode) -> String {
    match rcode.to_mnemonic_str() {
        Some(mnemonic) => mnemonic.to_ascii_uppercase(),
        None => format!("RCODE{}", rcode.to_int()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_again_as_they_were_written() {
        let mut counts = Counts::default();
        for rcode in [0, 0, 3, 15, 23, 24, 4000] {
            counts.add(Outcome::Answer, Some(OptRcode::masked_from_int(rcode)));
        }
        for outcome in FAILURES {
            counts.add(outcome, None);
        }
        assert_eq!((counts.done(), counts.answered()), (11, 7));
        let words = counts.by_word();
        assert_eq!((words["NOERROR"], words["NXDOMAIN"], words["timeout"]), (2, 1, 1));
        assert_eq!(words["RCODE"], 2, "24 and 4000");
        assert_eq!(Counts::from_words(&words), Some(counts));
        assert_eq!(Counts::from_words(&BTreeMap::from([("NONE".to_owned(), 1)])), None);
    }
}
