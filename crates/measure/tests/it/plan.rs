//! A vantage point's plan carried out on a lab.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use lab::{Fault, Lab};
use measure::{Internet, Settings, carry_out};
use model::plan::PLAN_VERSION;
use model::{Ds, ManualClock, Outcome, Plan, PlannedQuestion, PlannedZone, Sample, Transport};

use crate::case_in_lab::{name, noon, pocket, spoil, spoil_type};

/// The plan for one zone of the lab, as its parent delegates it.
fn plan(lab: &Lab, zone: &str) -> Plan {
    let delegation = lab.delegation(&name(zone)).unwrap();
    let questions = [Transport::Udp, Transport::Tcp].map(|transport| PlannedQuestion {
        qname: name(zone),
        qtype: 6,
        transport,
    });
    Plan {
        version: PLAN_VERSION,
        vantage_point: "fra1".to_owned(),
        interval_secs: 300,
        jitter_secs: 60,
        seed: 1,
        timeout_ms: 300,
        port: lab.port(),
        zones: vec![PlannedZone {
            zone: name(zone),
            servers: delegation.ns,
            ds: delegation.ds,
            questions: questions.to_vec(),
        }],
        left_out: 0,
    }
}

async fn carried_out(lab: &Lab, plan: &Plan) -> Vec<Sample> {
    let settings = Settings {
        hints: lab.hints(),
        port: plan.port,
        ipv6: false,
        timeout: Duration::from_millis(plan.timeout_ms.into()),
        ..Settings::default()
    };
    let internet = Internet::with_clock(settings, Arc::new(ManualClock::new(noon()))).unwrap();
    carry_out(&internet, plan).collect::<Vec<_>>().await.concat()
}

/// The SOA samples of one server, UDP and TCP.
fn soa_of<'a>(samples: &'a [Sample], server: &str) -> [&'a Sample; 2] {
    [Transport::Udp, Transport::Tcp].map(|transport| {
        let is_it = |sample: &&Sample| {
            sample.server == Some(name(server)) && sample.qtype == 6 && sample.transport == transport
        };
        samples.iter().find(is_it).unwrap()
    })
}

#[tokio::test]
async fn each_address_is_asked_each_question_and_the_samples_say_all_of_it() {
    let lab = pocket().await;
    let samples = carried_out(&lab, &plan(&lab, "good.test")).await;
    assert_eq!(
        samples.iter().filter(|sample| sample.qtype == 6).count(),
        4,
        "two servers, two ways"
    );
    for server in ["ns1.good.test", "ns2.good.test"] {
        for sample in soa_of(&samples, server) {
            assert_eq!((sample.probe.as_str(), &sample.zone), ("fra1", &name("good.test")));
            assert_eq!(
                (sample.outcome, sample.rcode, sample.attempts),
                (Outcome::Answer, Some(0), Some(1))
            );
            assert!(sample.serial.is_some() && sample.rtt_us.is_some() && sample.authoritative);
            assert_eq!(sample.validated, Some(true));
        }
    }
    let keys = samples.iter().filter(|sample| sample.qtype == 48);
    assert_eq!(
        keys.map(|sample| sample.validated).collect::<Vec<_>>(),
        [Some(true)],
        "the keys are asked for once"
    );
}

#[tokio::test]
async fn a_silent_server_is_asked_each_question_once_and_no_more() {
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::Silent);
    let address = *lab.delegation(&name("good.test")).unwrap().ns[&name("ns1.good.test")]
        .first()
        .unwrap();
    let mut plan = plan(&lab, "good.test");
    plan.zones[0].ds.clear();
    let count = || {
        let questions = lab.questions()[&address];
        (questions.udp, questions.tcp)
    };
    let before = count();
    let samples = carried_out(&lab, &plan).await;
    let [udp, tcp] = soa_of(&samples, "ns1.good.test");
    assert_eq!((udp.outcome, udp.attempts), (Outcome::Timeout, Some(1)));
    assert_eq!((tcp.outcome, tcp.attempts), (Outcome::Timeout, Some(1)));
    assert_eq!(
        (udp.rtt_us, udp.rcode, udp.flags, udp.validated),
        (None, None, None, None)
    );
    let asked = (count().0 - before.0, count().1 - before.1);
    assert_eq!(asked, (1, 1), "no second attempt, and nothing sent along");
    assert_eq!(soa_of(&samples, "ns2.good.test")[0].outcome, Outcome::Answer);
}

#[tokio::test]
async fn what_a_server_does_wrong_is_data() {
    for (fault, udp, tcp) in [
        (Fault::Servfail, (Outcome::Answer, Some(2)), (Outcome::Answer, Some(2))),
        (Fault::Garbage, (Outcome::Garbage, None), (Outcome::Garbage, None)),
        (Fault::Truncates, (Outcome::Answer, Some(0)), (Outcome::Answer, Some(0))),
        (Fault::WrongId, (Outcome::Timeout, None), (Outcome::Timeout, None)),
    ] {
        let lab = pocket().await;
        spoil(&lab, "ns1.good.test", fault);
        let samples = carried_out(&lab, &plan(&lab, "good.test")).await;
        let found = soa_of(&samples, "ns1.good.test");
        assert_eq!((found[0].outcome, found[0].rcode), udp, "{fault:?} over UDP");
        assert_eq!((found[1].outcome, found[1].rcode), tcp, "{fault:?} over TCP");
        assert_eq!(found[0].truncated, fault == Fault::Truncates, "{fault:?}");
    }
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::UdpOnly);
    let samples = carried_out(&lab, &plan(&lab, "good.test")).await;
    let [udp, tcp] = soa_of(&samples, "ns1.good.test");
    assert_eq!(udp.outcome, Outcome::Answer);
    assert_ne!(
        tcp.outcome,
        Outcome::Answer,
        "TCP does not help out, and UDP does not either"
    );
}

#[tokio::test]
async fn signatures_that_do_not_hold_are_told_of_the_server_that_gave_them() {
    for fault in [
        Fault::ExpiredSignatures,
        Fault::NotYetValidSignatures,
        Fault::WrongSignatures,
    ] {
        let lab = pocket().await;
        spoil_type(&lab, "ns1.good.test", fault, "SOA");
        let samples = carried_out(&lab, &plan(&lab, "good.test")).await;
        assert_eq!(soa_of(&samples, "ns1.good.test")[0].validated, Some(false), "{fault:?}");
        assert_eq!(soa_of(&samples, "ns2.good.test")[0].validated, Some(true), "{fault:?}");
    }
}

#[tokio::test]
async fn without_keys_that_the_parent_vouches_for_nothing_validates() {
    let lab = pocket().await;
    let mut wrong = plan(&lab, "good.test");
    let mut ds: Vec<Ds> = wrong.zones[0].ds.iter().cloned().collect();
    ds.iter_mut().for_each(|ds| ds.digest[0] ^= 1);
    wrong.zones[0].ds = ds.into_iter().collect();
    let samples = carried_out(&lab, &wrong).await;
    assert!(samples.iter().all(|sample| sample.validated == Some(false)), "bogus");

    let mut unknown_digest = plan(&lab, "good.test");
    let ds = unknown_digest.zones[0]
        .ds
        .iter()
        .cloned()
        .map(|ds| Ds { digest_type: 250, ..ds });
    unknown_digest.zones[0].ds = ds.collect();
    let samples = carried_out(&lab, &unknown_digest).await;
    assert!(
        samples.iter().all(|sample| sample.validated.is_none()),
        "as good as no DS"
    );

    let mut unsecured = plan(&lab, "good.test");
    unsecured.zones[0].ds = BTreeSet::new();
    let samples = carried_out(&lab, &unsecured).await;
    assert!(
        samples
            .iter()
            .all(|sample| sample.validated.is_none() && sample.qtype == 6)
    );
}

#[tokio::test]
async fn a_server_that_keeps_its_keys_to_itself_leaves_the_other_to_tell_them() {
    let lab = pocket().await;
    spoil_type(&lab, "ns1.good.test", Fault::Silent, "DNSKEY");
    let samples = carried_out(&lab, &plan(&lab, "good.test")).await;
    assert_eq!(soa_of(&samples, "ns1.good.test")[0].validated, Some(true));
    spoil_type(&lab, "ns2.good.test", Fault::Silent, "DNSKEY");
    let samples = carried_out(&lab, &plan(&lab, "good.test")).await;
    assert_eq!(
        soa_of(&samples, "ns1.good.test")[0].validated,
        None,
        "nothing is known of the keys"
    );
}

#[tokio::test]
async fn addresses_of_a_family_that_is_off_are_no_samples() {
    let lab = pocket().await;
    let mut plan = plan(&lab, "good.test");
    for addresses in plan.zones[0].servers.values_mut() {
        *addresses = ["2001:db8::1".parse().unwrap()].into();
    }
    assert!(carried_out(&lab, &plan).await.is_empty());
}
