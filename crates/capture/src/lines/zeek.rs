//! Zeek's dns.log: tab-separated with `#fields`, or a JSON object on each line. One line is a query with its answer.

use std::net::IpAddr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use serde_json::Value;

use super::data::{address, data, is_name, name, rtype};
use super::judge::Answer;
use super::{LeftOut, Object, Place, Refused, Was, second, seconds_of};
use crate::message::MalformedReason;

/// What the lines that begin with `#` say of the others.
pub(crate) struct Table {
    separator: Vec<u8>,
    set_separator: Vec<u8>,
    unset: Vec<u8>,
    empty: Vec<u8>,
    fields: Vec<String>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            separator: b"\t".to_vec(),
            set_separator: b",".to_vec(),
            unset: b"-".to_vec(),
            empty: b"(empty)".to_vec(),
            fields: Vec::new(),
        }
    }
}

impl Table {
    pub(super) fn line(&mut self, line: &[u8], place: &mut Place<'_>) -> Result<Was, Refused> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(directive) = line.strip_prefix(b"#") {
            self.directive(directive);
            return Ok(Was::Other);
        }
        if line.is_empty() {
            return Ok(Was::Other);
        }
        if self.fields.is_empty() {
            return Err(MalformedReason::Columns.into());
        }
        let text = std::str::from_utf8(line).map_err(|_| MalformedReason::NotText)?;
        let separator = std::str::from_utf8(&self.separator).unwrap_or("\t");
        let values: Vec<&str> = text.split(separator).collect();
        if values.len() != self.fields.len() {
            return Err(MalformedReason::Columns.into());
        }
        let get = |field: &str| -> Option<&str> {
            let at = self.fields.iter().position(|known| known == field)?;
            let value = values[at];
            (value.as_bytes() != self.unset && value.as_bytes() != self.empty).then_some(value)
        };
        let set_separator = std::str::from_utf8(&self.set_separator).unwrap_or(",");
        let flag = |field| get(field).is_some_and(|value| value == "T");
        let parts = |field| get(field).map(|value| value.split(set_separator).map(str::to_owned).collect());
        let number = |field| get(field).map(|value| Value::String(value.to_owned()));
        let transaction = Transaction {
            time: get("ts").map(|text| Value::String(text.to_owned())),
            server: get("id.resp_h").map(str::to_owned),
            query: get("query").map(str::to_owned),
            qclass: number("qclass"),
            qtype: number("qtype").or_else(|| number("qtype_name")),
            rcode: number("rcode"),
            is_paired: get("rtt").is_some(),
            is_authoritative: flag("AA"),
            is_truncated: flag("TC"),
            answers: parts("answers").unwrap_or_default(),
        };
        transaction.take(place).map(|()| Was::Record)
    }

    fn directive(&mut self, directive: &[u8]) {
        let is_blank = |octet: &u8| *octet == b' ' || *octet == b'\t';
        if let Some(rest) = directive.strip_prefix(b"separator") {
            let start = rest.iter().take_while(|octet| is_blank(octet)).count();
            self.separator = unhex(&rest[start..]);
            return;
        }
        let Some(first) = self.separator.first() else { return };
        let mut parts = directive.split(|octet| octet == first);
        let name = parts.next().unwrap_or_default();
        let value = |parts: &mut dyn Iterator<Item = &[u8]>| parts.next().unwrap_or_default().to_vec();
        match name {
            b"set_separator" => self.set_separator = value(&mut parts),
            b"unset_field" => self.unset = value(&mut parts),
            b"empty_field" => self.empty = value(&mut parts),
            b"fields" => {
                self.fields = parts.map(|field| String::from_utf8_lossy(field).into_owned()).collect();
            }
            _ => {}
        }
    }
}

/// `\x09` as the octet that it stands for.
fn unhex(text: &[u8]) -> Vec<u8> {
    let digits = text
        .strip_prefix(b"\\x")
        .and_then(|digits| std::str::from_utf8(digits).ok());
    match digits.and_then(|digits| u8::from_str_radix(digits.trim_end(), 16).ok()) {
        Some(octet) => vec![octet],
        None if text.is_empty() => b"\t".to_vec(),
        None => text.to_vec(),
    }
}

/// A line of JSON.
pub(super) fn json(object: &Object, place: &mut Place<'_>) -> Result<(), Refused> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key: &str| object.get(key).and_then(Value::as_bool).unwrap_or_default();
    let answers = object.get("answers").and_then(Value::as_array);
    let transaction = Transaction {
        time: object.get("ts").cloned(),
        server: text("id.resp_h"),
        query: text("query"),
        qclass: object.get("qclass").cloned(),
        qtype: object.get("qtype").or_else(|| object.get("qtype_name")).cloned(),
        rcode: object.get("rcode").cloned(),
        is_paired: object.get("rtt").is_some_and(|rtt| !rtt.is_null()),
        is_authoritative: flag("AA"),
        is_truncated: flag("TC"),
        answers: answers
            .into_iter()
            .flatten()
            .filter_map(|answer| answer.as_str().map(str::to_owned))
            .collect(),
    };
    transaction.take(place)
}

/// A query with what was answered, as both forms tell it.
struct Transaction {
    time: Option<Value>,
    server: Option<String>,
    query: Option<String>,
    qclass: Option<Value>,
    qtype: Option<Value>,
    rcode: Option<Value>,
    /// Zeek saw query and response: only then it can tell the time between them.
    is_paired: bool,
    is_authoritative: bool,
    is_truncated: bool,
    answers: Vec<String>,
}

impl Transaction {
    fn take(self, place: &mut Place<'_>) -> Result<(), Refused> {
        let time = time(self.time.as_ref().ok_or(MalformedReason::Field)?)?;
        place.receipt.saw(time, time);
        let is_number = |value: &Option<Value>, number| value.as_ref().and_then(seconds_of) == Some(number);
        let is_in = self.qclass.is_none() || is_number(&self.qclass, 1);
        let left_out = if self.answers.is_empty() {
            Some(LeftOut::NoAnswer)
        } else if !self.is_paired {
            Some(LeftOut::NoQuery)
        } else if !self.is_authoritative {
            Some(LeftOut::NotAuthoritative)
        } else if self.is_truncated || !is_in || !(is_number(&self.rcode, 0) || is_number(&self.rcode, 3)) {
            Some(LeftOut::NotKept)
        } else {
            None
        };
        if let Some(reason) = left_out {
            place.receipt.leave_out(reason);
            return Ok(());
        }
        let question = name(&self.query.ok_or(MalformedReason::Field)?)?;
        let qtype = self.qtype.as_ref().and_then(rtype).ok_or(MalformedReason::Field)?;
        let Some(server) = self.server.and_then(|server| server.parse::<IpAddr>().ok()) else {
            place.receipt.leave_out(LeftOut::NoServer);
            return Ok(());
        };
        let Some(told) = told(qtype, &self.answers) else {
            let is_address = matches!(qtype, Rtype::A | Rtype::AAAA);
            place.receipt.leave_out(match is_address || is_name(qtype) {
                true => LeftOut::OwnerNotTold,
                false => LeftOut::DataNotTold,
            });
            return Ok(());
        };
        let answer = Answer {
            time,
            server,
            rrsets: vec![(question.clone(), qtype, told)],
            question,
            claimed: None,
        };
        answer.judge(place)
    }
}

/// The data of all answers, where all are of the type asked for and told in full.
fn told(qtype: Rtype, answers: &[String]) -> Option<Vec<Vec<u8>>> {
    let one = |text: &String| match qtype {
        Rtype::A | Rtype::AAAA => address(qtype, text),
        // more than one would be a chain of aliases
        Rtype::CNAME | Rtype::DNAME if answers.len() > 1 => None,
        _ if is_name(qtype) => data(qtype, text).ok(),
        _ => None,
    };
    answers.iter().map(one).collect()
}

/// Seconds since 1970, or a time as ISO 8601 has it.
fn time(value: &Value) -> Result<Timestamp, MalformedReason> {
    if let Some(seconds) = seconds_of(value) {
        return second(seconds);
    }
    let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    second(time.ok_or(MalformedReason::Time)?.as_second())
}
