//! The same zones, signed by BIND's tools and served by NSD, judged here and by validators of others: `delv`,
//! `ldns-verify-zone` and `dnsviz`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use measure::{CheckPlan, Internet, Settings, check, parse_anchors};
use model::{AbsenceKind, Chain, Security};
use testkit::loopback::free_port;
use testkit::name_server::{NameServer, Software, ZoneText};
use testkit::program::are_installed;

use crate::case_in_lab::name;
use crate::signed_zone::{Signed, bend, change_digest, is_signature, must_run, run, sign};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 74, 1));

const PROGRAMS: [&str; 5] = [
    "/usr/sbin/nsd",
    "/usr/bin/dnssec-signzone",
    "/usr/bin/delv",
    "/usr/bin/ldns-verify-zone",
    "/usr/bin/dnsviz",
];

/// A zone below `test`, and what is done to it after it was signed.
struct Example {
    label: &'static str,
    algorithm: &'static str,
    spoil: fn(&mut Signed),
    state: Security,
    /// Whether the damage is in the zone itself, so that a look at its file alone finds it.
    in_file: bool,
}

const fn whole(label: &'static str, algorithm: &'static str) -> Example {
    Example {
        label,
        algorithm,
        spoil: |_| {},
        state: Security::Secure,
        in_file: false,
    }
}

const fn bogus(label: &'static str, spoil: fn(&mut Signed), in_file: bool) -> Example {
    Example {
        label,
        algorithm: "ECDSAP256SHA256",
        spoil,
        state: Security::Bogus,
        in_file,
    }
}

const EXAMPLES: [Example; 13] = [
    whole("rsasha1", "NSEC3RSASHA1"),
    whole("rsasha256", "RSASHA256"),
    whole("rsasha512", "RSASHA512"),
    whole("p256", "ECDSAP256SHA256"),
    whole("p384", "ECDSAP384SHA384"),
    whole("ed25519", "ED25519"),
    whole("ed448", "ED448"),
    Example {
        state: Security::Insecure,
        spoil: |zone| zone.ds.clear(),
        ..whole("island", "ECDSAP256SHA256")
    },
    bogus("bent", |zone| bend(zone, "SOA"), true),
    bogus(
        "bare",
        |zone| zone.lines.retain(|line| !is_signature(line, "SOA")),
        true,
    ),
    bogus(
        "unkeyed",
        |zone| zone.lines.retain(|line| !is_signature(line, "DNSKEY")),
        true,
    ),
    bogus("stranger", |zone| zone.ds = change_digest(&zone.ds), false),
    // signed for a time that is over: see `options_of`
    bogus("expired", |_| {}, true),
];

const NSEC3: &[&str] = &["-3", "-"];

fn options_of(example: &Example) -> &'static [&'static str] {
    match example.label {
        "expired" => &["-3", "-", "-s", "20250101000000", "-e", "20250201000000"],
        _ => NSEC3,
    }
}

const APEX: &str = "$TTL 3600\n@ SOA ns.test. host.test. 1 14400 3600 1209600 300\n@ NS ns.test.\n";

/// All zones of the examples on one server.
struct World {
    _server: NameServer,
    port: u16,
    anchor: String,
    /// The examples by label.
    zones: BTreeMap<&'static str, Signed>,
}

fn start(folder: &Path) -> World {
    let mut zones = BTreeMap::new();
    let mut test = format!("{APEX}ns A {ADDRESS}\n");
    let mut texts = Vec::new();
    for example in &EXAMPLES {
        let zone = format!("{}.test", example.label);
        let text = format!("{APEX}@ MX 10 mail\nmail A 127.0.0.1\n");
        let mut signed = sign(folder, &zone, example.algorithm, &text, options_of(example));
        (example.spoil)(&mut signed);
        test.push_str(&format!("{} NS ns\n{}\n", example.label, signed.ds));
        texts.push((format!("{zone}."), signed.lines.join("\n")));
        zones.insert(example.label, signed);
    }
    let test = sign(folder, "test", "ECDSAP256SHA256", &test, NSEC3);
    let root = format!("{APEX}test NS ns.test.\nns.test. A {ADDRESS}\n{}\n", test.ds);
    let root = sign(folder, ".", "ECDSAP256SHA256", &root, NSEC3);
    texts.push(("test.".to_owned(), test.lines.join("\n")));
    texts.push((".".to_owned(), root.lines.join("\n")));
    let texts = texts.into_iter().map(|(name, text)| ZoneText {
        name,
        text: format!("{text}\n"),
    });
    let port = free_port().unwrap();
    World {
        _server: NameServer::start(Software::Nsd, ADDRESS, port, texts.collect()).unwrap(),
        port,
        anchor: root.anchor,
        zones,
    }
}

async fn chain(world: &World, zone: &str) -> Chain {
    let settings = Settings {
        hints: vec![(name("ns.test"), vec![ADDRESS])],
        anchors: parse_anchors(&world.anchor).unwrap(),
        port: world.port,
        ..Settings::default()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let report = check(&inquiry, &CheckPlan::of(name(zone)), inquiry.started()).await;
    report.chain.unwrap()
}

/// The states of the SOA and of the proof that a name does not exist.
fn states(chain: &Chain) -> (Security, Security) {
    let link = chain.links.last().unwrap();
    let soa = link.rrsets.iter().filter(|set| set.rtype == 6).map(|set| set.state);
    let absent = link
        .absences
        .iter()
        .filter(|absence| absence.kind == AbsenceKind::NoName)
        .map(|absence| absence.state);
    (soa.max().unwrap(), absent.max().unwrap())
}

/// What `delv` says of a question.
fn delv(folder: &Path, world: &World, question: [&str; 2]) -> Security {
    let words: Vec<&str> = world.anchor.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "DNSKEY").unwrap();
    let key = format!(
        "trust-anchors {{ . static-key {} {} {} \"{}\"; }};\n",
        words[at + 1],
        words[at + 2],
        words[at + 3],
        words[at + 4..].concat()
    );
    std::fs::write(folder.join("anchors"), key).unwrap();
    let (server, port) = (format!("@{ADDRESS}"), world.port.to_string());
    let options = [server.as_str(), "-p", &port, "-a", "anchors", "+root=."];
    let output = run(folder, "/usr/bin/delv", &[&options[..], &question].concat());
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if said.contains("fully validated") {
        Security::Secure
    } else if said.contains("unsigned answer") || said.contains("negative response, unsigned") {
        Security::Insecure
    } else {
        assert!(said.contains("resolution failed"), "{question:?}: {said}");
        Security::Bogus
    }
}

/// Runs `dnsviz grok`; Debian's edition does not know its own version of pygraphviz.
const GROK: &str = "import sys, types, pygraphviz
if not hasattr(pygraphviz, 'release'):
    pygraphviz.release = types.ModuleType('pygraphviz.release')
    pygraphviz.release.version = pygraphviz.__version__
    sys.modules['pygraphviz.release'] = pygraphviz.release
from dnsviz.commands import grok
grok.main(sys.argv)
";

/// What `dnsviz` says of the SOA of each zone, trusting the keys that their DS mean.
fn dnsviz(folder: &Path, world: &World, labels: &[&str]) -> Vec<Security> {
    let zones: Vec<String> = labels.iter().map(|label| format!("{label}.test")).collect();
    let mut probe: Vec<String> = ["probe", "-d", "0", "-A", "-4", "-R", "SOA", "-o", "probe.json"]
        .map(str::to_owned)
        .into();
    for zone in &zones {
        probe.extend(["-x".to_owned(), format!("{zone}+:ns.test={ADDRESS}:{}", world.port)]);
    }
    probe.extend(zones.iter().cloned());
    let probe: Vec<&str> = probe.iter().map(String::as_str).collect();
    must_run(folder, "/usr/bin/dnsviz", &probe);
    let anchors: Vec<&str> = labels.iter().map(|label| world.zones[label].anchor.as_str()).collect();
    std::fs::write(folder.join("trusted"), format!("{}\n", anchors.join("\n"))).unwrap();
    std::fs::write(folder.join("grok.py"), GROK).unwrap();
    let arguments = [
        "grok.py",
        "-t",
        "trusted",
        "-r",
        "probe.json",
        "-o",
        "grok.json",
        "-l",
        "info",
    ];
    must_run(folder, "/usr/bin/python3", &arguments);
    let text = std::fs::read_to_string(folder.join("grok.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let state = |zone: &String| {
        let zone = format!("{zone}.");
        let answer = &report[&zone]["queries"][format!("{zone}/IN/SOA")]["answer"][0];
        match answer["status"].as_str() {
            Some("SECURE") => Security::Secure,
            Some("INSECURE") => Security::Insecure,
            Some("BOGUS") => Security::Bogus,
            other => panic!("{zone}: {other:?} in {text}"),
        }
    };
    zones.iter().map(state).collect()
}

#[tokio::test]
async fn validators_of_others_come_to_the_same_verdicts() {
    if !are_installed(&PROGRAMS).unwrap() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let world = start(folder);
    for example in &EXAMPLES {
        let zone = format!("{}.test", example.label);
        let (soa, absent) = states(&chain(&world, &zone).await);
        assert_eq!(soa, example.state, "{zone}");
        assert_eq!(delv(folder, &world, [&zone, "SOA"]), soa, "delv on {zone} SOA");
        let nonesuch = format!("dnscert-no-such-name.{zone}");
        assert_eq!(delv(folder, &world, [&nonesuch, "A"]), absent, "delv on {nonesuch} A");

        let signed = &world.zones[example.label];
        std::fs::write(folder.join("zone"), format!("{}\n", signed.lines.join("\n"))).unwrap();
        let output = run(folder, "/usr/bin/ldns-verify-zone", &["zone"]);
        assert_eq!(
            output.status.success(),
            !example.in_file,
            "ldns-verify-zone on {zone}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // it is given the keys of the zones themselves, so that what is wrong with a DS does not show
    let is_seen = |example: &&Example| example.state != Security::Insecure && example.label != "stranger";
    let seen: Vec<&Example> = EXAMPLES.iter().filter(is_seen).collect();
    let labels: Vec<&str> = seen.iter().map(|example| example.label).collect();
    for (example, theirs) in seen.iter().zip(dnsviz(folder, &world, &labels)) {
        assert_eq!(theirs, example.state, "dnsviz on {}.test", example.label);
    }
}
