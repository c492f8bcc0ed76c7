//! Address prefixes (RFC 4632, RFC 4291 §2.3).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address prefix. The bits after its length are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

/// A text that is no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address prefix like 192.0.2.0/24 or 2001:db8::/32")]
pub struct PrefixError(String);

impl Prefix {
    /// The prefix of this length that holds `address`; `None` when the length is more than its bits. An IPv4-mapped
    /// address (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is one of IPv6 here.
    pub fn of(address: IpAddr, length: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(address) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
            _ => return None,
        };
        Some(Self { address, length })
    }

    /// All prefixes that hold `address`, the longest first.
    pub fn all_of(address: IpAddr) -> Vec<Self> {
        (0..=128).rev().filter_map(|length| Self::of(address, length)).collect()
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Number of leading bits that count.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether it holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::of(address, self.length) == Some(*self)
    }

    /// The prefix of IPv4 that one of IPv4-mapped addresses stands for; any other as it is.
    pub fn to_canonical(self) -> Self {
        match (self.address.to_canonical(), self.length.checked_sub(96)) {
            (address @ IpAddr::V4(_), Some(length)) if self.address.is_ipv6() => Self { address, length },
            _ => self,
        }
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    /// A lone address is a prefix of full length. Set bits after the length are an error: they hide a slip.
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let wrong = || PrefixError(text.chars().take(100).collect());
        let (address, length) = text
            .trim()
            .split_once('/')
            .map_or((text.trim(), None), |(a, b)| (a, Some(b)));
        let address = address.parse::<IpAddr>().map_err(|_| wrong())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(full), |length| length.parse().map_err(|_| wrong()))?;
        Self::of(address, length)
            .filter(|prefix| prefix.address == address)
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefixes_read_print_and_contain() {
        for (text, printed) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("::ffff:0:0/96", "::ffff:0.0.0.0/96"),
        ] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_string(), printed);
        }
        for text in [
            "",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "2001:db8::/129",
            "::/-1",
            "192.0.2.0/",
            "x/8",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
        let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
        assert!(prefix.contains("192.0.2.255".parse().unwrap()));
        assert!(!prefix.contains("192.0.3.0".parse().unwrap()));
        assert!(!prefix.contains("2001:db8::".parse().unwrap()));
    }

    #[test]
    fn a_prefix_of_mapped_addresses_stands_for_one_of_ipv4() {
        for (text, canonical) in [
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("2001:db8::/100", "2001:db8::/100"),
            ("::/8", "::/8"),
            ("192.0.2.0/24", "192.0.2.0/24"),
        ] {
            assert_eq!(text.parse::<Prefix>().unwrap().to_canonical().to_string(), canonical);
        }
    }

    #[test]
    fn all_prefixes_of_an_address_go_from_long_to_short() {
        let prefixes = Prefix::all_of("192.0.2.1".parse().unwrap());
        assert_eq!(
            (prefixes.len(), prefixes[0].length(), prefixes[32].length()),
            (33, 32, 0)
        );
        assert_eq!(Prefix::all_of("2001:db8::1".parse().unwrap()).len(), 129);
    }

    proptest! {
        #[test]
        fn any_text_is_a_prefix_or_an_error(text in "(.{0,30}|[0-9a-f:./]{0,30})") {
            if let Ok(prefix) = text.parse::<Prefix>() {
                prop_assert_eq!(prefix.to_string().parse::<Prefix>().unwrap(), prefix);
            }
        }

        #[test]
        fn an_address_lies_in_all_its_prefixes(bits: u128) {
            let address = IpAddr::V6(Ipv6Addr::from_bits(bits));
            prop_assert!(Prefix::all_of(address).iter().all(|prefix| prefix.contains(address)));
        }
    }
}
