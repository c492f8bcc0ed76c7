//! Answers as objects of the Passive DNS Common Output Format (draft-dulaunoy-dnsop-passive-dns-cof-13), one for each line of
//! a file or an answer.

use model::{Name, SeenIn, rdata_text};
use serde::Serialize;

use super::lookup::{Seen, SeenRecord, SeenRrset, Summary};

/// One answer. Names end with a dot; times are whole seconds since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cof {
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_first: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_last: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_time_first: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_time_last: Option<i64>,
    rrname: String,
    rrtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bailiwick: Option<String>,
    rdata: Rdata,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Rdata {
    All(Vec<String>),
    One(String),
}

/// Where the times of what was seen in zone files stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneTimes {
    /// In `zone_time_*` alone, as DNSDB has it.
    Apart,
    /// In `zone_time_*` and in `time_*`, which the format requires (§3.3).
    Both,
}

/// An answer that can be written in this format.
pub trait ToCof: Seen {
    /// The object.
    fn cof(&self, times: ZoneTimes) -> Cof;
}

impl ToCof for SeenRrset {
    fn cof(&self, times: ZoneTimes) -> Cof {
        let rrset = &self.rrset;
        let rdata = rrset.rdata.iter().map(|rdata| rdata_text(rrset.rtype, rdata)).collect();
        Cof {
            rrname: dotted(&rrset.name),
            rrtype: rrset.rtype.to_string(),
            bailiwick: Some(dotted(&rrset.bailiwick)),
            rdata: Rdata::All(rdata),
            ..times_of(self, times)
        }
    }
}

impl ToCof for SeenRecord {
    fn cof(&self, times: ZoneTimes) -> Cof {
        Cof {
            rrname: dotted(&self.name),
            rrtype: self.rtype.to_string(),
            rdata: Rdata::One(rdata_text(self.rtype, &self.rdata)),
            ..times_of(self, times)
        }
    }
}

fn times_of(seen: &impl Seen, times: ZoneTimes) -> Cof {
    let (seen_in, first, last, count) = seen.seen();
    let (first, last) = (first.as_second(), last.as_second());
    let is_zone = seen_in == SeenIn::ZoneFile;
    let is_time = !is_zone || times == ZoneTimes::Both;
    Cof {
        count,
        time_first: is_time.then_some(first),
        time_last: is_time.then_some(last),
        zone_time_first: is_zone.then_some(first),
        zone_time_last: is_zone.then_some(last),
        rrname: String::new(),
        rrtype: String::new(),
        bailiwick: None,
        rdata: Rdata::All(Vec::new()),
        sources: None,
    }
}

impl Cof {
    /// With who saw it.
    pub fn with_sources(self, sources: &[String]) -> Self {
        Self {
            sources: Some(sources.to_vec()),
            ..self
        }
    }

    /// The object on one line, without its end.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("an object of texts and numbers is JSON")
    }
}

/// A summary as one object on one line, as DNSDB has it.
pub fn summary_line(summary: &Summary) -> String {
    let mut object = serde_json::json!({ "count": summary.count, "num_results": summary.answers });
    let times = [("time", summary.wire), ("zone_time", summary.zone_file)];
    for (kind, (first, last)) in times.into_iter().filter_map(|(kind, times)| Some((kind, times?))) {
        object[format!("{kind}_first")] = first.as_second().into();
        object[format!("{kind}_last")] = last.as_second().into();
    }
    object.to_string()
}

/// A name with its final dot.
pub fn dotted(name: &Name) -> String {
    if name.is_root() {
        ".".to_owned()
    } else {
        format!("{name}.")
    }
}
