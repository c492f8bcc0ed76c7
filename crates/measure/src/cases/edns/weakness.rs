//! edns08: well-known weaknesses of the version that a server says it is.
//!
//! A version is a hint: distributions mend without changing the number, and people write into it what they like. So this never
//! says more than NOTICE.

use std::collections::BTreeMap;
use std::fmt;

use domain::base::iana::{Class, Rtype};

use crate::cases::Emission;
use crate::question::Question;
use crate::record::Data;
use crate::run::Run;
use crate::server::Server;

/// One weakness: versions of a program from the first (included) to the second (not included), by branch.
struct Weakness {
    program: Program,
    /// CVE ids of what was mended together.
    ids: &'static str,
    affected: &'static [(Version, Version)],
    /// What somebody outside can do with it.
    source: &'static str,
    /// When it was made known.
    published: &'static str,
}

/// Programs that say their name in `version.bind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Bind,
    Nsd,
    Unbound,
    Dnsmasq,
    PowerDns,
}

impl Program {
    fn as_str(self) -> &'static str {
        match self {
            Program::Bind => "BIND",
            Program::Nsd => "NSD",
            Program::Unbound => "Unbound",
            Program::Dnsmasq => "dnsmasq",
            Program::PowerDns => "PowerDNS",
        }
    }
}

/// A version of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u16, u16, u16);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// When this table was last compared with its sources.
const AS_OF: &str = "2026-11-23";

/// What can be done to a name server from outside and has been mended. Each line names its source; a program that is not here,
/// or a weakness of resolving alone, is left out.
const WEAKNESSES: [Weakness; 9] = [
    Weakness {
        program: Program::Bind,
        ids: "CVE-2026-5946, CVE-2026-3039",
        affected: &[
            (Version(9, 11, 0), Version(9, 18, 49)),
            (Version(9, 20, 0), Version(9, 20, 23)),
            (Version(9, 21, 0), Version(9, 21, 22)),
        ],
        source: "https://kb.isc.org/docs/cve-2026-5946",
        published: "2026-05-20",
    },
    Weakness {
        program: Program::Bind,
        ids: "CVE-2025-13878",
        affected: &[
            (Version(9, 18, 40), Version(9, 18, 44)),
            (Version(9, 20, 13), Version(9, 20, 18)),
            (Version(9, 21, 12), Version(9, 21, 17)),
        ],
        source: "https://kb.isc.org/docs/cve-2025-13878",
        published: "2026-01-21",
    },
    Weakness {
        program: Program::Bind,
        ids: "CVE-2024-11187, CVE-2024-12705",
        affected: &[
            (Version(9, 11, 0), Version(9, 18, 33)),
            (Version(9, 20, 0), Version(9, 20, 5)),
            (Version(9, 21, 0), Version(9, 21, 4)),
        ],
        source: "https://kb.isc.org/docs/cve-2024-11187",
        published: "2025-01-29",
    },
    Weakness {
        program: Program::Bind,
        ids: "CVE-2024-1737",
        affected: &[
            (Version(9, 11, 0), Version(9, 18, 28)),
            (Version(9, 19, 0), Version(9, 20, 0)),
        ],
        source: "https://kb.isc.org/docs/cve-2024-1737",
        published: "2024-07-23",
    },
    Weakness {
        program: Program::Bind,
        ids: "CVE-2020-8617",
        affected: &[
            (Version(9, 0, 0), Version(9, 11, 19)),
            (Version(9, 12, 0), Version(9, 14, 12)),
            (Version(9, 16, 0), Version(9, 16, 3)),
        ],
        source: "https://kb.isc.org/docs/cve-2020-8617",
        published: "2020-05-19",
    },
    Weakness {
        program: Program::Nsd,
        ids: "CVE-2026-12245",
        affected: &[(Version(4, 13, 0), Version(4, 14, 3))],
        source: "https://nlnetlabs.nl/downloads/nsd/CVE-2026-12245.txt",
        published: "2026-06",
    },
    Weakness {
        program: Program::Unbound,
        ids: "CVE-2026-42944, CVE-2026-33278",
        affected: &[(Version(1, 14, 0), Version(1, 25, 1))],
        source: "https://nlnetlabs.nl/projects/unbound/security-advisories/",
        published: "2026-05-20",
    },
    Weakness {
        program: Program::Dnsmasq,
        ids: "CVE-2020-25681, CVE-2020-25682, CVE-2020-25683, CVE-2020-25687",
        affected: &[(Version(2, 0, 0), Version(2, 83, 0))],
        source: "https://www.kb.cert.org/vuls/id/434904",
        published: "2021-01-19",
    },
    Weakness {
        program: Program::PowerDns,
        ids: "CVE-2022-27227",
        affected: &[
            (Version(4, 4, 0), Version(4, 4, 3)),
            (Version(4, 5, 0), Version(4, 5, 4)),
            (Version(4, 6, 0), Version(4, 6, 1)),
        ],
        source: "https://doc.powerdns.com/authoritative/security-advisories/powerdns-advisory-2022-01.html",
        published: "2022-03-25",
    },
];

/// Marks of distributions, which mend old versions without giving them a new number.
const DISTRIBUTIONS: [&str; 7] = ["debian", "ubuntu", "redhat", ".el", "~deb", "suse", ".amzn"];

/// edns08: no server says that it is a version with a well-known weakness.
pub async fn edns08(run: &Run) -> Vec<Emission> {
    let name = "version.bind".parse().expect("this is a name");
    let question = Question::plain(&name, Rtype::TXT).class(Class::CH);
    let addresses = run.child_addresses().await.keys().copied();
    let mut by_version: BTreeMap<String, Vec<Server>> = BTreeMap::new();
    for (address, exchange) in run.ask_all(addresses, &question).await {
        let Some(response) = exchange.response() else { continue };
        let texts = response
            .answer_type(Rtype::TXT)
            .filter_map(|record| match &record.data {
                Data::Txt(txt) => Some(txt.text::<Vec<u8>>()),
                _ => None,
            });
        for text in texts {
            let text: String = String::from_utf8_lossy(&text)
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect();
            by_version.entry(text).or_default().extend(run.servers_at(address));
        }
    }
    by_version
        .iter()
        .flat_map(|(version, servers)| tell(version, servers))
        .collect()
}

fn tell(text: &str, servers: &[Server]) -> Vec<Emission> {
    let is_patched = {
        let lower = text.to_ascii_lowercase();
        DISTRIBUTIONS.iter().any(|mark| lower.contains(mark))
    };
    let tag = if is_patched {
        "E08_MENDED_BY_DISTRIBUTION"
    } else {
        "E08_KNOWN_WEAKNESS"
    };
    let found = weaknesses_of(text).map(|(weakness, until)| {
        Emission::new(tag)
            .list("ns_list", servers)
            .arg("version", text)
            .arg("ids", weakness.ids)
            .arg("fixed", format!("{} {until}", weakness.program.as_str()))
            .arg("source", weakness.source)
            .arg("published", weakness.published)
    });
    let found: Vec<Emission> = found.collect();
    if found.is_empty() {
        let none = Emission::new("E08_NO_KNOWN_WEAKNESS").list("ns_list", servers);
        return vec![none.arg("version", text).arg("as_of", AS_OF)];
    }
    found
}

/// The weaknesses of a version as a server says it, each with the version of its branch that has it no more.
fn weaknesses_of(text: &str) -> impl Iterator<Item = (&'static Weakness, Version)> {
    let read = read_version(text);
    WEAKNESSES.iter().filter_map(move |weakness| {
        let (program, version) = read?;
        let affected = weakness.affected.iter();
        let range = affected
            .filter(|_| weakness.program == program)
            .find(|(from, until)| (*from..*until).contains(&version))?;
        Some((weakness, range.1))
    })
}

/// Program and version of texts such as `9.18.28-1~deb12u2-Debian`, `NSD 4.6.1`, `unbound 1.17.1`, `dnsmasq-2.80`,
/// `PowerDNS Authoritative Server 4.4.1 (built …)`. A bare number that begins with 9 is BIND's.
fn read_version(text: &str) -> Option<(Program, Version)> {
    let lower = text.trim().to_ascii_lowercase();
    let named = [
        ("bind", Program::Bind),
        ("nsd", Program::Nsd),
        ("unbound", Program::Unbound),
        ("dnsmasq", Program::Dnsmasq),
        ("powerdns authoritative", Program::PowerDns),
    ];
    let (program, rest) = match named.iter().find(|(name, _)| lower.starts_with(name)) {
        Some((name, program)) => (*program, &lower[name.len()..]),
        None if lower.starts_with("9.") => (Program::Bind, lower.as_str()),
        None => return None,
    };
    let number = &rest[rest.find(|c: char| c.is_ascii_digit())?..];
    let end = number
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(number.len());
    let mut parts = number[..end]
        .split('.')
        .filter(|part| !part.is_empty())
        .map(str::parse::<u16>);
    let (major, minor) = (parts.next()?.ok()?, parts.next()?.ok()?);
    let patch = parts.next().transpose().ok()?.unwrap_or(0);
    Some((program, Version(major, minor, patch)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        for (text, expected) in [
            ("9.18.28-1~deb12u2-Debian", Some((Program::Bind, Version(9, 18, 28)))),
            (
                "9.11.4-P2-RedHat-9.11.4-26.P2.el7",
                Some((Program::Bind, Version(9, 11, 4))),
            ),
            ("BIND 9.20.23", Some((Program::Bind, Version(9, 20, 23)))),
            ("NSD 4.14.2", Some((Program::Nsd, Version(4, 14, 2)))),
            ("unbound 1.17.1", Some((Program::Unbound, Version(1, 17, 1)))),
            ("dnsmasq-2.80", Some((Program::Dnsmasq, Version(2, 80, 0)))),
            (
                "PowerDNS Authoritative Server 4.4.1 (built Feb 1 2021)",
                Some((Program::PowerDns, Version(4, 4, 1))),
            ),
            ("Microsoft DNS 10.0.17763", None),
            ("none of your business", None),
            ("9.", None),
            ("", None),
        ] {
            assert_eq!(read_version(text), expected, "{text}");
        }
    }

    #[test]
    fn a_version_has_the_weaknesses_of_its_branch() {
        let ids = |text: &str| {
            weaknesses_of(text)
                .map(|(weakness, until)| format!("{} {until}", weakness.ids))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ids("9.20.17"),
            ["CVE-2026-5946, CVE-2026-3039 9.20.23", "CVE-2025-13878 9.20.18"]
        );
        assert_eq!(ids("9.18.49"), Vec::<String>::new());
        assert_eq!(ids("9.16.50").len(), 3, "a branch that is not mended any more");
        assert_eq!(ids("NSD 4.12.0"), Vec::<String>::new());
        assert_eq!(ids("NSD 4.13.0"), ["CVE-2026-12245 4.14.3"]);
    }

    #[test]
    fn every_line_of_the_table_is_in_order_and_has_its_source() {
        for weakness in &WEAKNESSES {
            assert!(weakness.source.starts_with("https://"), "{}", weakness.ids);
            assert!(weakness.published < AS_OF, "{}", weakness.ids);
            assert!(
                weakness.ids.split(", ").all(|id| id.starts_with("CVE-")),
                "{}",
                weakness.ids
            );
            let bounds: Vec<Version> = weakness
                .affected
                .iter()
                .flat_map(|(from, until)| [*from, *until])
                .collect();
            assert!(bounds.is_sorted_by(|a, b| a < b), "{}", weakness.ids);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_version_or_none(text in "((bind|nsd|unbound|dnsmasq|9)[ -.]?[0-9.]{0,12}\\PC{0,8})|\\PC{0,30}") {
            let _ = read_version(&text);
        }
    }
}
