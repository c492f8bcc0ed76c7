//! One name of a sweep as a line of JSON (NDJSON), written without allocating, and read again.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use domain::base::iana::{OptRcode, Rtype};
use domain::base::name::{Label, ToLabelIter as _};
use domain::base::rdata::UnknownRecordData;
use domain::base::record::ParsedRecord;
use domain::base::{Message, ParsedName};
use domain::rdata::AllRecordData;
use jiff::Timestamp;
use model::{AnswerRecord, AnsweredSample, Name, Outcome, Sample, Transport};
use serde::Deserialize;

use super::{Swept, counts};
use crate::record::Record;

/// Port of name servers (IANA, Service Name and Transport Protocol Port Number Registry); not written after an address.
const DOMAIN: u16 = 53;

/// Writes lines.
#[derive(Debug, Default)]
pub struct LineWriter {
    /// The second written last, in Unix time, and its text.
    second: i64,
    second_text: String,
}

impl LineWriter {
    /// Appends what came of one name to `out`, as one line of JSON with its line feed.
    pub fn write(&mut self, swept: &Swept<'_>, out: &mut Vec<u8>) {
        out.extend(b"{\"name\":\"");
        push_name(labels_of(swept.name), out);
        out.extend(b"\",\"type\":\"");
        push_display(&swept.rtype, out);
        out.extend(b"\",\"server\":\"");
        push_server(swept.server, out);
        out.extend(b"\",\"transport\":\"");
        out.extend(swept.transport.as_str().as_bytes());
        out.extend(b"\",\"outcome\":\"");
        out.extend(swept.outcome.as_str().as_bytes());
        out.extend(b"\",\"rcode\":");
        match swept.rcode {
            Some(rcode) => {
                out.push(b'"');
                push_rcode(rcode, out);
                out.push(b'"');
            }
            None => out.extend(b"null"),
        }
        push_flags(swept, out);
        push_answers(swept, out);
        out.extend(b",\"rtt_us\":");
        match swept.rtt_us {
            Some(rtt) => push_number(rtt, out),
            None => out.extend(b"null"),
        }
        out.extend(b",\"attempts\":");
        push_number(swept.attempts.into(), out);
        out.extend(b",\"size_bytes\":");
        match swept.message.len() {
            0 => out.extend(b"null"),
            size => push_number(size as u64, out),
        }
        out.extend(b",\"time\":\"");
        self.push_time(swept.time, out);
        out.extend(b"\"}\n");
    }

    /// RFC 3339, in UTC, to the microsecond.
    fn push_time(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let micro = time.as_microsecond();
        let (second, fraction) = (micro.div_euclid(1_000_000), micro.rem_euclid(1_000_000));
        if second != self.second || self.second_text.is_empty() {
            self.second = second;
            self.second_text.clear();
            let whole = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
            // writing to a String cannot fail
            let _ = write!(self.second_text, "{whole:.0}");
        }
        out.extend(self.second_text.trim_end_matches('Z').as_bytes());
        out.push(b'.');
        let digits = [100_000, 10_000, 1_000, 100, 10, 1].map(|unit| b'0' + (fraction / unit % 10) as u8);
        out.extend(digits);
        out.push(b'Z');
    }
}

/// The flags of a header's third and fourth octet (RFC 1035 §4.1.1, RFC 4035 §3.2).
const FLAGS: [(&str, usize, u8); 7] = [
    ("aa", 2, 0x04),
    ("tc", 2, 0x02),
    ("rd", 2, 0x01),
    ("ra", 3, 0x80),
    ("z", 3, 0x40),
    ("ad", 3, 0x20),
    ("cd", 3, 0x10),
];

fn push_flags(swept: &Swept<'_>, out: &mut Vec<u8>) {
    out.extend(b",\"flags\":[");
    let octet = |at: usize| swept.message.get(at).copied().unwrap_or_default();
    let mut separator = "";
    for (flag, at, bit) in FLAGS {
        if octet(at) & bit != 0 || (flag == "tc" && swept.truncated) {
            out.extend(separator.as_bytes());
            out.push(b'"');
            out.extend(flag.as_bytes());
            out.push(b'"');
            separator = ",";
        }
    }
    out.push(b']');
}

fn push_answers(swept: &Swept<'_>, out: &mut Vec<u8>) {
    out.extend(b",\"answers\":[");
    let mut separator: &[u8] = b"";
    for alias in swept.aliases {
        out.extend(separator);
        separator = b",";
        push_record(alias, out);
    }
    let is_whole = swept.message.is_empty() || push_section(swept.message, separator, out).is_some();
    out.push(b']');
    if !is_whole {
        out.extend(b",\"malformed\":true");
    }
}

/// Appends the answer section; `None` when some of it cannot be read.
fn push_section(message: &[u8], mut separator: &'static [u8], out: &mut Vec<u8>) -> Option<()> {
    let message = Message::from_octets(message).ok()?;
    for record in message.answer().ok()? {
        let record = record.ok()?;
        out.extend(separator);
        separator = b",";
        out.extend(b"{\"rrname\":\"");
        push_name(record.owner().iter_labels(), out);
        push_kind(record.rtype(), record.ttl().as_secs(), out);
        push_data(&record, out);
        out.extend(b"\"}");
    }
    Some(())
}

fn push_record(record: &Record, out: &mut Vec<u8>) {
    out.extend(b"{\"rrname\":\"");
    push_name(record.owner.as_wire().iter_labels(), out);
    push_kind(record.rtype(), record.ttl, out);
    push_display(&record.data, out);
    out.extend(b"\"}");
}

fn push_kind(rtype: Rtype, ttl: u32, out: &mut Vec<u8>) {
    out.extend(b"\",\"rrtype\":\"");
    push_display(&rtype, out);
    out.extend(b"\",\"ttl_secs\":");
    push_number(ttl.into(), out);
    out.extend(b",\"rdata\":\"");
}

/// Appends record data as its type says, else as raw octets (RFC 3597 §5).
fn push_data(record: &ParsedRecord<'_, &[u8]>, out: &mut Vec<u8>) {
    if let Ok(known) = record.to_any_record::<AllRecordData<&[u8], ParsedName<&[u8]>>>() {
        push_display(known.data(), out);
    } else if let Ok(Some(raw)) = record.to_record::<UnknownRecordData<&[u8]>>() {
        push_display(raw.data(), out);
    }
}

/// Appends a name as [`Name`] displays it: lower case, without the final dot.
fn push_name<'a>(labels: impl Iterator<Item = &'a Label>, out: &mut Vec<u8>) {
    let start = out.len();
    for label in labels.take_while(|label| !label.is_root()) {
        if out.len() > start {
            out.push(b'.');
        }
        for octet in label.as_slice() {
            match octet {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => out.push(*octet),
                b'A'..=b'Z' => out.push(octet.to_ascii_lowercase()),
                // a backslash is doubled for JSON
                b' ' | b'.' => out.extend([b'\\', b'\\', *octet]),
                b'\\' => out.extend(b"\\\\\\\\"),
                b'"' => out.extend(b"\\\""),
                0x21..=0x7e => out.push(*octet),
                _ => {
                    out.extend(b"\\\\");
                    out.extend([100, 10, 1].map(|unit| b'0' + octet / unit % 10));
                }
            }
        }
    }
    if out.len() == start {
        out.push(b'.');
    }
}

fn labels_of(name: &[u8]) -> impl Iterator<Item = &Label> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let (label, after) = Label::split_from(rest).ok()?;
        rest = after;
        Some(label)
    })
}

fn push_server(server: SocketAddr, out: &mut Vec<u8>) {
    match (server, server.port()) {
        (_, DOMAIN) => push_display(&server.ip(), out),
        _ => push_display(&server, out),
    }
}

fn push_rcode(rcode: OptRcode, out: &mut Vec<u8>) {
    match rcode.to_mnemonic_str() {
        Some(mnemonic) => out.extend(mnemonic.bytes().map(|octet| octet.to_ascii_uppercase())),
        None => out.extend(counts::word(rcode).as_bytes()),
    }
}

fn push_number(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(&digits[start..]);
}

fn push_display(value: &dyn fmt::Display, out: &mut Vec<u8>) {
    // writing to a Vec cannot fail
    let _ = write!(JsonText(out), "{value}");
}

/// Writes text as it stands in a JSON string (RFC 8259 §7).
struct JsonText<'a>(&'a mut Vec<u8>);

impl fmt::Write for JsonText<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for octet in text.bytes() {
            match octet {
                b'"' | b'\\' => self.0.extend([b'\\', octet]),
                0..=0x1f => {
                    let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
                    self.0.extend(b"\\u00");
                    self.0.extend([hex(octet >> 4), hex(octet & 0x0f)]);
                }
                _ => self.0.push(octet),
            }
        }
        Ok(())
    }
}

/// A line as it is read again.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The name.
    pub name: Name,
    /// QTYPE, as its mnemonic or `TYPE65280`.
    #[serde(rename = "type")]
    pub rtype: String,
    /// The server that answered, or the one asked last: its address, with the port where that is not 53.
    pub server: String,
    /// How the last question travelled.
    pub transport: Transport,
    /// What came of it.
    pub outcome: Outcome,
    /// RCODE with its EDNS part, as its mnemonic or `RCODE15`.
    pub rcode: Option<String>,
    /// Flags of the answer that are set.
    pub flags: Vec<String>,
    /// Its answer section.
    pub answers: Vec<AnswerRecord>,
    /// Whether some of that section could not be read.
    #[serde(default)]
    pub malformed: bool,
    /// From sending to the answer, in microseconds.
    pub rtt_us: Option<u64>,
    /// Datagrams and connections that the question took.
    pub attempts: u16,
    /// Size of the answer in octets.
    pub size_bytes: Option<u32>,
    /// When the question was sent.
    pub time: Timestamp,
}

/// A line that no sweep writes.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// It is no JSON of this form.
    #[error("it is no line of a sweep")]
    Form(#[from] serde_json::Error),
    /// A value that no sweep writes.
    #[error("`{field}` has the value `{value}`, which no sweep writes")]
    Value {
        /// Which.
        field: &'static str,
        /// What it is.
        value: String,
    },
}

impl Line {
    /// Reads a line that [`LineWriter`] wrote.
    pub fn read(line: &[u8]) -> Result<Self, LineError> {
        Ok(serde_json::from_slice(line)?)
    }

    /// RCODE with its EDNS part.
    pub fn rcode(&self) -> Result<Option<OptRcode>, LineError> {
        let read = |text: &String| {
            let wrong = || LineError::Value {
                field: "rcode",
                value: text.clone(),
            };
            let number = text.strip_prefix("RCODE").and_then(|digits| digits.parse().ok());
            let known =
                || (0..=u8::MAX.into()).find(|number| counts::word(OptRcode::masked_from_int(*number)) == *text);
            number.or_else(known).map(OptRcode::masked_from_int).ok_or_else(wrong)
        };
        self.rcode.as_ref().map(read).transpose()
    }

    /// The second word of the answer's header: QR, the flags, and the lower part of the RCODE.
    fn flag_word(&self, rcode: OptRcode) -> u16 {
        let is_set = |flag: &str| match flag {
            // it stands for the truncated answer that came first
            "tc" if self.transport == Transport::Tcp => false,
            flag => self.flags.iter().any(|set| set == flag),
        };
        let set = FLAGS.iter().filter(|(flag, ..)| is_set(flag));
        let bits = set.map(|(_, at, bit)| u16::from(*bit) << if *at == 2 { 8 } else { 0 });
        bits.fold(0x8000 | rcode.to_int() & 0x0f, |word, bit| word | bit)
    }

    /// The line as a sample of vantage point `probe`, on behalf of the name itself.
    pub fn into_sample(self, probe: &str) -> Result<AnsweredSample, LineError> {
        let wrong = |field, value: &str| LineError::Value {
            field,
            value: value.to_owned(),
        };
        let with_port = || Some(self.server.parse::<SocketAddr>().ok()?.ip());
        let address: Option<IpAddr> = self.server.parse().ok().or_else(with_port);
        let rtype: Rtype = self.rtype.parse().map_err(|_| wrong("type", &self.rtype))?;
        let has = |flag: &str| self.flags.iter().any(|set| set == flag);
        let soa = self
            .answers
            .iter()
            .find(|record| record.rrtype == "SOA" && record.rrname == self.name);
        let sample = Sample {
            time: self.time,
            probe: probe.to_owned(),
            zone: self.name.clone(),
            server: None,
            address: address.ok_or_else(|| wrong("server", &self.server))?,
            transport: self.transport,
            qname: self.name.clone(),
            qtype: rtype.to_int(),
            outcome: self.outcome,
            rtt_us: self.rtt_us,
            rcode: self.rcode()?.map(OptRcode::to_int),
            authoritative: has("aa"),
            truncated: has("tc"),
            // the third field of an SOA record's data (RFC 1035 §3.3.13)
            serial: soa.and_then(|soa| soa.rdata.split_whitespace().nth(2)?.parse().ok()),
            nsid: None,
            size_bytes: self.size_bytes,
            flags: self.rcode()?.map(|rcode| self.flag_word(rcode)),
            attempts: Some(self.attempts),
            validated: None,
            signature_expiration: None,
        };
        Ok(AnsweredSample {
            sample,
            answers: self.answers,
            malformed: self.malformed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUESTION: &[u8] = b"\x12\x34\x84\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03wWw\x04test\x00\x00\x01\x00\x01";

    fn swept(message: &[u8]) -> Swept<'_> {
        Swept {
            line: 1,
            name: b"\x03wWw\x04test\x00",
            rtype: Rtype::A,
            server: "192.0.2.53:53".parse().unwrap(),
            transport: Transport::Udp,
            outcome: Outcome::Answer,
            rcode: Some(OptRcode::NOERROR),
            time: "2026-11-23T12:00:00.000042Z".parse().unwrap(),
            rtt_us: Some(1500),
            attempts: 2,
            truncated: false,
            aliases: &[],
            message,
        }
    }

    fn line(swept: &Swept<'_>) -> String {
        let mut out = Vec::new();
        LineWriter::default().write(swept, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// An answer with these records; the owner is that of the question.
    fn answer(records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut octets = QUESTION.to_vec();
        octets[7] = records.len() as u8;
        for (rtype, data) in records {
            octets.extend([0xc0, 12]);
            octets.extend(rtype.to_be_bytes());
            octets.extend([0, 1, 0, 0, 14, 16]);
            octets.extend((data.len() as u16).to_be_bytes());
            octets.extend(*data);
        }
        octets
    }

    #[test]
    fn a_line_says_what_was_asked_of_whom_and_what_came_of_it() {
        let message = answer(&[(5, b"\x01a\xc0\x10"), (1, &[192, 0, 2, 1])]);
        let expected = concat!(
            r#"{"name":"www.test","type":"A","server":"192.0.2.53","transport":"udp","outcome":"answer","#,
            r#""rcode":"NOERROR","flags":["aa"],"answers":["#,
            r#"{"rrname":"www.test","rrtype":"CNAME","ttl_secs":3600,"rdata":"a.test."},"#,
            r#"{"rrname":"www.test","rrtype":"A","ttl_secs":3600,"rdata":"192.0.2.1"}],"#,
            r#""rtt_us":1500,"attempts":2,"size_bytes":58,"time":"2026-11-23T12:00:00.000042Z"}"#,
            "\n"
        );
        assert_eq!(line(&swept(&message)), expected);
    }

    #[test]
    fn a_line_without_an_answer_has_the_same_fields() {
        let silent = Swept {
            name: b"\0",
            server: "[2001:db8::1]:5300".parse().unwrap(),
            outcome: Outcome::Timeout,
            rcode: None,
            rtt_us: None,
            ..swept(&[])
        };
        let expected = concat!(
            r#"{"name":".","type":"A","server":"[2001:db8::1]:5300","transport":"udp","outcome":"timeout","rcode":null,"#,
            r#""flags":[],"answers":[],"rtt_us":null,"attempts":2,"size_bytes":null,"time":"2026-11-23T12:00:00.000042Z"}"#,
            "\n"
        );
        assert_eq!(line(&silent), expected);
        let sample = Line::read(expected.as_bytes()).unwrap().into_sample("here").unwrap();
        assert_eq!(sample.sample.address, "2001:db8::1".parse::<IpAddr>().unwrap());
        assert_eq!((sample.sample.rcode, sample.sample.outcome), (None, Outcome::Timeout));
    }

    #[test]
    fn data_that_is_not_of_its_type_is_shown_as_octets_and_what_cannot_be_read_is_marked() {
        let odd = answer(&[(1, &[1, 2, 3]), (16, b"\x05he\"\\\x01"), (65280, b"\xff")]);
        let read = Line::read(line(&swept(&odd)).as_bytes()).unwrap();
        let data: Vec<&str> = read.answers.iter().map(|record| record.rdata.as_str()).collect();
        assert_eq!(data, ["\\# 3 01 02 03", r#""he\"\\\001""#, "\\# 1 ff"]);
        assert_eq!(read.answers[2].rrtype, "TYPE65280");
        assert!(!read.malformed);
        let cut = &odd[..odd.len() - 1];
        let read = Line::read(line(&swept(cut)).as_bytes()).unwrap();
        assert_eq!((read.answers.len(), read.malformed), (2, true));
    }

    #[test]
    fn a_line_becomes_a_sample() {
        let soa = b"\x02ns\xc0\x10\x01h\xc0\x10\x78\xa4\x0f\x85\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04";
        let message = answer(&[(6, soa)]);
        let asked = Swept {
            rtype: Rtype::SOA,
            truncated: true,
            transport: Transport::Tcp,
            ..swept(&message)
        };
        let sample = Line::read(line(&asked).as_bytes())
            .unwrap()
            .into_sample("here")
            .unwrap();
        assert_eq!(sample.answers.len(), 1);
        let sample = sample.sample;
        assert_eq!(
            (sample.zone.to_string(), sample.probe.as_str()),
            ("www.test".to_owned(), "here")
        );
        assert_eq!(
            (sample.qtype, sample.rcode, sample.serial),
            (6, Some(0), Some(0x78a4_0f85))
        );
        assert!(sample.authoritative && sample.truncated);
        assert_eq!((sample.flags, sample.attempts), (Some(0x8400), Some(2)), "QR and AA");
    }

    #[test]
    fn every_rcode_is_read_as_it_was_written() {
        for number in 0..4096 {
            let rcode = OptRcode::masked_from_int(number);
            let answered = Swept {
                rcode: Some(rcode),
                ..swept(QUESTION)
            };
            let read = Line::read(line(&answered).as_bytes()).unwrap();
            assert_eq!(read.rcode().unwrap(), Some(rcode));
        }
        let other = line(&swept(QUESTION)).replace("NOERROR", "NOTHING");
        let error = Line::read(other.as_bytes()).unwrap().into_sample("here").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`rcode` has the value `NOTHING`, which no sweep writes"
        );
    }

    proptest! {
        #[test]
        fn a_name_is_written_as_it_is_displayed(labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 0..6)) {
            let mut wire = Vec::new();
            for label in &labels {
                wire.push(label.len() as u8);
                wire.extend(label);
            }
            wire.push(0);
            let name = Name::from_wire(&domain::base::Name::from_octets(&wire[..]).unwrap());
            let mut written = Vec::new();
            push_name(labels_of(&wire), &mut written);
            let read: String = serde_json::from_str(&format!("\"{}\"", String::from_utf8(written).unwrap())).unwrap();
            prop_assert_eq!(&read, &name.to_string());
            prop_assert_eq!(read.parse::<Name>().unwrap(), name);
        }

        #[test]
        fn any_octets_make_a_line_that_is_read_again(
            tail in proptest::collection::vec(any::<u8>(), 0..120),
            count in 0_u8..5,
            micros in 0_i64..4_000_000_000_000_000,
        ) {
            let mut message = QUESTION.to_vec();
            message[7] = count;
            message.extend(tail);
            let swept = Swept { time: Timestamp::from_microsecond(micros).unwrap(), ..swept(&message) };
            let read = Line::read(line(&swept).as_bytes()).unwrap();
            prop_assert_eq!((read.time, read.size_bytes), (swept.time, Some(message.len() as u32)));
            prop_assert!(read.answers.len() <= usize::from(count));
            prop_assert_eq!(read.malformed, read.answers.len() < usize::from(count));
        }

        #[test]
        fn any_text_is_a_line_or_a_clear_error(text in ".{0,200}") {
            prop_assert!(Line::read(text.as_bytes()).is_err());
        }
    }
}
