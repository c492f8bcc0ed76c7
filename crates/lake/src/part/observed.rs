//! Sealed parts of a sensor: what it observed in a while, as lines of JSON in one Zstandard frame, known by the SHA-256 of its octets.
//!
//! The first line is another in each part, so that two windows in which the same happened are two parts. Each further line is a row.
//! Nothing in it says whose it is: that is known of the one who hands it over. It comes from outside: what it unfolds to is bounded, a line is read at a time, and a row is taken only if a
//! sensor can have seen it.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::{
    ClientCell, DistinctCell, MalformedMessage, Name, OutOfBailiwick, OutReason, PassiveRrset, SeenIn, Sketch, Span,
    TrafficCell,
};
use serde::{Deserialize, Serialize, Serializer};
use zstd::stream::{Decoder, Encoder};

use super::{Limits, PartId, Refusal};
use crate::error::Error;
use crate::passive::Brought;

/// The form of these parts. One of a later form is refused.
const VERSION: u32 = 1;

/// Octets of lines from which on another part is begun. With the longest row, an RRset of 64 KiB in hexadecimal digits, a part stays
/// below the 2 MiB that it may have even where nothing of it can be compressed.
const PART_BYTES: usize = 3 << 19;

/// Rows from which on another part is begun.
const PART_ROWS: usize = 20_000;

/// How hard is compressed: 3 is the default of Zstandard; higher takes a sensor's time for a few percent.
const LEVEL: i32 = 3;

/// Memory that a frame may ask for: 8 MiB as a power of two, which a frame of 2 MiB never needs.
const WINDOW_LOG: u32 = 23;

/// Highest count of a row: more than a line of 1 Tbit/s carries in an hour, and far from where sums run over.
const MOST: u64 = 1 << 42;

/// Longest word in a row that is not a name, in octets.
const LONGEST_WORD: usize = 200;

/// A part that is ready to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its id.
    pub id: PartId,
    /// Its octets.
    pub octets: Vec<u8>,
    /// Its rows.
    pub rows: usize,
    /// Time of the newest of them.
    pub newest: Timestamp,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    /// A word that no other window has, and the part's number among those of the window.
    window: String,
    number: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Rrset(RrsetLine),
    Evidence(EvidenceLine),
    Traffic(TrafficCell),
    Distinct(DistinctLine),
    Client(ClientCell),
    Malformed(MalformedLine),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RrsetLine {
    name: Name,
    rtype: u16,
    bailiwick: Name,
    rdata: Vec<Hex>,
    first: Timestamp,
    last: Timestamp,
    count: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceLine {
    server: IpAddr,
    zone: Option<Name>,
    reason: OutReason,
    question: Name,
    name: Name,
    rtype: u16,
    rdata: Vec<Hex>,
    first: Timestamp,
    last: Timestamp,
    count: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DistinctLine {
    minute: Timestamp,
    server: Option<IpAddr>,
    clients: Hex,
    names: Hex,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MalformedLine {
    time: Timestamp,
    input: String,
    number: u64,
    reason: String,
    octets: Hex,
}

/// Octets in hexadecimal digits.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        hex::decode(text).map(Self)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

fn hexes(rdata: Vec<Vec<u8>>) -> Vec<Hex> {
    rdata.into_iter().map(Hex).collect()
}

fn lines(brought: Brought) -> impl Iterator<Item = Line> {
    let rrset = |rrset: PassiveRrset| {
        Line::Rrset(RrsetLine {
            name: rrset.name,
            rtype: rrset.rtype.to_int(),
            bailiwick: rrset.bailiwick,
            rdata: hexes(rrset.rdata),
            first: rrset.first,
            last: rrset.last,
            count: rrset.count,
        })
    };
    let evidence = |piece: OutOfBailiwick| {
        Line::Evidence(EvidenceLine {
            server: piece.server,
            zone: piece.zone,
            reason: piece.reason,
            question: piece.question,
            name: piece.name,
            rtype: piece.rtype.to_int(),
            rdata: hexes(piece.rdata),
            first: piece.first,
            last: piece.last,
            count: piece.count,
        })
    };
    let distinct = |cell: DistinctCell| {
        Line::Distinct(DistinctLine {
            minute: cell.minute,
            server: cell.server,
            clients: Hex(cell.clients.to_octets()),
            names: Hex(cell.names.to_octets()),
        })
    };
    let malformed = |message: MalformedMessage| {
        Line::Malformed(MalformedLine {
            time: message.time,
            input: message.input,
            number: message.number,
            reason: message.reason,
            octets: Hex(message.octets),
        })
    };
    let seen = brought.rrsets.into_iter().map(rrset);
    seen.chain(brought.evidence.into_iter().map(evidence))
        .chain(brought.traffic.into_iter().map(Line::Traffic))
        .chain(brought.distincts.into_iter().map(distinct))
        .chain(brought.clients.into_iter().map(Line::Client))
        .chain(brought.malformed.into_iter().map(malformed))
}

impl Line {
    /// The earliest and the latest moment that it tells of.
    fn times(&self) -> (Timestamp, Timestamp) {
        match self {
            Self::Rrset(RrsetLine { first, last, .. }) | Self::Evidence(EvidenceLine { first, last, .. }) => {
                (*first, *last)
            }
            Self::Traffic(TrafficCell { minute: time, .. })
            | Self::Distinct(DistinctLine { minute: time, .. })
            | Self::Client(ClientCell { minute: time, .. })
            | Self::Malformed(MalformedLine { time, .. }) => (*time, *time),
        }
    }

    fn add_to(self, brought: &mut Brought) -> Result<(), &'static str> {
        match self {
            Self::Rrset(line) => {
                if !line.name.is_at_or_below(&line.bailiwick) {
                    return Err("an RRset lies outside of its bailiwick");
                }
                let rdata = rdata(line.rdata, line.count)?;
                brought.rrsets.push(PassiveRrset {
                    name: line.name,
                    rtype: Rtype::from_int(line.rtype),
                    bailiwick: line.bailiwick,
                    rdata,
                    seen_in: SeenIn::Wire,
                    first: line.first,
                    last: line.last,
                    count: line.count,
                });
            }
            Self::Evidence(line) => {
                let rdata = rdata(line.rdata, line.count)?;
                brought.evidence.push(OutOfBailiwick {
                    server: line.server,
                    zone: line.zone,
                    reason: line.reason,
                    question: line.question,
                    name: line.name,
                    rtype: Rtype::from_int(line.rtype),
                    rdata,
                    first: line.first,
                    last: line.last,
                    count: line.count,
                });
            }
            Self::Traffic(cell) => {
                let counts = &cell.counts;
                let sums = [
                    counts.queries,
                    counts.matched,
                    counts.duplicates,
                    counts.wrong_id,
                    counts.wrong_port,
                    counts.no_query,
                    counts.query_octets,
                    counts.response_octets,
                    counts.delay_us,
                ];
                if sums.iter().any(|sum| *sum > MOST) || !is_minute(cell.minute) || cell.span != Span::Minute {
                    return Err("figures of traffic are not possible");
                }
                brought.traffic.push(cell);
            }
            Self::Distinct(line) => {
                let sketch = |hex: Hex| Sketch::from_octets(&hex.0).map_err(|_| "a sketch is not possible");
                if !is_minute(line.minute) {
                    return Err("a minute does not begin at its beginning");
                }
                brought.distincts.push(DistinctCell {
                    minute: line.minute,
                    span: Span::Minute,
                    server: line.server,
                    clients: sketch(line.clients)?,
                    names: sketch(line.names)?,
                });
            }
            Self::Client(cell) => {
                let is_count = (1..=MOST).contains(&cell.queries);
                if !is_count || !is_minute(cell.minute) || cell.span != Span::Minute {
                    return Err("a count of a client's queries is not possible");
                }
                brought.clients.push(cell);
            }
            Self::Malformed(line) => {
                let is_long = |text: &str| text.len() > LONGEST_WORD;
                if is_long(&line.input) || is_long(&line.reason) || line.octets.0.len() > usize::from(u16::MAX) {
                    return Err("a malformed message is not possible");
                }
                if i64::try_from(line.number).is_err() {
                    return Err("a malformed message has no possible number");
                }
                brought.malformed.push(MalformedMessage {
                    time: line.time,
                    input: line.input,
                    number: line.number,
                    reason: line.reason,
                    octets: line.octets.0,
                });
            }
        }
        Ok(())
    }
}

fn is_minute(time: Timestamp) -> bool {
    time.as_nanosecond() % 60_000_000_000 == 0
}

/// The data of an RRset, as `PassiveRrset` wants it.
fn rdata(rdata: Vec<Hex>, count: u64) -> Result<Vec<Vec<u8>>, &'static str> {
    let rdata: Vec<Vec<u8>> = rdata.into_iter().map(|Hex(octets)| octets).collect();
    let is_short = |octets: &Vec<u8>| octets.len() <= usize::from(u16::MAX);
    if rdata.is_empty() || !rdata.iter().all(is_short) || !rdata.is_sorted_by(|one, other| one < other) {
        return Err("the data of an RRset is not possible");
    }
    if !(1..=MOST).contains(&count) {
        return Err("a count is not possible");
    }
    Ok(rdata)
}

/// Seals what a sensor observed, into as many parts as it takes. `window` is a word that no other call gets, of any sensor.
pub fn seal(window: &str, brought: Brought) -> Result<Vec<Sealed>, Error> {
    let mut parts = Vec::new();
    let mut open: Option<Open> = None;
    for line in lines(brought) {
        let part = match &mut open {
            Some(part) => part,
            None => open.insert(Open::new(window, parts.len()).map_err(failed)?),
        };
        part.add(&line).map_err(failed)?;
        if (part.bytes >= PART_BYTES || part.rows >= PART_ROWS)
            && let Some(full) = open.take()
        {
            parts.push(full.finish().map_err(failed)?);
        }
    }
    if let Some(rest) = open {
        parts.push(rest.finish().map_err(failed)?);
    }
    Ok(parts)
}

fn failed(source: io::Error) -> Error {
    Error::File {
        attempt: "seal",
        path: "a part".into(),
        source,
    }
}

/// A part that is being written.
struct Open {
    encoder: Encoder<'static, Vec<u8>>,
    bytes: usize,
    rows: usize,
    newest: Timestamp,
}

impl Open {
    fn new(window: &str, number: usize) -> io::Result<Self> {
        let mut open = Self {
            encoder: Encoder::new(Vec::new(), LEVEL)?,
            bytes: 0,
            rows: 0,
            newest: Timestamp::MIN,
        };
        open.write(&Head {
            version: VERSION,
            window: window.to_owned(),
            number,
        })?;
        Ok(open)
    }

    fn add(&mut self, line: &Line) -> io::Result<()> {
        self.write(line)?;
        self.rows += 1;
        self.newest = self.newest.max(line.times().1);
        Ok(())
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.bytes += text.len();
        self.encoder.write_all(&text)
    }

    fn finish(self) -> io::Result<Sealed> {
        let octets = self.encoder.finish()?;
        Ok(Sealed {
            id: PartId::of(&octets),
            octets,
            rows: self.rows,
            newest: self.newest,
        })
    }
}

/// Opens a part of a sensor: what was observed. Never panics and never takes much more memory than the
/// limits say, whatever the octets are.
pub fn open(octets: &[u8], now: Timestamp, limits: &Limits) -> Result<Brought, Refusal> {
    let too_large = |what, found, most| Refusal::TooLarge { what, found, most };
    if octets.len() > limits.bytes {
        return Err(too_large("octets", octets.len(), limits.bytes));
    }
    let form = |error: io::Error| Refusal::Form(error.to_string());
    let mut decoder = Decoder::new(octets).map_err(form)?;
    decoder.window_log_max(WINDOW_LOG).map_err(form)?;
    // an octet more than may be tells that there is more
    let mut unfolded = BufReader::new(decoder.take(limits.bytes as u64 + 1));
    let (mut text, mut bytes) = (Vec::new(), 0);
    let mut next = move |text: &mut Vec<u8>| -> Result<bool, Refusal> {
        text.clear();
        let read = unfolded.read_until(b'\n', text).map_err(form)?;
        bytes += read;
        if bytes > limits.bytes {
            return Err(too_large("octets", bytes, limits.bytes));
        }
        Ok(read > 0)
    };
    if !next(&mut text)? {
        return Err(Refusal::Empty);
    }
    let head: Head = serde_json::from_slice(&text).map_err(|error| Refusal::Form(error.to_string()))?;
    if head.version != VERSION {
        return Err(Refusal::Form(format!("it is of version {}", head.version)));
    }
    let (mut brought, mut rows) = (Brought::default(), 0);
    while next(&mut text)? {
        rows += 1;
        if rows > limits.rows {
            return Err(too_large("rows", rows, limits.rows));
        }
        let line: Line = serde_json::from_slice(&text).map_err(|error| Refusal::Value(error.to_string()))?;
        let (first, last) = line.times();
        super::check_time(first, now, limits)?;
        super::check_time(last, now, limits)?;
        if first > last {
            return Err(Refusal::Value("it was last seen before it was first seen".to_owned()));
        }
        let added = line.add_to(&mut brought);
        added.map_err(|reason| Refusal::Value(reason.to_owned()))?;
    }
    match rows {
        0 => Err(Refusal::Empty),
        _ => Ok(brought),
    }
}
