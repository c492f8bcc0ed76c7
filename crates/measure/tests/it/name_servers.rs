//! The same zones, and their parent, on NSD, Knot DNS, BIND and PowerDNS get the same verdicts, sound or broken: a verdict is on the zone, not on
//! the program that serves it. Where the programs differ by right, [`MANNERS`] says so.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use lab::{Lab, World};
use measure::{CheckPlan, Internet, Settings, check};
use model::Level;
use testkit::name_server::{NameServer, PROGRAMS, Software, ZoneText};
use testkit::network::in_own_network;
use testkit::program::are_installed;

use crate::case_in_lab::{name, noon, settings};
use crate::signed_zone::{self, Signed, bend, change_digest, is_signature, sign};

/// The two servers of all zones, and the two of their parent. A third address, `127.0.75.3`, is nobody's.
const SERVERS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 75, 1), Ipv4Addr::new(127, 0, 75, 2)];
const OF_PARENT: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 75, 11), Ipv4Addr::new(127, 0, 75, 12)];

/// The time for which signatures are made: around [`noon`], and before it.
const NOW: &[&str] = &["-s", "20261116000000", "-e", "20261220000000"];
const OVER: &[&str] = &["-s", "20261001000000", "-e", "20261101000000"];

const ALGORITHM: &str = "ECDSAP256SHA256";

const SOA: &str = "@ SOA ns1 hostmaster 2026112301 14400 3600 1209600 3600";
const BOTH: &str = "@ NS ns1\n@ NS ns2";
const HOSTS: &str = "ns1 A 127.0.75.1\nns2 A 127.0.75.2";

/// A zone below `test`, and what is wrong with it.
struct Example {
    label: &'static str,
    soa: &'static str,
    ns: &'static str,
    hosts: &'static str,
    /// Further records.
    more: &'static str,
    /// NS and glue at the parent, where they differ from the zone's.
    delegation: Option<&'static str>,
    /// Options of the signer; an unsigned zone has none.
    signing: Option<&'static [&'static str]>,
    /// What is done to the zone after it was signed.
    spoil: fn(&mut Signed),
    /// SOA of the edition that the second server has, or no edition at all.
    second: Second,
    /// A DS at the parent of an unsigned zone.
    ds: &'static str,
    /// Messages that it must get.
    must: &'static [&'static str],
}

enum Second {
    Same,
    Soa(&'static str),
    Missing,
}

const UNSIGNED: Example = Example {
    label: "",
    soa: SOA,
    ns: BOTH,
    hosts: HOSTS,
    more: "mail A 127.0.75.9\n@ MX 10 mail\n@ TXT \"v=spf1 mx -all\"\nwww A 127.0.75.8",
    delegation: None,
    signing: None,
    spoil: |_| {},
    second: Second::Same,
    ds: "",
    must: &[],
};

const SIGNED: Example = Example {
    signing: Some(NOW),
    ..UNSIGNED
};

const EXAMPLES: &[Example] = &[
    Example {
        label: "sound",
        must: &["CH01_SECURE"],
        ..SIGNED
    },
    Example {
        label: "expired",
        signing: Some(OVER),
        must: &["CH02_EXPIRED", "CH01_BOGUS"],
        ..SIGNED
    },
    Example {
        label: "lost",
        spoil: |zone| zone.ds = change_digest(&zone.ds),
        must: &["CH01_BOGUS"],
        ..SIGNED
    },
    Example {
        label: "bent",
        spoil: |zone| bend(zone, "SOA"),
        must: &["CH02_DOES_NOT_VERIFY"],
        ..SIGNED
    },
    Example {
        label: "naked",
        // Knot DNS takes a zone whose SOA record has no signature for unsigned, and sends none at all
        spoil: |zone| zone.lines.retain(|line| !is_signature(line, "NS")),
        must: &["CH02_RRSIG_MISSING"],
        ..SIGNED
    },
    Example {
        label: "iterated",
        signing: Some(&[
            "-s",
            "20261116000000",
            "-e",
            "20261220000000",
            "-3",
            "abcd",
            "-H",
            "100",
        ]),
        must: &["DS03_ILLEGAL_ITERATION_VALUE", "DS03_ILLEGAL_SALT_LENGTH"],
        ..SIGNED
    },
    Example {
        label: "wish",
        more: "@ CDS 4711 13 2 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n@ MX 10 mail\n*.www A 127.0.75.8",
        must: &["DS16_CDS_MATCHES_NO_DNSKEY"],
        ..SIGNED
    },
    Example {
        label: "bare",
        ds: "bare DS 4711 13 2 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        must: &["CH01_BOGUS"],
        ..UNSIGNED
    },
    Example {
        label: "single",
        ns: "@ NS ns1",
        hosts: "ns1 A 127.0.75.1",
        must: &["NOT_ENOUGH_NS_CHILD", "NOT_ENOUGH_NS_DEL"],
        ..UNSIGNED
    },
    Example {
        label: "stale",
        second: Second::Soa("@ SOA ns1 hostmaster 2026112201 14400 3600 1209600 3600"),
        must: &["MULTIPLE_SOA_SERIALS"],
        ..UNSIGNED
    },
    Example {
        label: "half",
        second: Second::Missing,
        must: &["CN01_UNEXPECTED_RCODE_SOA_QUERY_UDP", "IS_NOT_AUTHORITATIVE"],
        ..UNSIGNED
    },
    Example {
        label: "torn",
        delegation: Some("torn NS ns1.torn\ntorn NS ns3.torn\nns1.torn A 127.0.75.1\nns3.torn A 127.0.75.2"),
        must: &["EXTRA_NAME_PARENT", "EXTRA_NAME_CHILD"],
        ..UNSIGNED
    },
    Example {
        label: "timer",
        soa: "@ SOA ns1 hostmaster\\@timer.test. 2026112301 1800 3600 604800 90000",
        must: &["REFRESH_LOWER_THAN_RETRY", "RNAME_MISUSED_AT_SIGN"],
        ..UNSIGNED
    },
    Example {
        label: "dead",
        ns: "@ NS ns1\n@ NS ns2\n@ NS ns3",
        hosts: "ns1 A 127.0.75.1\nns2 A 127.0.75.2\nns3 A 127.0.75.3",
        must: &["CN01_NO_RESPONSE_UDP", "CN02_NO_RESPONSE_TCP"],
        ..UNSIGNED
    },
];

impl Example {
    fn zone(&self) -> String {
        format!("{}.test", self.label)
    }

    fn text(&self, soa: &str) -> String {
        format!("$TTL 3600\n{soa}\n{}\n{}\n{}\n", self.ns, self.hosts, self.more)
    }

    fn delegation(&self) -> String {
        let own = || {
            let line = |line: &str| match line.strip_prefix("@ NS ") {
                Some(server) => format!("{0} NS {server}.{0}", self.label),
                None => line.replacen(" A ", &format!(".{} A ", self.label), 1),
            };
            let lines: Vec<String> = self.ns.lines().chain(self.hosts.lines()).map(line).collect();
            lines.join("\n")
        };
        self.delegation.map_or_else(own, str::to_owned)
    }
}

/// All zones as each server has them, and the parent's DS records.
struct Zones {
    of_servers: Vec<(Ipv4Addr, Vec<ZoneText>)>,
    ds: String,
}

fn zone_text(zone: &str, text: &str) -> ZoneText {
    ZoneText {
        name: format!("{zone}."),
        text: format!("$ORIGIN {zone}.\n{text}"),
    }
}

fn zones(folder: &Path) -> Zones {
    let mut of_servers = SERVERS.map(|server| (server, Vec::new()));
    let mut parent = format!(
        "$TTL 3600\n{SOA}\n{BOTH}\nns1 A {}\nns2 A {}\n",
        OF_PARENT[0], OF_PARENT[1]
    );
    for example in EXAMPLES {
        let zone = example.zone();
        let (first, ds) = match example.signing {
            None => (example.text(example.soa), example.ds.to_owned()),
            Some(options) => {
                let mut signed = sign(folder, &zone, ALGORITHM, &example.text(example.soa), options);
                (example.spoil)(&mut signed);
                (signed.lines.join("\n") + "\n", signed.ds)
            }
        };
        let second = match example.second {
            Second::Same => Some(first.clone()),
            Second::Soa(soa) => Some(example.text(soa)),
            Second::Missing => None,
        };
        for ((_, zones), text) in of_servers.iter_mut().zip([Some(first), second]) {
            zones.extend(text.map(|text| zone_text(&zone, &text)));
        }
        parent.push_str(&format!("{}\n{ds}\n", example.delegation()));
    }
    let parent = sign(folder, "test", ALGORITHM, &parent, NOW);
    let text = zone_text("test", &(parent.lines.join("\n") + "\n"));
    let of_parent = OF_PARENT.map(|server| (server, vec![text.clone()]));
    Zones {
        of_servers: of_servers.into_iter().chain(of_parent).collect(),
        ds: parent.ds,
    }
}

/// The root, in the lab.
async fn root(ds: &str) -> Lab {
    let world = "name = 'root'\n[[server]]\nname = 'ns.root.test'\naddresses = ['127.30.0.1']\nzones = ['.']\n\
                 [[zone]]\nname = '.'\nfile = 'root'\nsigning = {}\n";
    let [first, second] = OF_PARENT;
    let root = format!(
        "$TTL 3600\n@ SOA ns.root.test. host.test. 1 14400 3600 1209600 3600\n@ NS ns.root.test.\n\
         ns.root.test. A 127.30.0.1\ntest. NS ns1.test.\ntest. NS ns2.test.\nns1.test. A {first}\nns2.test. A {second}\n{ds}\n"
    );
    let world = World::from_parts(&[("world.toml", world), ("root", &root)]).unwrap();
    Lab::start(world, 53, noon()).await.unwrap()
}

/// What is said of a zone: test case, tag, level.
type Verdict = (String, String, Level);

/// Cases about the version that a program gives of itself. They are left out: BIND answers three questions of class CH a second,
/// and is silent to the others.
const OF_VERSIONS: [&str; 2] = ["nameserver15", "edns08"];

/// The deep cases are about the program alone, so that one zone will do.
fn cases_for(example: &Example) -> Vec<String> {
    let cases = measure::cases::all().filter(|case| !case.deep || example.label == "sound");
    let ids = cases.map(|case| case.id).filter(|id| !OF_VERSIONS.contains(id));
    ids.map(str::to_owned).collect()
}

/// All verdicts on all zones while this software serves them.
async fn verdicts(software: Software, zones: &Zones) -> BTreeMap<&'static str, BTreeSet<Verdict>> {
    let lab = root(&zones.ds).await;
    let texts = zones.of_servers.clone();
    let starting = tokio::task::spawn_blocking(move || {
        let start = |(address, texts): (Ipv4Addr, _)| NameServer::start(software, address.into(), 53, texts).unwrap();
        texts.into_iter().map(start).collect::<Vec<NameServer>>()
    });
    let _servers = starting.await.unwrap();
    let settings = Settings {
        ipv6: false,
        odd_question_pause: Duration::ZERO,
        ..settings(&lab)
    };
    let mut said = BTreeMap::new();
    for example in EXAMPLES {
        let inquiry = Internet::open(settings.clone()).unwrap().inquiry();
        let plan = CheckPlan {
            cases: Some(cases_for(example)),
            ..CheckPlan::of(name(&example.zone()))
        };
        let report = check(&inquiry, &plan, noon()).await;
        let findings = report.findings.into_iter().map(|(_, finding)| finding);
        let verdicts = findings.map(|finding| (finding.case, finding.tag, finding.level));
        said.insert(example.label, verdicts.collect());
    }
    said
}

/// What a program does otherwise than others, and may: the message that tells it, which of them get it, and why.
const MANNERS: &[(&str, &[Software], &str)] = {
    use Software::{Bind, Knot, Nsd, PowerDns};
    const COOKIES: &str = "BIND gives cookies unless told otherwise, NSD and Knot DNS when told to, PowerDNS never";
    const ANY: &str = "BIND answers ANY in full, NSD and Knot DNS as RFC 8482 has it, PowerDNS by TC";
    const IDENTITY: &str = "Knot DNS and PowerDNS give the name of their machine as NSID, the others when told to";
    &[
        ("E04_COOKIES", &[Bind], COOKIES),
        ("E04_INVALID_SERVER_COOKIE_WITHOUT_BADCOOKIE", &[Bind], COOKIES),
        ("E04_NO_SERVER_COOKIE_WITHOUT_BADCOOKIE", &[Bind], COOKIES),
        ("E04_NO_COOKIES", &[Nsd, Knot, PowerDns], COOKIES),
        ("E06_ANY_IN_FULL", &[Bind], ANY),
        ("E06_HIGH_AMPLIFICATION", &[Bind], ANY),
        ("E06_ANY_IS_MINIMAL", &[Nsd, Knot], ANY),
        ("E07_NSID", &[Knot, PowerDns], IDENTITY),
        ("E07_NO_NSID", &[Nsd, Bind], IDENTITY),
        ("ODD_HEADER_FLAGS", &[Nsd, Knot, PowerDns], "only BIND sends CD back"),
        (
            "ODD_NO_RESPONSE",
            &[Nsd, PowerDns],
            "PowerDNS is silent to opcodes that it does not know and to TC, NSD cuts such a question off",
        ),
        (
            "CH02_ORIGINAL_TTL_EXCEEDED",
            &[PowerDns],
            "it makes the NSEC3PARAM record itself, with the TTL of negative answers",
        ),
        (
            "CH02_RRSIG_TTL_EXCEEDS_ORIGINAL",
            &[PowerDns],
            "as the record, so its signature",
        ),
    ]
};

#[test]
fn a_zone_gets_the_same_verdicts_on_four_name_servers() {
    if !are_installed(&[PROGRAMS, &signed_zone::PROGRAMS].concat()).unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let zones = zones(folder.path());
    let of_software = Software::ALL.map(|software| {
        let said = in_own_network(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(verdicts(software, &zones))
        });
        Some((software, said.unwrap()?))
    });
    if of_software.contains(&None) {
        return;
    }
    let mut sayers: BTreeMap<(&str, &Verdict), Vec<Software>> = BTreeMap::new();
    for (software, of_zones) in of_software.iter().flatten() {
        for (zone, verdicts) in of_zones {
            for verdict in verdicts {
                sayers.entry((*zone, verdict)).or_default().push(*software);
            }
        }
    }
    for example in EXAMPLES {
        for tag in example.must {
            let is_said = |(zone, verdict): &(&str, &Verdict)| *zone == example.label && verdict.1 == *tag;
            assert!(sayers.keys().any(is_said), "{}: nobody says {tag}", example.label);
        }
    }
    let of_sound = sayers.iter().filter(|((zone, verdict), by)| {
        *zone == "sound" && verdict.2 >= Level::Warning && by.len() == Software::ALL.len()
    });
    assert_eq!(of_sound.count(), 0, "something is wrong with the sound zone");
    sayers.retain(|_, software| software.len() < Software::ALL.len());
    let mut seen = BTreeSet::new();
    let mut differing = Vec::new();
    for ((zone, (case, tag, level)), software) in &sayers {
        match MANNERS.iter().position(|(known, by, _)| known == tag && by == software) {
            Some(manner) => _ = seen.insert(manner),
            None => differing.push(format!("{zone} {case} {tag} {level}: only {software:?}")),
        }
    }
    assert!(
        differing.is_empty(),
        "{} differ:\n{}",
        differing.len(),
        differing.join("\n")
    );
    let unseen = MANNERS.iter().enumerate().filter(|(manner, _)| !seen.contains(manner));
    let unseen: Vec<&str> = unseen.map(|(_, (tag, ..))| *tag).collect();
    assert!(unseen.is_empty(), "these no longer differ: {unseen:?}");
}
