//! Which values of a record can be searched: what it points to, its address, or its data as a whole.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::base::Name as Wire;
use domain::base::iana::Rtype;
use model::Name;

use super::key;
use super::query::{NamePattern, ValuePattern};

/// Where the names that a record points to stand in its data: octets before the first, and how many follow on each other.
/// `None` for types that point to none. What NSEC and RRSIG name is no target.
fn targets(rtype: Rtype) -> Option<(usize, usize)> {
    // RFC 1035 §3.3, 1183 §1-3, 1348, 2163 §4, 2230 §3.1, 2782, 6672 §2.1, 6742 §2.4, 9460 §2.2
    match rtype.to_int() {
        2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 | 23 | 39 => Some((0, 1)),
        6 | 14 | 17 => Some((0, 2)),
        15 | 18 | 21 | 36 | 64 | 65 | 107 => Some((2, 1)),
        26 => Some((2, 2)),
        33 => Some((6, 1)),
        _ => None,
    }
}

/// NAPTR: after order and preference three character-strings stand before the name (RFC 3403 §4.1).
fn naptr_strings(rdata: &[u8]) -> Option<usize> {
    (0..3).try_fold(4, |at, _| Some(at + 1 + usize::from(*rdata.get(at)?)))
}

/// The keys under which a record is found: one for each name or address, and one for its data as a whole where that is more
/// than one name or address, or not of the type's form.
pub(crate) fn keys(rtype: Rtype, rdata: &[u8]) -> Vec<Vec<u8>> {
    if let Some(address) = address(rtype, rdata) {
        return vec![key::of_address(address)];
    }
    let places = match rtype {
        Rtype::NAPTR => naptr_strings(rdata).map(|before| (before, 1)),
        _ => targets(rtype),
    };
    let mut keys = Vec::new();
    let mut is_one_name = false;
    if let Some((before, count)) = places {
        let mut rest = rdata.get(before..).unwrap_or_default();
        for _ in 0..count {
            let Some((name, after)) = leading_name(rest) else { break };
            // the target `.` of SVCB and MX means "none" or "the owner" (RFC 9460 §2.5, 7505)
            if !name.is_root() {
                keys.push(key::of_target(&name));
            }
            rest = after;
            is_one_name = before == 0 && count == 1 && rest.is_empty() && !name.is_root();
        }
    }
    if !is_one_name {
        keys.push(key::of_raw(rdata));
    }
    keys
}

/// The names that a record points to, or its address: what leads from it to other names.
pub fn values(rtype: Rtype, rdata: &[u8]) -> Vec<ValuePattern> {
    let value = |value: Vec<u8>| match key::target(&value) {
        Some(name) => Some(ValuePattern::Name(NamePattern::Exact(name))),
        None => address(rtype, rdata).map(ValuePattern::Address),
    };
    keys(rtype, rdata).into_iter().filter_map(value).collect()
}

/// The keys that a search for record data as a whole has to look at.
pub(crate) fn raw_keys(rdata: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = vec![key::of_raw(rdata)];
    keys.extend(
        address(Rtype::A, rdata)
            .or_else(|| address(Rtype::AAAA, rdata))
            .map(key::of_address),
    );
    keys.extend(
        leading_name(rdata)
            .filter(|(_, rest)| rest.is_empty())
            .map(|(name, _)| key::of_target(&name)),
    );
    keys
}

fn address(rtype: Rtype, rdata: &[u8]) -> Option<IpAddr> {
    match rtype {
        Rtype::A => <[u8; 4]>::try_from(rdata)
            .ok()
            .map(|octets| Ipv4Addr::from(octets).into()),
        Rtype::AAAA => <[u8; 16]>::try_from(rdata)
            .ok()
            .map(|octets| Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

/// The name that the octets begin with, not compressed, and what follows it.
fn leading_name(octets: &[u8]) -> Option<(Name, &[u8])> {
    let mut end = 0;
    loop {
        let length = usize::from(*octets.get(end)?);
        end += 1 + length;
        match length {
            0 => break,
            1..=63 => {}
            _ => return None,
        }
    }
    let name = Wire::from_octets(octets.get(..end)?).ok()?;
    Some((Name::from_wire(&name), octets.get(end..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(key: &[u8]) -> String {
        match key[0] {
            key::NAME => format!("name {}", String::from_utf8_lossy(&key[1..])),
            kind => format!("{} of {} octets", char::from(kind), key.len() - 1),
        }
    }

    #[test]
    fn a_record_is_found_by_what_it_points_to_and_by_its_octets() {
        let ns = b"\x02ns\x03net\x00".as_slice();
        let mx = [b"\x00\x0a".as_slice(), ns].concat();
        let srv = [b"\0\0\0\0\0\x35".as_slice(), ns].concat();
        let soa = [ns, b"\x0ahostmaster\x03net\x00".as_slice(), &[0; 20]].concat();
        let naptr = [b"\0\x01\0\x01\x01U\x03sip\x00".as_slice(), ns].concat();
        let cases: [(Rtype, &[u8], &[&str]); 11] = [
            (Rtype::A, &[192, 0, 2, 1], &["4 of 4 octets"]),
            (Rtype::A, &[192, 0, 2], &["r of 3 octets"]),
            (Rtype::AAAA, &[0; 16], &["6 of 16 octets"]),
            (Rtype::NS, ns, &["name net.ns."]),
            (Rtype::MX, &mx, &["name net.ns.", "r of 10 octets"]),
            (Rtype::SRV, &srv, &["name net.ns.", "r of 14 octets"]),
            (
                Rtype::SOA,
                &soa,
                &["name net.ns.", "name net.hostmaster.", "r of 44 octets"],
            ),
            (Rtype::NAPTR, &naptr, &["name net.ns.", "r of 19 octets"]),
            (Rtype::HTTPS, b"\0\x01\0", &["r of 3 octets"]),
            (Rtype::TXT, b"\x02ns", &["r of 3 octets"]),
            (Rtype::NS, b"\xc0\x0c", &["r of 2 octets"]),
        ];
        for (rtype, rdata, expected) in cases {
            let found: Vec<String> = keys(rtype, rdata).iter().map(|key| shown(key)).collect();
            assert_eq!(found, expected, "{rtype}");
        }
    }

    proptest! {
        #[test]
        fn octets_of_any_type_are_found_by_a_search_for_them(
            rtype in 0u16..110,
            rdata in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let searched = raw_keys(&rdata);
            prop_assert!(keys(Rtype::from_int(rtype), &rdata).iter().any(|key| searched.contains(key)));
        }
    }
}
