//! Record data from the text in which logs tell it.

use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::base::Name as Wire;
use domain::base::iana::{Class, Rtype};
use domain::base::rdata::ComposeRecordData;
use domain::zonefile::inplace::{Entry, Zonefile};
use model::Name;
use serde_json::Value;

use crate::message::MalformedReason;
use crate::wire::push_rdata;

/// A type by its mnemonic or number.
pub(super) fn rtype(value: &Value) -> Option<Rtype> {
    match value {
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| text.parse::<u16>().ok().map(Rtype::from_int)),
        Value::Number(number) => Some(Rtype::from_int(u16::try_from(number.as_u64()?).ok()?)),
        _ => None,
    }
}

/// A name; logs write it with or without the final dot, and an octet that cannot be shown as `\xHH`.
pub(super) fn name(text: &str) -> Result<Name, MalformedReason> {
    let text = match text {
        "" => ".",
        _ => text,
    };
    unescaped(text).parse().map_err(|_| MalformedReason::Name)
}

/// `\xHH` as master files have it: `\DDD`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let octet = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match octet {
            Some(octet) => out.push_str(&format!("\\{octet:03}{}", &part[2..])),
            None => out.push_str(&format!("\\x{part}")),
        }
    }
    out
}

/// The data of a record on the wire, names in lower case, from its presentation form (RFC 1035 §5.1, RFC 3597 §5). Names without a
/// final dot are whole, and a TXT without quotes is one text: that is how logs write them.
pub(super) fn data(rtype: Rtype, text: &str) -> Result<Vec<u8>, MalformedReason> {
    let wrong = MalformedReason::Data;
    if let Some(address) = address(rtype, text) {
        return Ok(address);
    }
    if is_name(rtype) {
        return Ok(name(text).map_err(|_| wrong)?.as_wire().as_octets().clone());
    }
    if rtype == Rtype::TXT && !text.starts_with(['"', '\\']) {
        return txt(text).ok_or(wrong);
    }
    if text.contains(['\n', '\r']) {
        return Err(wrong);
    }
    let wire = scanned(rtype, text).ok_or(wrong)?;
    let mut data = Vec::with_capacity(wire.len());
    push_rdata(&wire, rtype, (0, wire.len()), &mut data).ok_or(wrong)?;
    (data.len() <= usize::from(u16::MAX)).then_some(data).ok_or(wrong)
}

/// Whether data of the type is one name and nothing else.
pub(super) fn is_name(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME)
}

/// The data of an address record; `None` where type and text do not fit.
pub(super) fn address(rtype: Rtype, text: &str) -> Option<Vec<u8>> {
    match (rtype, text.parse::<IpAddr>().ok()?) {
        (Rtype::A, IpAddr::V4(address)) => Some(address.octets().to_vec()),
        (Rtype::AAAA, IpAddr::V6(address)) => Some(address.octets().to_vec()),
        _ => None,
    }
}

fn txt(text: &str) -> Option<Vec<u8>> {
    let mut data = Vec::with_capacity(text.len() + 1);
    if text.is_empty() {
        data.push(0);
    }
    for part in text.as_bytes().chunks(255) {
        data.push(u8::try_from(part.len()).ok()?);
        data.extend_from_slice(part);
    }
    (data.len() <= usize::from(u16::MAX)).then_some(data)
}

/// Data as the scanner of master files reads it, if it is one record and nothing behind it.
fn scanned(rtype: Rtype, text: &str) -> Option<Vec<u8>> {
    // the scanner panics on some broken entries
    let scan = || {
        let mut scanner = Zonefile::from(format!(". 0 IN {rtype} {text}\n").as_str());
        scanner.set_origin(Wire::root_bytes());
        scanner.set_default_class(Class::IN);
        let Ok(Some(Entry::Record(record))) = scanner.next_entry() else {
            return None;
        };
        let is_alone = matches!(scanner.next_entry(), Ok(None));
        let mut wire = Vec::new();
        record.data().compose_rdata(&mut wire).ok()?;
        (is_alone && record.rtype() == rtype).then_some(wire)
    };
    catch_unwind(AssertUnwindSafe(scan)).ok().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn data_is_read_as_logs_write_it() {
        let mx = [&[0, 10], name("mail.example").unwrap().as_wire().as_octets().as_slice()].concat();
        let cases: [(Rtype, &str, Option<Vec<u8>>); 11] = [
            (Rtype::A, "192.0.2.1", Some(vec![192, 0, 2, 1])),
            (Rtype::A, "2001:db8::1", None),
            (Rtype::A, "\\# 4 c0000201", Some(vec![192, 0, 2, 1])),
            (Rtype::NS, "NS1.Example", Some(b"\x03ns1\x07example\0".to_vec())),
            (Rtype::MX, "10 Mail.example.", Some(mx.clone())),
            (Rtype::MX, "10 mail.example", Some(mx)),
            (Rtype::TXT, "\"a b\" c", Some(b"\x03a b\x01c".to_vec())),
            (Rtype::TXT, "v=spf1 -all", Some(b"\x0bv=spf1 -all".to_vec())),
            (Rtype::MX, "10", None),
            (Rtype::MX, "10 a. ) ( \nb. 0 IN A 192.0.2.1", None),
            (Rtype::from_int(65280), "\\# 2 beef", Some(vec![0xbe, 0xef])),
        ];
        for (rtype, text, expected) in cases {
            assert_eq!(data(rtype, text).ok(), expected, "{rtype} {text}");
        }
        assert_eq!(name("a\\x2cb.example").unwrap(), "a\\044b.example".parse().unwrap());
    }

    proptest! {
        #[test]
        fn any_text_is_data_or_refused(rtype in 0u16..300, text in ".{0,80}") {
            if let Ok(data) = data(Rtype::from_int(rtype), &text) {
                let mut again = Vec::new();
                let rtype = Rtype::from_int(rtype);
                prop_assert_eq!(push_rdata(&data, rtype, (0, data.len()), &mut again), Some(()));
                prop_assert_eq!(again, data);
            }
        }
    }
}
