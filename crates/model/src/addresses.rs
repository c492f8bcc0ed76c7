//! Addresses as people ask for them: one, those of a prefix, or those from one to another.

use std::net::IpAddr;

use crate::Prefix;

/// Addresses that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// This one.
    One(IpAddr),
    /// Those of a prefix.
    Prefix(Prefix),
    /// Those from the first to the last, which are of one family and in this order.
    Range(IpAddr, IpAddr),
}

/// A text that looks like addresses and stands for none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressesError {
    /// It looks like an address.
    #[error("`{0}` is not an address; a name that looks so is written with a final dot")]
    Address(String),
    /// It looks like a prefix.
    #[error("`{0}` is not an address prefix like 192.0.2.0/24 or 2001:db8::/32")]
    Prefix(String),
    /// It looks like a range.
    #[error("`{0}` is not a range of addresses like 192.0.2.1-192.0.2.9")]
    Range(String),
    /// A range from IPv4 to IPv6, or the other way round.
    #[error("`{0}` is not a range of addresses: its ends are of two families")]
    TwoFamilies(String),
    /// A range that ends before it starts.
    #[error("`{0}` is not a range of addresses: its end is before its start")]
    Backwards(String),
}

impl Addresses {
    /// Reads `192.0.2.1`, `192.0.2.0/24` (with a comma in the place of the slash in DNSDB) or `192.0.2.1-192.0.2.9`; `None` for
    /// what looks like a name. Bits behind the length of a prefix do not count. What ends with a dot is a name in any case.
    pub fn read(text: &str) -> Result<Option<Self>, AddressesError> {
        let text = text.trim();
        let shown = || text.chars().take(100).collect::<String>();
        if text.ends_with('.') {
            return Ok(None);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Some(Self::One(address)));
        }
        if let Some((address, length)) = text.split_once(['/', ',']) {
            let parsed = address.parse::<IpAddr>().ok().zip(length.parse::<u8>().ok());
            if let Some(prefix) = parsed.and_then(|(address, length)| Prefix::of(address, length)) {
                return Ok(Some(Self::Prefix(prefix)));
            }
            // names may have slashes as well: `0/25.2.0.192.in-addr.arpa` (RFC 2317 §4)
            if looks_like_address(address) || is_numbers(address) && is_numbers(length) {
                return Err(AddressesError::Prefix(shown()));
            }
        }
        if let Some((first, last)) = text.split_once('-') {
            return match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
                (Ok(first), Ok(last)) if first.is_ipv4() != last.is_ipv4() => Err(AddressesError::TwoFamilies(shown())),
                (Ok(first), Ok(last)) if last < first => Err(AddressesError::Backwards(shown())),
                (Ok(first), Ok(last)) => Ok(Some(Self::Range(first, last))),
                // names may begin like addresses: `192.0.2.1-static.isp.example`
                _ if looks_like_address(first) && (looks_like_address(last) || is_numbers(last)) => {
                    Err(AddressesError::Range(shown()))
                }
                _ => Ok(None),
            };
        }
        match looks_like_address(text) {
            true => Err(AddressesError::Address(shown())),
            false => Ok(None),
        }
    }
}

/// Whether a text has the form of an address, right or wrong, also with a port: four numbers with dots between, or two colons and
/// more, which hardly any name has.
fn looks_like_address(text: &str) -> bool {
    let host = text.split_once(':').map_or(text, |(host, _)| host);
    let is_dotted = is_numbers(host) && host.split('.').filter(|part| !part.is_empty()).count() == 4;
    is_dotted || text.matches(':').count() >= 2
}

/// Whether a text has digits, and dots at most beside them.
fn is_numbers(text: &str) -> bool {
    text.contains(|letter: char| letter.is_ascii_digit())
        && text.chars().all(|letter| letter.is_ascii_digit() || letter == '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_a_prefix_and_a_range_are_told_from_names() {
        let address = |text: &str| -> IpAddr { text.parse().unwrap() };
        for (text, expected) in [
            (" 192.0.2.1 ", Some(Addresses::One(address("192.0.2.1")))),
            ("2001:DB8::1", Some(Addresses::One(address("2001:db8::1")))),
            (
                "192.0.2.77/24",
                Some(Addresses::Prefix("192.0.2.0/24".parse().unwrap())),
            ),
            ("192.0.2.0,24", Some(Addresses::Prefix("192.0.2.0/24".parse().unwrap()))),
            (
                "2001:db8::/32",
                Some(Addresses::Prefix("2001:db8::/32".parse().unwrap())),
            ),
            (
                "192.0.2.1-192.0.2.9",
                Some(Addresses::Range(address("192.0.2.1"), address("192.0.2.9"))),
            ),
            (
                "2001:db8::1-2001:db8::1",
                Some(Addresses::Range(address("2001:db8::1"), address("2001:db8::1"))),
            ),
            ("", None),
            (".", None),
            ("www.example.com", None),
            ("a-b.example", None),
            ("192.0.2.1.example", None),
            ("192.0.2.1-static.isp.example", None),
            ("static-192.0.2.1", None),
            ("0/25.2.0.192.in-addr.arpa", None),
            ("0-127.2.0.192.in-addr.arpa", None),
            ("1.2.3", None),
            ("192.0.2.*", None),
            ("300.1.1.1.", None),
            ("192.0.2.1.", None),
            ("4.3.2.1.e164.arpa", None),
        ] {
            assert_eq!(Addresses::read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_looks_like_addresses_and_stands_for_none_is_named() {
        type Told = fn(String) -> AddressesError;
        let cases: [(Told, &[&str]); 5] = [
            (
                AddressesError::Address,
                &[
                    "300.1.1.1",
                    "192.0.02.1",
                    "192.0.2..1",
                    "192.0.2.1:53",
                    "2001:db8::g",
                    "2001:db8::1::2",
                    "[2001:db8::1]",
                    "fe80::1%eth0",
                ],
            ),
            (
                AddressesError::Prefix,
                &[
                    "192.0.2.0/33",
                    "192.0.2.0,33",
                    "2001:db8::/129",
                    "192.0.2.0/",
                    "192.0.2.0/-1",
                    "300.0.0.0/8",
                    "10/8",
                    "10.0.0.0/255.0.0.0",
                    "192.0.2.1,192.0.2.2",
                ],
            ),
            (
                AddressesError::Range,
                &[
                    "192.0.2.1-192.0.2.300",
                    "300.0.2.1-192.0.2.9",
                    "192.0.2.1-9",
                    "2001:db8::1-::g",
                ],
            ),
            (
                AddressesError::TwoFamilies,
                &["192.0.2.1-2001:db8::1", "::1-192.0.2.1", "::ffff:192.0.2.1-192.0.2.9"],
            ),
            (
                AddressesError::Backwards,
                &["192.0.2.9-192.0.2.1", "2001:db8::1-2001:db8::"],
            ),
        ];
        for (told, texts) in cases {
            for text in texts {
                let error = Addresses::read(text).unwrap_err();
                assert_eq!(error, told((*text).to_owned()));
                assert!(error.to_string().starts_with(&format!("`{text}` is not a")), "{error}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(.{0,30}|[0-9a-f:./,-]{0,30})") {
            if let Ok(Some(Addresses::Range(first, last))) = Addresses::read(&text) {
                prop_assert!(first.is_ipv4() == last.is_ipv4() && first <= last);
            }
        }
    }
}
