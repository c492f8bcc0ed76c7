//! Suricata's EVE: a JSON object for each event. Events of DNS have version 1 (a record each, without flags), 2 (Suricata 4.1 to 7)
//! or 3 (from 8 on).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::Name;
use serde_json::Value;

use super::data::{address, data, is_name, name, rtype};
use super::judge::Answer;
use super::{LeftOut, Object, Place, Refused, second};
use crate::message::MalformedReason;

/// Queries that wait for their answer, some 50 octets each. More: memory. Fewer: answers of a busy sensor count as not asked for.
const MOST_QUERIES: usize = 200_000;

/// AA and TC in the flags of a message (RFC 1035 §4.1.1).
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;

/// The flow of a query and its id in it.
type Asked = (u64, u16);

/// Queries without a response so far.
#[derive(Default)]
pub(crate) struct Queries {
    /// Each with a number that tells it from a later one with the same id, and how often it was sent.
    known: HashMap<Asked, (u64, u32)>,
    order: VecDeque<(Asked, u64)>,
    births: u64,
}

impl Queries {
    fn note(&mut self, asked: Asked) {
        if let Some((_, sent)) = self.known.get_mut(&asked) {
            *sent = sent.saturating_add(1);
            return;
        }
        self.births += 1;
        self.known.insert(asked, (self.births, 1));
        self.order.push_back((asked, self.births));
        if self.order.len() > MOST_QUERIES
            && let Some((oldest, birth)) = self.order.pop_front()
            && self.known.get(&oldest).is_some_and(|(known, _)| *known == birth)
        {
            self.known.remove(&oldest);
        }
    }

    /// Whether the query of a response is known. Its response takes it, so that a second one counts for nothing.
    fn is_asked(&mut self, asked: Asked, dns: &Object) -> bool {
        // version 1 has an event for each record, and all of them belong to one query
        if dns.contains_key("rdata") && !dns.contains_key("answers") {
            return self.known.contains_key(&asked);
        }
        match self.known.get_mut(&asked) {
            None => false,
            Some((_, sent @ 2..)) => {
                *sent -= 1;
                true
            }
            Some(_) => self.known.remove(&asked).is_some(),
        }
    }

    pub(super) fn line(&mut self, event: &Object, place: &mut Place<'_>) -> Result<(), Refused> {
        // alerts and others quote the messages that they are about, which have events of their own
        if let Some(kind) = event.get("event_type").and_then(Value::as_str)
            && kind != "dns"
        {
            place.receipt.leave_out(LeftOut::OtherEvent);
            return Ok(());
        }
        let time = time(event.get("timestamp").and_then(Value::as_str))?;
        place.receipt.saw(time, time);
        let Some(dns) = event.get("dns").and_then(Value::as_object) else {
            place.receipt.leave_out(LeftOut::OtherEvent);
            return Ok(());
        };
        let of_flow = || {
            Some((
                event.get("flow_id")?.as_u64()?,
                u16::try_from(dns.get("id")?.as_u64()?).ok()?,
            ))
        };
        match dns.get("type").and_then(Value::as_str) {
            Some("query" | "request") => {
                of_flow().into_iter().for_each(|asked| self.note(asked));
                place.receipt.leave_out(LeftOut::NoAnswer);
                Ok(())
            }
            Some("answer" | "response") => {
                let is_asked = of_flow().is_some_and(|asked| self.is_asked(asked, dns));
                answer(time, event, dns, is_asked, place)
            }
            Some(_) => {
                place.receipt.leave_out(LeftOut::OtherEvent);
                Ok(())
            }
            None => Err(MalformedReason::Field.into()),
        }
    }
}

fn answer(time: Timestamp, event: &Object, dns: &Object, is_asked: bool, place: &mut Place<'_>) -> Result<(), Refused> {
    let flags = dns.get("flags").and_then(Value::as_str);
    let flags = flags.and_then(|flags| u16::from_str_radix(flags, 16).ok()).unwrap_or(0);
    let is_set = |key: &str, bit| flags & bit != 0 || dns.get(key).and_then(Value::as_bool).unwrap_or(false);
    let rcode = dns.get("rcode").and_then(Value::as_str).unwrap_or("NOERROR");
    let answers = dns.get("answers").and_then(Value::as_array);
    let left_out = if answers.is_none_or(Vec::is_empty) && dns.get("rdata").is_none() {
        Some(LeftOut::NoAnswer)
    } else if !is_asked {
        Some(LeftOut::NoQuery)
    } else if !is_set("aa", AUTHORITATIVE) {
        Some(LeftOut::NotAuthoritative)
    } else if is_set("tc", TRUNCATED) || !matches!(rcode, "NOERROR" | "NXDOMAIN") {
        Some(LeftOut::NotKept)
    } else {
        None
    };
    if let Some(reason) = left_out {
        place.receipt.leave_out(reason);
        return Ok(());
    }
    let Some(server) = server(event) else {
        place.receipt.leave_out(LeftOut::NoServer);
        return Ok(());
    };
    // version 3 has the question in a list of its own
    let asked = dns.get("queries").and_then(|queries| queries.get(0)?.get("rrname"));
    let asked = asked.or_else(|| dns.get("rrname")).and_then(Value::as_str);
    let question = name(asked.ok_or(MalformedReason::Field)?)?;
    let mut rrsets: Vec<(Name, Rtype, Vec<Vec<u8>>)> = Vec::new();
    for record in answers.into_iter().flatten() {
        let text = |key: &str| record.get(key).and_then(Value::as_str);
        let owner = name(text("rrname").ok_or(MalformedReason::Field)?)?;
        let rtype = record.get("rrtype").and_then(rtype).ok_or(MalformedReason::Field)?;
        let told = text("rdata").and_then(|text| match rtype {
            Rtype::A | Rtype::AAAA => address(rtype, text),
            _ if is_name(rtype) => data(rtype, text).ok(),
            _ => None,
        });
        let Some(told) = told else {
            place.receipt.leave_out(LeftOut::DataNotTold);
            continue;
        };
        let same = rrsets.iter_mut().find(|(name, of, _)| (name, *of) == (&owner, rtype));
        match same {
            Some((.., rdata)) => rdata.push(told),
            None => rrsets.push((owner, rtype, vec![told])),
        }
    }
    if rrsets.is_empty() {
        // what is not told was counted above
        return Ok(());
    }
    let authority = dns.get("authorities").and_then(Value::as_array).into_iter().flatten();
    let of_zone =
        authority.filter(|record| matches!(record.get("rrtype").and_then(rtype), Some(Rtype::SOA | Rtype::NS)));
    let mut owners = of_zone.filter_map(|record| name(record.get("rrname")?.as_str()?).ok());
    let answer = Answer {
        time,
        server,
        claimed: owners.find(|owner| question.is_at_or_below(owner)),
        question,
        rrsets,
    };
    answer.judge(place)
}

/// The address at port 53: Suricata gives source and destination now of the packet, now of the flow.
fn server(event: &Object) -> Option<IpAddr> {
    let end = |address: &str, port: &str| {
        let is_server = event.get(port).and_then(Value::as_u64) == Some(53);
        let address = event.get(address).and_then(Value::as_str).filter(|_| is_server)?;
        address.parse().ok()
    };
    match (end("src_ip", "src_port"), end("dest_ip", "dest_port")) {
        (Some(server), None) | (None, Some(server)) => Some(server),
        _ => None,
    }
}

/// `2016-08-20T20:48:36.233853+0000`.
fn time(text: Option<&str>) -> Result<Timestamp, MalformedReason> {
    let time = text.and_then(|text| {
        let strict = text.parse::<Timestamp>().ok();
        strict.or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
    });
    second(time.ok_or(MalformedReason::Time)?.as_second())
}
