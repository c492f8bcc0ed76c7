//! Real resolvers, each configured well and badly, in a network of their own with the lab's root and the measuring zone.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lab::{Change, DsChange, Event, Lab, World};
use measure::authority::{Authority, Listening, serve};
use measure::{Measuring, Profile, ResolverPlan, ResolverReport, Settings, check_resolver};
use model::{Level, SystemClock, Timestamp};
use testkit::network::in_own_network;
use testkit::program::are_installed;
use testkit::resolver::{Manner, Resolver, Root, Software};

use crate::case_in_lab::name;

/// The zone that becomes the measuring zone: resolvers answer for names under `test` by themselves (RFC 6761).
const ZONE: &str = "shop.example";
const AUTHORITY: &str = "127.10.8.1:53";

/// The lab with the measuring zone in it, at port 53.
struct Stage {
    lab: Lab,
    _server: tokio::task::JoinHandle<()>,
}

impl Stage {
    async fn set(is_chained: bool) -> Self {
        let lab = Lab::start(World::shipped("pocket").unwrap(), 53, Timestamp::now())
            .await
            .unwrap();
        let address: SocketAddr = AUTHORITY.parse().unwrap();
        let authority = Arc::new(Authority::in_memory(name(ZONE), vec![address.ip()]).unwrap());
        let ds = if is_chained { vec![authority.ds()] } else { Vec::new() };
        let change = Change::Redelegate {
            zone: name(ZONE),
            ns: [(authority.server(), vec![address.ip()])].into(),
            ds: if ds.is_empty() {
                DsChange::Remove
            } else {
                DsChange::Replace(ds)
            },
        };
        lab.apply(&Event::new(change)).unwrap();
        let listening = Listening::open(&[address]).await.unwrap();
        let _server = tokio::spawn(serve(authority, listening, Arc::new(SystemClock)));
        Self { lab, _server }
    }

    fn root(&self) -> Root {
        let ds = self.lab.ds(".").unwrap();
        let digest: String = ds.digest.iter().map(|octet| format!("{octet:02x}")).collect();
        Root {
            servers: self
                .lab
                .hints()
                .into_iter()
                .map(|(name, addresses)| (name.to_string(), addresses))
                .collect(),
            ds: format!("{} {} {} {digest}", ds.key_tag, ds.algorithm, ds.digest_type),
        }
    }
}

/// Runs `work` in a network of its own, with a runtime of its own.
fn inside<T: Send, F: Future<Output = T>>(work: impl FnOnce() -> F + Send) -> Option<T> {
    in_own_network(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(work())
    })
    .unwrap()
}

fn plan(address: &str) -> ResolverPlan {
    ResolverPlan {
        resolver: SocketAddr::new(address.parse::<IpAddr>().unwrap(), 53),
        measuring: Some(Measuring {
            zone: name(ZONE),
            authority: None,
        }),
        is_outside: false,
        profile: Profile::default(),
    }
}

fn settings() -> Settings {
    Settings {
        timeout: Duration::from_secs(6),
        ipv6: false,
        ..Settings::default()
    }
}

/// Starts the resolver in this manner and tests it. `None` where it is not installed or may not run.
fn tested(software: Software, manner: Manner, is_chained: bool, plan: ResolverPlan) -> Option<ResolverReport> {
    if !are_installed(&[software.program()]).unwrap() {
        return None;
    }
    inside(async || {
        let stage = Stage::set(is_chained).await;
        // starting it waits, and the lab must answer meanwhile
        let root = stage.root();
        let started = tokio::task::spawn_blocking(move || Resolver::start(software, manner, &root));
        let resolver = started.await.unwrap().unwrap();
        let report = check_resolver(&settings(), &plan, Timestamp::now()).await.unwrap();
        if report.seen.is_empty() {
            eprintln!("{}", resolver.log());
        }
        tokio::task::spawn_blocking(move || drop(resolver)).await.unwrap();
        report
    })
}

fn tags(report: &ResolverReport) -> BTreeSet<&str> {
    report.findings.iter().map(|finding| finding.tag.as_str()).collect()
}

#[test]
fn resolvers_that_are_run_well_have_nothing_to_mend() {
    for software in Software::ALL {
        let Some(report) = tested(software, Manner::GOOD, true, plan("127.0.0.1")) else {
            continue;
        };
        let wrong: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.level >= Level::Warning)
            .collect();
        assert!(wrong.is_empty(), "{software:?}: {wrong:#?}");
        let expected = [
            "R01_ANSWERS",
            "R01_EGRESS",
            "R02_VALIDATES",
            "R03_PORTS_GREAT",
            "R03_IDS_GREAT",
            "R04_MINIMISES",
            "R08_NO_SUBNET",
            "R09_SERVES_US",
            "R10_SAYS_SO",
            "R11_BUFFER",
            "R11_TCP_FALLBACK",
        ];
        for tag in expected {
            assert!(
                tags(&report).contains(tag),
                "{software:?} lacks {tag}: {:#?}",
                tags(&report)
            );
        }
        let cookies = ["R05_SENDS_COOKIES", "R05_GIVES_COOKIES"].map(|tag| tags(&report).contains(tag));
        assert_eq!(cookies, [software == Software::Bind; 2], "{software:?}");
        assert_eq!(
            tags(&report).contains("R06_MIXES_CASE"),
            software == Software::Kresd,
            "{software:?}"
        );
        let encrypted = ["R07_TLS", "R07_HTTPS"].map(|tag| tags(&report).contains(tag));
        assert_eq!(encrypted, [software == Software::Kresd; 2], "{software:?}");
    }
}

#[test]
fn a_resolver_that_does_not_validate_is_found_out() {
    for software in Software::ALL {
        let manner = Manner {
            validates: false,
            ..Manner::GOOD
        };
        let Some(report) = tested(software, manner, true, plan("127.0.0.1")) else {
            continue;
        };
        assert!(
            tags(&report).contains("R02_DOES_NOT_VALIDATE"),
            "{software:?}: {:#?}",
            tags(&report)
        );
        assert!(!tags(&report).contains("R02_VALIDATES"), "{software:?}");
        assert!(!tags(&report).contains("R12_AD_WITHOUT_PROOF"), "{software:?}");
    }
}

#[test]
fn a_fixed_source_port_is_poor() {
    for software in [Software::Unbound, Software::Bind] {
        let manner = Manner {
            source_port: Some(5_353),
            ..Manner::GOOD
        };
        let Some(report) = tested(software, manner, true, plan("127.0.0.1")) else {
            continue;
        };
        assert!(
            tags(&report).contains("R03_PORTS_POOR"),
            "{software:?}: {:#?}",
            report.findings
        );
        assert!(tags(&report).contains("R03_IDS_GREAT"), "{software:?}");
    }
}

#[test]
fn a_resolver_that_tells_whole_names_is_found_out() {
    for software in Software::ALL {
        let manner = Manner {
            minimises: false,
            ..Manner::GOOD
        };
        let Some(report) = tested(software, manner, true, plan("127.0.0.1")) else {
            continue;
        };
        assert!(
            tags(&report).contains("R04_DOES_NOT_MINIMISE"),
            "{software:?}: {:#?}",
            report.findings
        );
    }
}

#[test]
fn a_resolver_that_turns_us_away_is_not_asked_further() {
    for software in Software::ALL {
        let manner = Manner {
            serves: false,
            ..Manner::GOOD
        };
        let Some(report) = tested(software, manner, true, plan("127.0.0.1")) else {
            continue;
        };
        let told = tags(&report);
        // PowerDNS says nothing at all to strangers
        let expected = match software {
            Software::Recursor => vec!["R01_NO_RESPONSE"],
            _ => vec!["R01_NO_RECURSION", "R09_TURNS_US_AWAY"],
        };
        assert!(expected.iter().all(|tag| told.contains(tag)), "{software:?}: {told:#?}");
        assert!(
            !told.contains("R02_VALIDATES") && report.seen.is_empty(),
            "{software:?}"
        );
    }
}

#[test]
fn large_buffers_and_closed_tcp_are_found_out() {
    for software in [Software::Unbound, Software::Bind] {
        let manner = Manner {
            buffer: 4096,
            uses_tcp: software != Software::Unbound,
            ..Manner::GOOD
        };
        let Some(report) = tested(software, manner, true, plan("127.0.0.1")) else {
            continue;
        };
        assert!(
            tags(&report).contains("R11_BUFFER_ABOVE_1232"),
            "{software:?}: {:#?}",
            report.findings
        );
        let is_closed = tags(&report).contains("R11_NO_TCP_FALLBACK");
        assert_eq!(is_closed, software == Software::Unbound, "{:#?}", report.findings);
    }
}

#[test]
fn what_cannot_be_known_is_said_so() {
    let manner = Manner::GOOD;
    if let Some(report) = tested(Software::Unbound, manner, false, plan("127.0.0.1")) {
        assert!(tags(&report).contains("R02_NO_CHAIN"), "{:#?}", report.findings);
    }
    let without = ResolverPlan {
        measuring: None,
        is_outside: true,
        ..plan("127.0.0.1")
    };
    if let Some(report) = tested(Software::Unbound, manner, true, without) {
        let expected = ["R01_NOTHING_SEEN", "R09_OPEN", "R10_SAYS_SO"];
        assert!(
            expected.iter().all(|tag| tags(&report).contains(tag)),
            "{:#?}",
            report.findings
        );
    }
    if let Some(report) = tested(Software::Unbound, manner, true, plan("127.0.0.9")) {
        assert_eq!(
            tags(&report),
            BTreeSet::from(["R01_NO_RESPONSE", "R07_NO_HTTPS", "R07_NO_TLS"])
        );
    }
}
