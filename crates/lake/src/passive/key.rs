//! Names, addresses and octets as keys: texts and octets whose byte order makes every question one range, or few.
//!
//! A name becomes the text of its labels, each followed by a dot: from the root down (`com.example.www.`), so that a name and
//! all below it are the keys that begin with it; or as it is read (`www.example.com.`), so that a name under any ending is.

use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;

use domain::base::Name as Wire;
use domain::base::name::ToLabelIter;
use jiff::Timestamp;
use model::{Name, Prefix};

/// How the key of a value begins: what kind of value it is.
pub(crate) const NAME: u8 = b'n';
pub(crate) const IPV4: u8 = b'4';
pub(crate) const IPV6: u8 = b'6';
/// The data of a record as a whole, where it is not one name or address.
pub(crate) const RAW: u8 = b'r';

/// The labels from the root down, each followed by a dot; the root is the empty text.
pub(crate) fn reversed(name: &Name) -> String {
    let labels: Vec<_> = name.as_wire().iter_labels().filter(|label| !label.is_root()).collect();
    text(labels.iter().rev().map(|label| label.as_slice()))
}

/// The labels as they are read, each followed by a dot.
pub(crate) fn forward(name: &Name) -> String {
    let labels = name.as_wire().iter_labels().filter(|label| !label.is_root());
    text(labels.map(|label| label.as_slice()))
}

fn text<'a>(labels: impl Iterator<Item = &'a [u8]>) -> String {
    let mut text = String::with_capacity(64);
    for label in labels {
        for octet in label {
            match octet {
                b'.' | b'\\' => text.extend(['\\', char::from(*octet)]),
                b'!'..=b'~' => text.push(char::from(*octet)),
                _ => write!(text, "\\{octet:03}").expect("a text takes what is written"),
            }
        }
        text.push('.');
    }
    text
}

/// The name of a key made by `reversed`; `None` for a text that is none.
pub(crate) fn from_reversed(key: &str) -> Option<Name> {
    let mut labels = labels(key)?;
    labels.reverse();
    from_labels(&labels)
}

/// The name of a key made by `forward`; `None` for a text that is none.
pub(crate) fn from_forward(key: &str) -> Option<Name> {
    from_labels(&labels(key)?)
}

fn labels(key: &str) -> Option<Vec<Vec<u8>>> {
    let mut labels = Vec::new();
    let mut label = Vec::new();
    let mut octets = key.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'.' => labels.push(std::mem::take(&mut label)),
            b'\\' => match octets.next()? {
                hundreds @ b'0'..=b'9' => {
                    let digits = [hundreds, octets.next()?, octets.next()?];
                    label.push(std::str::from_utf8(&digits).ok()?.parse().ok()?);
                }
                escaped => label.push(escaped),
            },
            plain => label.push(plain),
        }
    }
    label.is_empty().then_some(labels)
}

fn from_labels(labels: &[Vec<u8>]) -> Option<Name> {
    let mut octets = Vec::with_capacity(64);
    for label in labels {
        octets.push(u8::try_from(label.len()).ok()?);
        octets.extend_from_slice(label);
    }
    octets.push(0);
    Some(Name::from_wire(&Wire::from_octets(octets).ok()?))
}

/// The key of a name that a record points to.
pub(crate) fn of_target(name: &Name) -> Vec<u8> {
    let mut key = vec![NAME];
    key.extend(reversed(name).into_bytes());
    key
}

/// The name that a key of a value holds.
pub(crate) fn target(value: &[u8]) -> Option<Name> {
    let (kind, text) = value.split_first()?;
    from_reversed(std::str::from_utf8(text).ok().filter(|_| *kind == NAME)?)
}

/// The key of an address.
pub(crate) fn of_address(address: IpAddr) -> Vec<u8> {
    let (kind, octets) = match address {
        IpAddr::V4(address) => (IPV4, address.octets().to_vec()),
        IpAddr::V6(address) => (IPV6, address.octets().to_vec()),
    };
    std::iter::once(kind).chain(octets).collect()
}

/// The key of record data as a whole.
pub(crate) fn of_raw(rdata: &[u8]) -> Vec<u8> {
    std::iter::once(RAW).chain(rdata.iter().copied()).collect()
}

/// The key of a time in microseconds since 1970: eight octets in the order of time.
pub(crate) fn of_microsecond(time: i64) -> [u8; 8] {
    // the sign bit turned, so that what is before 1970 comes first
    (time as u64 ^ 1 << 63).to_be_bytes()
}

/// Times from `from` up to but not including `to`.
pub(crate) fn times(from: Timestamp, to: Timestamp) -> Keys {
    let [from, to] = [from, to].map(|time| of_microsecond(time.as_microsecond()).to_vec());
    from.clone()..to.max(from)
}

/// Keys from `start` up to but not including `end`.
pub(crate) type Keys = Range<Vec<u8>>;

/// This key alone.
pub(crate) fn only(key: Vec<u8>) -> Keys {
    let mut end = key.clone();
    end.push(0);
    key..end
}

/// All keys that begin with this one.
pub(crate) fn beginning_with(key: Vec<u8>) -> Keys {
    let mut end = key.clone();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    match end.last_mut() {
        Some(last) => *last += 1,
        // no key of ours begins with an octet above those of ASCII
        None => end.push(u8::MAX),
    }
    key..end
}

/// The addresses from `first` to `last`, both included; empty when they are not of one family.
pub(crate) fn addresses(first: IpAddr, last: IpAddr) -> Keys {
    let (first, last) = (of_address(first), of_address(last));
    if first[0] == last[0] && first <= last {
        first..only(last).end
    } else {
        first.clone()..first
    }
}

/// The addresses of a prefix.
pub(crate) fn prefix(prefix: Prefix) -> Keys {
    addresses(prefix.address(), last_address(prefix))
}

fn last_address(prefix: Prefix) -> IpAddr {
    let host_bits = |width: u32| width.saturating_sub(u32::from(prefix.length()));
    match prefix.address() {
        IpAddr::V4(address) => {
            let mask = 1u32.checked_shl(host_bits(32)).map_or(u32::MAX, |bit| bit - 1);
            IpAddr::V4((address.to_bits() | mask).into())
        }
        IpAddr::V6(address) => {
            let mask = 1u128.checked_shl(host_bits(128)).map_or(u128::MAX, |bit| bit - 1);
            IpAddr::V6((address.to_bits() | mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn holds(keys: &Keys, key: &[u8]) -> bool {
        keys.start.as_slice() <= key && key < keys.end.as_slice()
    }

    #[test]
    fn times_stand_in_their_order_before_and_after_1970() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(of_microsecond);
        assert!(times.is_sorted(), "{times:?}");
    }

    #[test]
    fn a_name_and_all_below_it_are_one_range_and_no_other_name_is_in_it() {
        assert_eq!(reversed(&name("www.example.com")), "com.example.www.");
        assert_eq!(forward(&name("www.example.com")), "www.example.com.");
        assert_eq!(reversed(&Name::root()), "");
        let below = beginning_with(reversed(&name("example.com")).into());
        for (other, is_in) in [
            ("example.com", true),
            ("a.b.example.com", true),
            ("example-2.com", false),
            ("badexample.com", false),
            ("com", false),
            ("example.org", false),
            ("\\000.example.com", true),
        ] {
            assert_eq!(holds(&below, reversed(&name(other)).as_bytes()), is_in, "{other}");
        }
        assert!(holds(&beginning_with(Vec::new()), b"zw."));
    }

    #[test]
    fn a_prefix_is_the_range_of_its_addresses() {
        let cases = [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ];
        for (text, inside, outside) in cases {
            let keys = prefix(text.parse().unwrap());
            assert!(holds(&keys, &of_address(inside.parse().unwrap())), "{text}");
            assert!(!holds(&keys, &of_address(outside.parse().unwrap())), "{text}");
        }
        assert!(addresses("192.0.2.1".parse().unwrap(), "::1".parse().unwrap()).is_empty());
    }

    fn names() -> impl Strategy<Value = Name> {
        let label = proptest::collection::vec(any::<u8>(), 1..20);
        proptest::collection::vec(label, 0..6).prop_filter_map("a name", |labels| from_labels(&labels))
    }

    proptest! {
        #[test]
        fn keys_lead_back_to_their_names(name in names()) {
            prop_assert_eq!(from_reversed(&reversed(&name)), Some(name.clone()));
            prop_assert_eq!(from_forward(&forward(&name)), Some(name));
        }

        #[test]
        fn a_name_is_in_the_range_of_another_when_it_is_at_or_below_it(a in names(), b in names()) {
            for (a, b) in [(a.clone(), b.clone()), (a.clone(), a.parent().unwrap_or(a.clone()))] {
                let below = beginning_with(reversed(&b).into());
                prop_assert_eq!(holds(&below, reversed(&a).as_bytes()), a.is_at_or_below(&b));
            }
        }

        #[test]
        fn any_text_is_a_key_or_none(text in ".{0,300}") {
            from_reversed(&text);
        }
    }
}
