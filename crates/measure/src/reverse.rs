//! The names under which an address stands in the DNS.

use std::net::IpAddr;

use model::Name;

/// The tree of a family: `in-addr.arpa` or `ip6.arpa`.
pub(crate) fn reverse_tree(address: IpAddr) -> Name {
    let tree = if address.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" };
    tree.parse().expect("both are names")
}

/// The name of an address in the reverse tree: `1.2.0.192.in-addr.arpa` (RFC 1035 §3.5, RFC 3596 §2.5).
pub(crate) fn reverse_name(address: IpAddr) -> Name {
    below(address, &reverse_tree(address)).expect("the longest is 73 characters")
}

/// The name of an address below `zone`, its parts in reverse as in the reverse tree; `None` where the name gets too long.
pub(crate) fn below(address: IpAddr, zone: &Name) -> Option<Name> {
    let parts: Vec<String> = match address {
        IpAddr::V4(address) => address.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(address) => {
            let octets = address.octets();
            let nibbles = octets.iter().rev().flat_map(|octet| [octet & 0x0f, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect()
        }
    };
    zone.child(&parts.join(".")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_name_in_the_reverse_tree() {
        for (address, name) in [
            ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
            (
                "2001:db8::4321:0:a:bcd",
                "d.c.b.0.a.0.0.0.0.0.0.0.1.2.3.4.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            ),
        ] {
            assert_eq!(reverse_name(address.parse().unwrap()).to_string(), name);
        }
        let long: Name = [["a".repeat(60).as_str(); 4].join("."), "b".repeat(8)]
            .join(".")
            .parse()
            .unwrap();
        assert_eq!(below("192.0.2.1".parse().unwrap(), &long), None);
    }
}
