//! A centre that serves a measuring zone, a real resolver, and the command that tests it, in a network of their own.

use std::io::Write as _;
use std::net::IpAddr;

use jiff::Timestamp;
use lab::{Change, DsChange, Event, Lab, World};
use model::{Ds, Name};
use testkit::network::in_own_network;
use testkit::program::are_installed;
use testkit::resolver::{Manner, Resolver, Root, Software};

use crate::centre::{Centre, dnscert, stderr, stdout};

const ZONE: &str = "shop.example";
const ADDRESS: &str = "127.10.8.1";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn a_resolver_is_tested_against_the_measuring_zone_of_a_centre() {
    if !are_installed(&[Software::Unbound.program()]).unwrap() {
        return;
    }
    in_own_network(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let lab = runtime.block_on(async {
            Lab::start(World::shipped("pocket").unwrap(), 53, Timestamp::now())
                .await
                .unwrap()
        });
        let mut centre = Centre::set_up(&lab.hints(), 53, "");
        let mut configuration = std::fs::OpenOptions::new()
            .append(true)
            .open(centre.configuration())
            .unwrap();
        writeln!(
            configuration,
            "[measuring_zone]\nname = \"{ZONE}\"\nlisten = [\"{ADDRESS}:53\"]"
        )
        .unwrap();
        centre.start();
        delegate(&lab, &centre);

        let ds = lab.ds(".").unwrap();
        let digest: String = ds.digest.iter().map(|octet| format!("{octet:02x}")).collect();
        let root = Root {
            servers: lab
                .hints()
                .into_iter()
                .map(|(name, addresses)| (name.to_string(), addresses))
                .collect(),
            ds: format!("{} {} {} {digest}", ds.key_tag, ds.algorithm, ds.digest_type),
        };
        let resolver = Resolver::start(Software::Unbound, Manner::GOOD, &root).unwrap();
        let good = dnscert(&[
            "check-resolver",
            "127.0.0.1",
            "--zone",
            ZONE,
            "--raw",
            "--level",
            "info",
        ]);
        assert_eq!(
            good.status.code(),
            Some(0),
            "{}{}{}",
            stdout(&good),
            stderr(&good),
            centre.log()
        );
        for tag in [
            "resolver02 R02_VALIDATES",
            "resolver03 R03_PORTS_GREAT",
            "resolver04 R04_MINIMISES",
        ] {
            assert!(stdout(&good).contains(tag), "{}", stdout(&good));
        }
        drop(resolver);

        let bad = Manner {
            source_port: Some(5_353),
            ..Manner::GOOD
        };
        let _resolver = Resolver::start(Software::Unbound, bad, &root).unwrap();
        let authority = format!("{ADDRESS}:53");
        let arguments = [
            "check-resolver",
            "127.0.0.1",
            "--zone",
            ZONE,
            "--authority",
            &authority,
            "--json",
        ];
        let poor = dnscert(&arguments);
        assert_eq!(poor.status.code(), Some(1), "{}", stdout(&poor));
        let document: serde_json::Value = serde_json::from_str(&stdout(&poor)).unwrap();
        let findings = document["findings"].as_array().unwrap();
        let port = findings
            .iter()
            .find(|finding| finding["tag"] == "R03_PORTS_POOR")
            .unwrap();
        assert!(
            port["explanation"]["mend"]
                .as_str()
                .unwrap()
                .contains("fixed source ports")
        );
        assert!(
            document["seen"]
                .as_array()
                .unwrap()
                .iter()
                .all(|seen| seen["from"] == "127.0.0.1:5353" || seen["transport"] == "tcp")
        );

        let words = stdout(&dnscert(&["check-resolver", "127.0.0.1", "--zone", ZONE]));
        for part in ["ERROR", "why", "mend", "R03_PORTS_POOR"] {
            assert!(words.contains(part), "`{part}` is missing in:\n{words}");
        }
        assert!(centre.stop(), "{}", centre.log());
    })
    .unwrap();
}

/// Delegates the zone to the centre, with what `dnscert doctor` says that the parent needs.
fn delegate(lab: &Lab, centre: &Centre) {
    let told = stdout(&centre.run(&["doctor"]));
    let (_, ds) = told
        .split_once(&format!("{ZONE}. DS "))
        .unwrap_or_else(|| panic!("{told}"));
    let ds: Ds = ds.lines().next().unwrap().replace(' ', ",").parse().unwrap();
    let address: IpAddr = ADDRESS.parse().unwrap();
    let change = Change::Redelegate {
        zone: name(ZONE),
        ns: [(name(&format!("ns.{ZONE}")), vec![address])].into(),
        ds: DsChange::Replace(vec![ds]),
    };
    lab.apply(&Event::new(change)).unwrap();
}
