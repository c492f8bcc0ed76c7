//! Reads RSSAC002 files: what root server operators measure themselves and publish each day, as YAML.
//!
//! Read are versions 2 to 5 ("RSSAC Advisory on Measurements of the Root Server System"), one metric in each document, several
//! documents in a file where an operator writes them so. Keys that are not in the advisory are passed over, as it allows
//! operators to add their own; values that are empty or no number count as not given. What is no RSSAC002 file is an error
//! that names the line.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::Name;
use saphyr_parser::{Event, Parser};
use serde::Serialize;

/// Largest file that is read, in octets. Chosen by us: real ones have up to 10 KB.
pub const MOST_BYTES: usize = 1 << 20;

/// One metric of one service on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Daily {
    /// Version of the advisory; `None` in files from before it was written.
    pub version: Option<u8>,
    /// The service: `a.root-servers.net`.
    pub service: Name,
    /// The day, in UTC: periods begin at midnight and last 24 hours.
    pub day: Date,
    /// The figures.
    pub metric: Metric,
}

/// The figures of one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "metric", rename_all = "kebab-case")]
pub enum Metric {
    /// Seconds from the publication of a zone until 95 % of the instances serve it, by serial.
    LoadTime {
        /// By serial; `None` where the operator could not tell.
        seconds: BTreeMap<u32, Option<u64>>,
    },
    /// Size of the root zone in octets, by serial; since version 3 the root zone maintainer alone tells it.
    ZoneSize {
        /// By serial.
        bytes: BTreeMap<u32, Option<u64>>,
    },
    /// Questions that came and answers that were sent.
    TrafficVolume(TrafficVolume),
    /// Messages by size.
    TrafficSizes(TrafficSizes),
    /// Answers sent, by RCODE (IANA RCODEs).
    RcodeVolume {
        /// By RCODE.
        answers: BTreeMap<u16, u64>,
    },
    /// Distinct sources of questions.
    UniqueSources {
        /// IPv4 addresses.
        ipv4: Option<u64>,
        /// IPv6 addresses.
        ipv6: Option<u64>,
        /// IPv6 networks (/64).
        ipv6_aggregate: Option<u64>,
    },
}

/// Questions that came and answers that were sent, by transport and family; `None` where not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TrafficVolume {
    /// Questions over UDP and IPv4.
    pub udp_queries_ipv4: Option<u64>,
    /// Questions over UDP and IPv6.
    pub udp_queries_ipv6: Option<u64>,
    /// Questions over TCP and IPv4.
    pub tcp_queries_ipv4: Option<u64>,
    /// Questions over TCP and IPv6.
    pub tcp_queries_ipv6: Option<u64>,
    /// Answers over UDP and IPv4.
    pub udp_responses_ipv4: Option<u64>,
    /// Answers over UDP and IPv6.
    pub udp_responses_ipv6: Option<u64>,
    /// Answers over TCP and IPv4.
    pub tcp_responses_ipv4: Option<u64>,
    /// Answers over TCP and IPv6.
    pub tcp_responses_ipv6: Option<u64>,
}

/// Messages by size in octets: first and last size of each range (16 octets wide in the advisory), with no last one where
/// the range is open.
pub type Sizes = BTreeMap<(u32, Option<u32>), u64>;

/// Messages by size.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrafficSizes {
    /// Questions over UDP.
    #[serde(serialize_with = "as_pairs")]
    pub udp_requests: Sizes,
    /// Answers over UDP.
    #[serde(serialize_with = "as_pairs")]
    pub udp_responses: Sizes,
    /// Questions over TCP.
    #[serde(serialize_with = "as_pairs")]
    pub tcp_requests: Sizes,
    /// Answers over TCP.
    #[serde(serialize_with = "as_pairs")]
    pub tcp_responses: Sizes,
}

fn as_pairs<S: serde::Serializer>(sizes: &Sizes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(sizes)
}

impl Metric {
    /// Its name in the advisory.
    pub fn as_str(&self) -> &'static str {
        match self {
            Metric::LoadTime { .. } => "load-time",
            Metric::ZoneSize { .. } => "zone-size",
            Metric::TrafficVolume(_) => "traffic-volume",
            Metric::TrafficSizes(_) => "traffic-sizes",
            Metric::RcodeVolume { .. } => "rcode-volume",
            Metric::UniqueSources { .. } => "unique-sources",
        }
    }

    /// Its figures, each with the key that the advisory has for it: by serial, by RCODE, or with the range of sizes behind the key.
    /// What was not told is left out, but for serials, of which it says that the operator could not tell.
    pub fn parts(&self) -> Vec<(String, Option<u64>)> {
        match self {
            Metric::LoadTime { seconds: values } | Metric::ZoneSize { bytes: values } => values
                .iter()
                .map(|(serial, value)| (serial.to_string(), *value))
                .collect(),
            Metric::TrafficVolume(volume) => told(&[
                ("dns-udp-queries-received-ipv4", volume.udp_queries_ipv4),
                ("dns-udp-queries-received-ipv6", volume.udp_queries_ipv6),
                ("dns-tcp-queries-received-ipv4", volume.tcp_queries_ipv4),
                ("dns-tcp-queries-received-ipv6", volume.tcp_queries_ipv6),
                ("dns-udp-responses-sent-ipv4", volume.udp_responses_ipv4),
                ("dns-udp-responses-sent-ipv6", volume.udp_responses_ipv6),
                ("dns-tcp-responses-sent-ipv4", volume.tcp_responses_ipv4),
                ("dns-tcp-responses-sent-ipv6", volume.tcp_responses_ipv6),
            ]),
            Metric::TrafficSizes(sizes) => [
                ("udp-request-sizes", &sizes.udp_requests),
                ("udp-response-sizes", &sizes.udp_responses),
                ("tcp-request-sizes", &sizes.tcp_requests),
                ("tcp-response-sizes", &sizes.tcp_responses),
            ]
            .into_iter()
            .flat_map(|(key, sizes)| {
                sizes.iter().map(move |((first, last), count)| {
                    let last = last.map_or_else(String::new, |last| last.to_string());
                    (format!("{key} {first}-{last}"), Some(*count))
                })
            })
            .collect(),
            Metric::RcodeVolume { answers } => {
                let parts = answers.iter().map(|(rcode, count)| (rcode.to_string(), Some(*count)));
                parts.collect()
            }
            Metric::UniqueSources {
                ipv4,
                ipv6,
                ipv6_aggregate,
            } => told(&[
                ("num-sources-ipv4", *ipv4),
                ("num-sources-ipv6", *ipv6),
                ("num-sources-ipv6-aggregate", *ipv6_aggregate),
            ]),
        }
    }
}

fn told(parts: &[(&str, Option<u64>)]) -> Vec<(String, Option<u64>)> {
    let told = parts.iter().filter(|(_, value)| value.is_some());
    told.map(|(key, value)| ((*key).to_owned(), *value)).collect()
}

/// Why a file is no RSSAC002 file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is larger than such files are.
    #[error("the file has {0} octets, more than {MOST_BYTES}")]
    TooLarge(usize),
    /// It is no YAML of the form that is due: keys with values, or with one more level of keys.
    #[error("line {line}: {reason}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A key is missing or its value makes no sense.
    #[error("document {document}: `{key}` {reason}")]
    Key {
        /// Which document of the file, from 1.
        document: usize,
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nothing in it.
    #[error("the file holds no document")]
    Empty,
}

/// Reads a file: all of its documents, or an error.
pub fn read(text: &str) -> Result<Vec<Daily>, Error> {
    if text.len() > MOST_BYTES {
        return Err(Error::TooLarge(text.len()));
    }
    let documents = documents(text)?;
    if documents.is_empty() {
        return Err(Error::Empty);
    }
    documents
        .iter()
        .enumerate()
        .map(|(at, document)| daily(at + 1, document))
        .collect()
}

/// A value: text, or keys with texts.
enum Value {
    Text(String),
    Map(BTreeMap<String, String>),
}

type Document = BTreeMap<String, Value>;

/// The documents of a file. Anchors and deeper nesting are no part of the form, so a small file stays small.
fn documents(text: &str) -> Result<Vec<Document>, Error> {
    let mut documents = Vec::new();
    let mut document = Document::new();
    // keys that wait for their values: of the document, and of the map in it
    let (mut outer, mut inner): (Option<String>, Option<String>) = (None, None);
    let mut map: Option<BTreeMap<String, String>> = None;
    let mut depth = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Error::Form {
            line: error.marker().line(),
            reason: error.info().to_owned(),
        })?;
        let wrong = |reason: &str| Error::Form {
            line: span.start.line(),
            reason: reason.to_owned(),
        };
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
            Event::DocumentStart(_) => document = Document::new(),
            Event::DocumentEnd => {
                if !document.is_empty() {
                    documents.push(std::mem::take(&mut document));
                }
            }
            Event::MappingStart(..) => match (depth, &outer) {
                (0, _) => depth = 1,
                (1, Some(_)) => (depth, map) = (2, Some(BTreeMap::new())),
                _ => return Err(wrong("keys within keys within keys")),
            },
            Event::MappingEnd => {
                depth -= 1;
                if let (Some(key), Some(map)) = (outer.take(), map.take()) {
                    document.insert(key, Value::Map(map));
                }
            }
            Event::Scalar(text, ..) => {
                let text = text.trim().to_owned();
                match (depth, &mut map) {
                    (1, _) => match outer.take() {
                        None => outer = Some(text),
                        Some(key) => drop(document.insert(key, Value::Text(text))),
                    },
                    (2, Some(map)) => match inner.take() {
                        None => inner = Some(text),
                        Some(key) => drop(map.insert(key, text)),
                    },
                    // a document that is an empty text: a file that ends with `---`
                    _ if text.is_empty() || text == "~" => {}
                    _ => return Err(wrong("a value without a key")),
                }
            }
            Event::SequenceStart(..) | Event::SequenceEnd => return Err(wrong("a list")),
            Event::Alias(_) => return Err(wrong("an alias")),
        }
    }
    Ok(documents)
}

fn daily(number: usize, document: &Document) -> Result<Daily, Error> {
    let wrong = |key, reason: &str| Error::Key {
        document: number,
        key,
        reason: reason.to_owned(),
    };
    let text = |key: &'static str| match document.get(key) {
        Some(Value::Text(text)) if !text.is_empty() => Ok(text.as_str()),
        Some(_) => Err(wrong(key, "has no text")),
        None => Err(wrong(key, "is missing")),
    };
    let version = match document.get("version") {
        None => None,
        Some(Value::Text(text)) => {
            let known = text
                .strip_prefix("rssac002v")
                .and_then(|digits| digits.parse().ok())
                .filter(|version| (2..=5).contains(version));
            Some(known.ok_or_else(|| wrong("version", &format!("is `{text}`, not rssac002v2 to rssac002v5")))?)
        }
        Some(Value::Map(_)) => return Err(wrong("version", "has no text")),
    };
    let service = text("service")?;
    let service = service
        .parse()
        .map_err(|_| wrong("service", &format!("is `{service}`, which is no name")))?;
    let start = text("start-period")?;
    let day = day(start).ok_or_else(|| wrong("start-period", &format!("is `{start}`, which is no day")))?;
    Ok(Daily {
        version,
        service,
        day,
        metric: metric(text("metric")?, document, wrong)?,
    })
}

/// The day of a start, which some write as a day and some as a moment.
fn day(start: &str) -> Option<Date> {
    let moment = start.parse::<Timestamp>().ok();
    moment
        .map(|moment| moment.to_zoned(TimeZone::UTC).date())
        .or_else(|| start.parse().ok())
}

fn metric(word: &str, document: &Document, wrong: impl Fn(&'static str, &str) -> Error) -> Result<Metric, Error> {
    let number = |key: &str| match document.get(key) {
        Some(Value::Text(text)) => text.parse::<u64>().ok(),
        _ => None,
    };
    let map = |key: &str| match document.get(key) {
        Some(Value::Map(map)) => Some(map),
        _ => None,
    };
    let by_serial = |key: &'static str| {
        let map = map(key).ok_or_else(|| wrong(key, "has no values"))?;
        let pairs = map
            .iter()
            .filter_map(|(serial, value)| Some((serial.parse().ok()?, value.parse().ok())));
        Ok(pairs.collect())
    };
    Ok(match word {
        "load-time" => Metric::LoadTime {
            seconds: by_serial("time")?,
        },
        "zone-size" => Metric::ZoneSize {
            bytes: by_serial("size")?,
        },
        "traffic-volume" => Metric::TrafficVolume(TrafficVolume {
            udp_queries_ipv4: number("dns-udp-queries-received-ipv4"),
            udp_queries_ipv6: number("dns-udp-queries-received-ipv6"),
            tcp_queries_ipv4: number("dns-tcp-queries-received-ipv4"),
            tcp_queries_ipv6: number("dns-tcp-queries-received-ipv6"),
            udp_responses_ipv4: number("dns-udp-responses-sent-ipv4"),
            udp_responses_ipv6: number("dns-udp-responses-sent-ipv6"),
            tcp_responses_ipv4: number("dns-tcp-responses-sent-ipv4"),
            tcp_responses_ipv6: number("dns-tcp-responses-sent-ipv6"),
        }),
        "traffic-sizes" => Metric::TrafficSizes(TrafficSizes {
            udp_requests: sizes(map("udp-request-sizes")),
            udp_responses: sizes(map("udp-response-sizes")),
            tcp_requests: sizes(map("tcp-request-sizes")),
            tcp_responses: sizes(map("tcp-response-sizes")),
        }),
        "rcode-volume" => Metric::RcodeVolume {
            answers: rcodes(document),
        },
        "unique-sources" => Metric::UniqueSources {
            ipv4: number("num-sources-ipv4"),
            ipv6: number("num-sources-ipv6"),
            ipv6_aggregate: number("num-sources-ipv6-aggregate"),
        },
        other => return Err(wrong("metric", &format!("is `{other}`, which is not in the advisory"))),
    })
}

/// Ranges of the form `16-31`, or `288-` where open.
fn sizes(map: Option<&BTreeMap<String, String>>) -> Sizes {
    let range = |(range, count): (&String, &String)| {
        let (first, last) = range.split_once('-')?;
        let last = match last.trim() {
            "" => None,
            last => Some(last.parse().ok()?),
        };
        Some(((first.trim().parse().ok()?, last), count.parse().ok()?))
    };
    map.into_iter().flatten().filter_map(range).collect()
}

/// The RCODEs stand beside the other keys; some operators put them below a key `rcodes`.
fn rcodes(document: &Document) -> BTreeMap<u16, u64> {
    let pair = |rcode: &str, count: &str| Some((rcode.parse::<u16>().ok()?, count.parse::<u64>().ok()?));
    let mut answers = BTreeMap::new();
    for (key, value) in document {
        match value {
            Value::Text(text) => answers.extend(pair(key, text)),
            Value::Map(map) if key == "rcodes" => {
                answers.extend(map.iter().filter_map(|(rcode, count)| pair(rcode, count)));
            }
            Value::Map(_) => {}
        }
    }
    answers
}
