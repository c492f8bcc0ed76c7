//! The root name servers of the public DNS.

use std::net::IpAddr;

use model::Name;

/// Names and addresses of the thirteen (IANA, Root Servers, as of November 2026).
const ROOT_SERVERS: [(&str, &str, &str); 13] = [
    ("a.root-servers.net", "198.41.0.4", "2001:503:ba3e::2:30"),
    ("b.root-servers.net", "170.247.170.2", "2801:1b8:10::b"),
    ("c.root-servers.net", "192.33.4.12", "2001:500:2::c"),
    ("d.root-servers.net", "199.7.91.13", "2001:500:2d::d"),
    ("e.root-servers.net", "192.203.230.10", "2001:500:a8::e"),
    ("f.root-servers.net", "192.5.5.241", "2001:500:2f::f"),
    ("g.root-servers.net", "192.112.36.4", "2001:500:12::d0d"),
    ("h.root-servers.net", "198.97.190.53", "2001:500:1::53"),
    ("i.root-servers.net", "192.36.148.17", "2001:7fe::53"),
    ("j.root-servers.net", "192.58.128.30", "2001:503:c27::2:30"),
    ("k.root-servers.net", "193.0.14.129", "2001:7fd::1"),
    ("l.root-servers.net", "199.7.83.42", "2001:500:9f::42"),
    ("m.root-servers.net", "202.12.27.33", "2001:dc3::35"),
];

/// Root hints for the public DNS, where no hints file is given.
pub fn root_servers() -> Vec<(Name, Vec<IpAddr>)> {
    let address = |text: &str| text.parse::<IpAddr>().expect("the table holds addresses");
    ROOT_SERVERS
        .iter()
        .map(|(name, v4, v6)| {
            (
                name.parse().expect("the table holds names"),
                vec![address(v4), address(v6)],
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn thirteen_servers_have_an_address_of_each_family() {
        let servers = super::root_servers();
        assert_eq!(servers.len(), 13);
        assert!(
            servers
                .iter()
                .all(|(_, addresses)| addresses[0].is_ipv4() && addresses[1].is_ipv6())
        );
    }
}
