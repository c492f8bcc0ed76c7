//! A DNS message, as far as pairing and reducing need it: header, question, EDNS, and where each record lies.

use domain::base::iana::Rtype;
use domain::base::{Header, HeaderCounts};
use domain::dep::octseq::Parser;
use serde::{Deserialize, Serialize};

use crate::wire::name_end;

/// Octets of a header (RFC 1035 §4.1.1).
pub(crate) const HEADER: usize = 12;

/// Octets of labels in a question beyond which it is not read: those of a message over UDP without EDNS (RFC 1035 §2.3.4). A name may
/// have 255; broken clients send longer ones, and servers answer them (FORMERR), which would else be an answer to nothing. The same
/// bound as in dns-stats `compactor`, so that counts agree.
const LONGEST_QUESTION: usize = 512;

/// Why octets on a DNS port are no DNS message, or a line of a log no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum MalformedReason {
    /// Fewer than the 12 octets of a header.
    #[error("shorter than a header")]
    ShortHeader,
    /// The question section cannot be read.
    #[error("the question cannot be read")]
    Question,
    /// A record does not fit into the message, or its owner name cannot be read.
    #[error("a record cannot be read")]
    Record,
    /// The OPT record has an owner, is not alone, or its options do not fill it (RFC 6891 §6.1).
    #[error("the OPT record cannot be read")]
    Edns,
    /// The line is longer than a line may be.
    #[error("the line is too long")]
    LineTooLong,
    /// The line is not UTF-8.
    #[error("the line is no text")]
    NotText,
    /// The line is no JSON object.
    #[error("the line is no JSON object")]
    NotJson,
    /// The line has another number of columns than its table, or none were named.
    #[error("the columns are not those that were named")]
    Columns,
    /// A field that the record needs is missing or of another kind.
    #[error("a field is missing or of another kind")]
    Field,
    /// A time is none, lies outside the years 1970 to 9999, or the last before the first.
    #[error("a time cannot be read")]
    Time,
    /// A name is none.
    #[error("a name cannot be read")]
    Name,
    /// The data of a record is not of its type's form.
    #[error("the data of a record cannot be read")]
    Data,
}

/// Why octets could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The capture cut them before the end of the question.
    Snapped,
    Malformed(MalformedReason),
}

/// The section of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Answer,
    Authority,
    Additional,
}

/// Where a record lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordAt {
    pub(crate) section: Section,
    /// Where its owner name begins.
    pub(crate) owner: usize,
    pub(crate) rtype: Rtype,
    pub(crate) class: u16,
    /// Its data.
    pub(crate) rdata: (usize, usize),
}

/// The first question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// Whether the name is one: broken clients send longer ones.
    pub(crate) has_name: bool,
    pub(crate) qtype: u16,
    pub(crate) class: u16,
    /// As it stands in the message: name in its case, type, class.
    pub(crate) octets: &'a [u8],
}

/// A message that was read.
#[derive(Debug)]
pub(crate) struct Parsed<'a> {
    pub(crate) octets: &'a [u8],
    /// Octets on the wire.
    pub(crate) size: u32,
    pub(crate) header: Header,
    pub(crate) counts: HeaderCounts,
    pub(crate) question: Option<Question<'a>>,
    /// DO bit (RFC 3225).
    pub(crate) dnssec_ok: bool,
    /// RCODE with its upper eight bits from EDNS (RFC 6891 §6.1.3).
    pub(crate) rcode: u16,
    /// Whether records are missing: the capture cut the packet, or the sender truncated in the middle of a record.
    pub(crate) is_cut: bool,
}

/// Reads a message; puts the places of its records into `records`, whose memory is used again.
///
/// `is_snapped` says that the end is missing: what is not there is no fault then.
pub(crate) fn read<'a>(octets: &'a [u8], is_snapped: bool, records: &mut Vec<RecordAt>) -> Result<Parsed<'a>, Unread> {
    records.clear();
    let head = octets.first_chunk::<HEADER>().ok_or(match is_snapped {
        true => Unread::Snapped,
        false => Unread::Malformed(MalformedReason::ShortHeader),
    })?;
    let mut parser = Parser::from_ref(octets);
    let header = *Header::for_message_slice(head);
    let counts = *HeaderCounts::for_message_slice(head);
    let _ = parser.advance(HEADER);

    let mut question = None;
    for number in 0..counts.qdcount() {
        let start = parser.pos();
        let asked = read_question(&mut parser).map_err(|()| match is_snapped && is_cut_question(octets, start) {
            true => Unread::Snapped,
            false => Unread::Malformed(MalformedReason::Question),
        })?;
        if number == 0 {
            question = Some(asked);
        }
    }
    let mut parsed = Parsed {
        octets,
        size: octets.len() as u32,
        header,
        counts,
        question,
        dnssec_ok: false,
        rcode: u16::from(header.rcode().to_int()),
        is_cut: false,
    };
    let sections = [
        (Section::Answer, counts.ancount()),
        (Section::Authority, counts.nscount()),
        (Section::Additional, counts.arcount()),
    ];
    let mut known_pointer = None;
    for (section, count) in sections {
        for _ in 0..count {
            let start = parser.pos();
            let Some((record, ttl)) = read_record(&mut parser, section, &mut known_pointer) else {
                // old servers truncate in the middle of a record, with the counts of the whole
                if is_snapped || (header.tc() && start < octets.len()) || (header.tc() && header.qr()) {
                    parsed.is_cut = true;
                    return Ok(parsed);
                }
                return Err(Unread::Malformed(MalformedReason::Record));
            };
            if record.rtype == Rtype::OPT {
                let is_alone = !records.iter().any(|other| other.rtype == Rtype::OPT);
                if octets[record.owner] != 0 || !is_alone || !are_options(&octets[record.rdata.0..record.rdata.1]) {
                    return Err(Unread::Malformed(MalformedReason::Edns));
                }
                parsed.dnssec_ok = ttl & 0x8000 != 0;
                parsed.rcode |= ((ttl >> 24) << 4) as u16;
            }
            records.push(record);
        }
    }
    Ok(parsed)
}

/// Whether the octets are a message from the first to the last.
pub(crate) fn is_whole(octets: &[u8]) -> bool {
    let mut records = Vec::new();
    match read(octets, false, &mut records) {
        Ok(parsed) => match records.last() {
            Some(record) => record.rdata.1 == octets.len(),
            None => parsed
                .question
                .is_some_and(|question| HEADER + question.octets.len() == octets.len()),
        },
        Err(_) => false,
    }
}

fn read_question<'a>(parser: &mut Parser<'a, [u8]>) -> Result<Question<'a>, ()> {
    let start = parser.pos();
    let has_name = match name_end(parser.octets_ref(), start) {
        Some(end) => {
            parser.seek(end).map_err(drop)?;
            true
        }
        None => {
            pass_long_name(parser)?;
            false
        }
    };
    let qtype = parser.parse_u16_be().map_err(drop)?;
    let class = parser.parse_u16_be().map_err(drop)?;
    Ok(Question {
        has_name,
        qtype,
        class,
        octets: &parser.octets_ref()[start..parser.pos()],
    })
}

/// Whether a question that begins at `start` is one as far as the octets go.
fn is_cut_question(octets: &[u8], start: usize) -> bool {
    let mut at = start;
    while at - start <= LONGEST_QUESTION {
        match octets.get(at) {
            None => return true,
            // type and class follow
            Some(0) => return octets.len() < at + 5,
            Some(length @ 1..=63) => at += 1 + usize::from(*length),
            Some(_) => return false,
        }
    }
    false
}

/// Passes over labels that are too many for a name.
fn pass_long_name(parser: &mut Parser<'_, [u8]>) -> Result<(), ()> {
    let start = parser.pos();
    loop {
        match parser.parse_u8().map_err(drop)? {
            0 => return Ok(()),
            length @ 1..=63 => parser.advance(usize::from(length)).map_err(drop)?,
            _ => return Err(()),
        }
        if parser.pos() - start > LONGEST_QUESTION {
            return Err(());
        }
    }
}

/// Whether octets are EDNS options one after another: code, length, value.
fn are_options(mut octets: &[u8]) -> bool {
    while !octets.is_empty() {
        let Some(rest) = octets.first_chunk::<4>().and_then(|head| {
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            octets.get(4 + length..)
        }) else {
            return false;
        };
        octets = rest;
    }
    true
}

/// Reads one record, and gives its TTL field beside. `known_pointer` is a compression pointer that was found good: most owners of a
/// message are the same two octets.
fn read_record(
    parser: &mut Parser<'_, [u8]>,
    section: Section,
    known_pointer: &mut Option<[u8; 2]>,
) -> Option<(RecordAt, u32)> {
    let owner = parser.pos();
    let start: [u8; 2] = parser.octets_ref().get(owner..owner + 2)?.try_into().ok()?;
    if *known_pointer == Some(start) {
        parser.advance(2).ok()?;
    } else {
        let end = name_end(parser.octets_ref(), owner)?;
        parser.seek(end).ok()?;
        if start[0] >= 0xc0 {
            *known_pointer = Some(start);
        }
    }
    let fixed: [u8; 10] = parser
        .octets_ref()
        .get(parser.pos()..parser.pos() + 10)?
        .try_into()
        .ok()?;
    let number = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
    let begin = parser.pos() + 10;
    let end = begin + usize::from(number(8));
    parser.seek(end).ok()?;
    Some((
        RecordAt {
            section,
            owner,
            rtype: Rtype::from_int(number(0)),
            class: number(2),
            rdata: (begin, end),
        },
        u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
    ))
}
