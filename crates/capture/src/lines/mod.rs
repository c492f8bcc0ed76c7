//! Inputs of lines: Zeek's dns.log, Suricata's EVE, and the Passive DNS Common Output Format.
//!
//! | form | what is taken |
//! |---|---|
//! | Zeek dns.log, tab-separated or JSON | answers that Zeek paired with their query, as far as the rules of [`crate::bailiwick`] let the server speak |
//! | Suricata EVE, `dns` events of version 2 and 3 | the same; an answer counts only where its query stands before it in the file |
//! | COF (draft-dulaunoy-dnsop-passive-dns-cof-13) | RRsets with their times, counts and bailiwick, as whoever gives them has judged |
//!
//! A log of lines tells less than a capture. Zeek names no owner of a record: where the answers are not all of the type asked for, a
//! chain of aliases lies between, and who owns what is not told. Both tell the data of some types in part only (MX without its
//! preference). Version 1 of EVE does not say whether an answer was authoritative. What is not told is not guessed: such answers are
//! left out, and counted by reason.

mod cof;
mod data;
mod eve;
mod judge;
mod zeek;

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bailiwick::Servers;
use crate::input::{Compression, Octets};
use crate::message::MalformedReason;
use crate::receipt::Form;
use crate::settings::Settings;
use crate::sink::{Malformed, Sink, SinkError};

/// Octets of a line. Longer ones are malformed: an RRset of the largest possible message has some 300,000 as text, and one line must
/// not fill the memory.
const LONGEST_LINE: usize = 1 << 20;

/// Octets of a malformed line that go into quarantine.
const QUARANTINED_LINE: usize = 64 << 10;

/// Lines between two calls of [`Sink::progress`].
const PROGRESS: u64 = 16_384;

/// Why a record that could be read brought nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// An event of another kind than DNS.
    OtherEvent,
    /// A query, or a response without answers.
    NoAnswer,
    /// No query stands before it to which it belongs.
    NoQuery,
    /// It is not authoritative, or does not say so.
    NotAuthoritative,
    /// It is truncated, an error, or of another class than IN.
    NotKept,
    /// The server's address is not told.
    NoServer,
    /// Who owns the records is not told.
    OwnerNotTold,
    /// The data is not told in full.
    DataNotTold,
    /// The name does not lie in the bailiwick that stands beside it.
    OutOfBailiwick,
}

/// Lines that are malformed for one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MalformedLines {
    /// How many.
    pub count: u64,
    /// Number of the first, from 1.
    pub first_line: u64,
}

/// What became of an input of lines. Each line is a record, malformed, or one that holds none; a record may hold several RRsets, some
/// of which are kept, evidence, or left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesReceipt {
    /// Name of the input.
    pub input: String,
    /// Its form.
    pub form: Form,
    /// How it was packed.
    pub compression: Compression,
    /// Its size as it lies on disk.
    pub octets: u64,
    /// SHA-256 of it as it lies on disk, in hexadecimal.
    pub sha256: String,
    /// Lines in it.
    pub lines: u64,
    /// Lines that hold a record.
    pub records: u64,
    /// Lines that are empty, or say how the others are to be read.
    pub other_lines: u64,
    /// RRsets that went into passive DNS.
    pub rrsets: u64,
    /// RRsets that are evidence.
    pub out_of_bailiwick: u64,
    /// Records, or RRsets in them, that brought nothing, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Lines that could not be read, by reason.
    pub malformed: BTreeMap<MalformedReason, MalformedLines>,
    /// How many of them went into quarantine; the rest was over the limit.
    pub quarantined: u64,
    /// Octets of those.
    pub quarantined_octets: u64,
    /// Earliest time in a record.
    pub first: Option<Timestamp>,
    /// Latest time in a record.
    pub last: Option<Timestamp>,
    /// Why the input could not be read to its end; what came before counts.
    pub fault: Option<String>,
}

impl LinesReceipt {
    fn new(input: String, form: Form, compression: Compression) -> Self {
        Self {
            input,
            form,
            compression,
            octets: 0,
            sha256: String::new(),
            lines: 0,
            records: 0,
            other_lines: 0,
            rrsets: 0,
            out_of_bailiwick: 0,
            left_out: BTreeMap::new(),
            malformed: BTreeMap::new(),
            quarantined: 0,
            quarantined_octets: 0,
            first: None,
            last: None,
            fault: None,
        }
    }

    /// All lines that are malformed.
    pub fn malformed_total(&self) -> u64 {
        self.malformed.values().map(|lines| lines.count).sum()
    }

    fn leave_out(&mut self, reason: LeftOut) {
        *self.left_out.entry(reason).or_default() += 1;
    }

    fn saw(&mut self, first: Timestamp, last: Timestamp) {
        self.first = Some(self.first.map_or(first, |known| known.min(first)));
        self.last = Some(self.last.map_or(last, |known| known.max(last)));
    }
}

/// Why a line brought no record.
enum Refused {
    Malformed(MalformedReason),
    Sink(SinkError),
}

impl From<MalformedReason> for Refused {
    fn from(reason: MalformedReason) -> Self {
        Refused::Malformed(reason)
    }
}

/// What a line was.
enum Was {
    Record,
    Other,
}

/// Where what a line holds goes.
struct Place<'a> {
    receipt: &'a mut LinesReceipt,
    servers: &'a mut Servers,
    sink: &'a mut dyn Sink,
}

/// The forms, each with what it has to remember from line to line.
pub(crate) enum Lines {
    ZeekTsv(zeek::Table),
    ZeekJson,
    Eve(eve::Queries),
    Cof,
}

impl Lines {
    /// The form by the first line that is not empty.
    pub(crate) fn recognise(octets: &mut Octets) -> io::Result<Option<Self>> {
        let mut wanted = 4096;
        let line = loop {
            let is_more = octets.fill(wanted)?;
            let text = octets.available();
            let blank = text.iter().take_while(|octet| octet.is_ascii_whitespace()).count();
            let rest = &text[blank..];
            match rest.iter().position(|octet| *octet == b'\n') {
                Some(end) => break &rest[..end],
                None if !is_more || wanted >= LONGEST_LINE => break rest,
                None => wanted *= 2,
            }
        };
        if line.starts_with(b"#separator") || line.starts_with(b"#fields") {
            return Ok(Some(Self::ZeekTsv(zeek::Table::default())));
        }
        let Ok(Value::Object(object)) = serde_json::from_slice(line) else {
            return Ok(None);
        };
        let has = |key: &str| object.contains_key(key);
        Ok(if has("event_type") {
            Some(Self::eve())
        } else if has("rrname") && has("rrtype") {
            Some(Self::Cof)
        } else if has("id.resp_h") && has("uid") {
            Some(Self::ZeekJson)
        } else {
            None
        })
    }

    /// Lines of EVE.
    pub(crate) fn eve() -> Self {
        Self::Eve(eve::Queries::default())
    }

    /// Lines of Zeek; which of the two forms, by the first octet.
    pub(crate) fn zeek(octets: &mut Octets) -> io::Result<Self> {
        octets.fill(1)?;
        Ok(match octets.available().first() {
            Some(b'{') => Self::ZeekJson,
            _ => Self::ZeekTsv(zeek::Table::default()),
        })
    }

    fn form(&self) -> Form {
        match self {
            Self::ZeekTsv(_) => Form::ZeekTsv,
            Self::ZeekJson => Form::ZeekJson,
            Self::Eve(_) => Form::SuricataEve,
            Self::Cof => Form::Cof,
        }
    }

    fn line(&mut self, line: &[u8], place: &mut Place<'_>) -> Result<Was, Refused> {
        match self {
            Self::ZeekTsv(table) => table.line(line, place),
            _ if line.iter().all(u8::is_ascii_whitespace) => Ok(Was::Other),
            Self::ZeekJson => zeek::json(&object(line)?, place).map(|()| Was::Record),
            Self::Eve(queries) => queries.line(&object(line)?, place).map(|()| Was::Record),
            Self::Cof => cof::line(&object(line)?, place).map(|()| Was::Record),
        }
    }
}

type Object = serde_json::Map<String, Value>;

fn object(line: &[u8]) -> Result<Object, MalformedReason> {
    serde_json::from_slice(line).map_err(|_| MalformedReason::NotJson)
}

/// Reads all lines of an input; the caller completes the receipt with its size and hash.
pub(crate) fn read(
    name: &str,
    mut lines: Lines,
    octets: &mut Octets,
    settings: &Settings,
    servers: &mut Servers,
    sink: &mut dyn Sink,
) -> Result<LinesReceipt, SinkError> {
    let mut receipt = LinesReceipt::new(name.to_owned(), lines.form(), octets.compression);
    loop {
        let (line, is_whole) = match next_line(octets) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(receipt),
            Err(error) => {
                receipt.fault = Some(error.to_string());
                return Ok(receipt);
            }
        };
        receipt.lines += 1;
        let mut place = Place {
            receipt: &mut receipt,
            servers,
            sink,
        };
        let was = match is_whole {
            true => lines.line(line, &mut place),
            false => Err(MalformedReason::LineTooLong.into()),
        };
        match was {
            Ok(Was::Record) => receipt.records += 1,
            Ok(Was::Other) => receipt.other_lines += 1,
            Err(Refused::Malformed(reason)) => refuse(&mut receipt, settings, line, reason, sink)?,
            Err(Refused::Sink(error)) => return Err(error),
        }
        let end = line.len();
        if !is_whole {
            skip_line(octets, &mut receipt);
        } else {
            octets.take(end + usize::from(octets.available().get(end).is_some()));
        }
        if receipt.lines.is_multiple_of(PROGRESS) {
            sink.progress(octets.octets_read());
        }
    }
}

/// The line that begins here, which stays where it is; `false` where it is longer than a line may be.
fn next_line(octets: &mut Octets) -> io::Result<Option<(&[u8], bool)>> {
    let mut searched = 0;
    loop {
        let found = octets.available()[searched..].iter().position(|octet| *octet == b'\n');
        searched = match found {
            Some(end) => return Ok(Some((&octets.available()[..searched + end], true))),
            None => octets.available().len(),
        };
        if searched >= LONGEST_LINE {
            return Ok(Some((&octets.available()[..searched], false)));
        }
        if !octets.fill(searched + 1)? {
            return Ok((searched > 0).then(|| (octets.available(), true)));
        }
    }
}

/// Passes over the rest of a line that is too long.
fn skip_line(octets: &mut Octets, receipt: &mut LinesReceipt) {
    loop {
        let text = octets.available();
        if let Some(end) = text.iter().position(|octet| *octet == b'\n') {
            octets.take(end + 1);
            return;
        }
        octets.take(text.len());
        match octets.fill(1) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                receipt.fault = Some(error.to_string());
                return;
            }
        }
    }
}

fn refuse(
    receipt: &mut LinesReceipt,
    settings: &Settings,
    line: &[u8],
    reason: MalformedReason,
    sink: &mut dyn Sink,
) -> Result<(), SinkError> {
    let of_reason = receipt.malformed.entry(reason).or_default();
    of_reason.count += 1;
    if of_reason.count == 1 {
        of_reason.first_line = receipt.lines;
    }
    let kept = &line[..line.len().min(QUARANTINED_LINE)];
    let with_it = receipt.quarantined_octets + kept.len() as u64;
    if receipt.quarantined >= settings.most_quarantined || with_it > settings.most_quarantined_octets {
        return Ok(());
    }
    (receipt.quarantined, receipt.quarantined_octets) = (receipt.quarantined + 1, with_it);
    sink.quarantine(Malformed {
        input: &receipt.input,
        packet: receipt.lines,
        time: receipt.last.unwrap_or(settings.time_of_lines),
        reason,
        octets: kept,
    })
}

/// A time as the tables can keep it: from 1970 to 9999, in whole seconds.
fn second(seconds: i64) -> Result<Timestamp, MalformedReason> {
    let time = Timestamp::from_second(seconds).ok();
    time.filter(|_| (0..253_402_300_800).contains(&seconds))
        .ok_or(MalformedReason::Time)
}

/// Seconds since 1970 as a number or its text, with or without a fraction.
fn seconds_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
        _ => None,
    }
}

fn whole(seconds: f64) -> Option<i64> {
    // what lies beyond is no time of ours
    (seconds.abs() < 1e15).then(|| seconds.floor() as i64)
}
