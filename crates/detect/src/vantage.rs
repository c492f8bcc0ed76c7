//! Silent vantage points: one that used to speak to the centre has not for a while.
//!
//! It looks at contacts alone, not at what was measured. One that never spoke is not set up yet, and no matter. When many fall
//! silent at once it is one matter, and most likely the centre's own line: a queue of five hundred alerts would hide it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{Detector, Severity, Signal};

/// Key of the matter that many are silent.
pub const MANY: &str = "vantage:silent:many";

/// How the keys of all matters of this detector begin.
pub const KEYS: &str = "vantage:silent";

/// Thresholds of the detector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Silent is who was not heard for so long. Default 15 minutes (chosen by us: three intervals of five minutes). Shorter, and
    /// each restart is an alert; longer, and a region is blind while nobody knows.
    pub after: SignedDuration,
    /// More than so many silent at once are one matter. Default 5 (chosen by us: as many as there are regions).
    pub at_most: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            after: SignedDuration::from_mins(15),
            at_most: 5,
        }
    }
}

/// A vantage point that is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// Code of its region.
    pub region: String,
    /// When it was heard last; `None` before its first contact.
    pub contact: Option<Timestamp>,
}

/// The matters that are open now: a signal for each silent vantage point, or one for many. What is not among them is over.
///
/// `listening` is since when the centre itself listens: while it was down it could hear nobody.
///
/// Arguments of the signals: `vantage_point`, `region`, `since` (RFC 3339), `minutes`; of the one for many: `count`, `since` of
/// the first, `minutes`.
pub fn silent(config: &Config, seen: &[Seen], listening: Timestamp, now: Timestamp) -> Vec<Signal> {
    let mut silent: Vec<(&Seen, Timestamp)> = seen
        .iter()
        .filter_map(|seen| Some((seen, seen.contact?)))
        .filter(|(_, contact)| now.duration_since(listening.max(*contact)) > config.after)
        .collect();
    silent.sort_by_key(|(seen, contact)| (*contact, seen.name.clone()));
    let first = silent.first().map(|(_, contact)| *contact);
    if let Some(since) = first
        && silent.len() > config.at_most
    {
        let args = [("count", silent.len().to_string())];
        return vec![signal(
            MANY.to_owned(),
            "vantages-silent",
            Severity::Page,
            since,
            now,
            args,
        )];
    }
    let one = |(seen, since): (&Seen, Timestamp)| {
        let args = [("vantage_point", seen.name.clone()), ("region", seen.region.clone())];
        let key = format!("{KEYS}:{}", seen.name);
        signal(key, "vantage-silent", Severity::Review, since, now, args)
    };
    silent.into_iter().map(one).collect()
}

fn signal(
    key: String,
    kind: &str,
    severity: Severity,
    since: Timestamp,
    now: Timestamp,
    args: impl IntoIterator<Item = (&'static str, String)>,
) -> Signal {
    let minutes = now.duration_since(since).as_mins();
    let own = args.into_iter().map(|(name, value)| (name.to_owned(), value));
    let mut args: BTreeMap<String, String> = own.collect();
    args.insert("since".to_owned(), since.to_string());
    args.insert("minutes".to_owned(), minutes.to_string());
    Signal {
        detector: Detector::Vantage,
        key,
        severity,
        time: now,
        zones: Vec::new(),
        kind: kind.to_owned(),
        args,
        findings: Vec::new(),
        changes: Vec::new(),
    }
}
