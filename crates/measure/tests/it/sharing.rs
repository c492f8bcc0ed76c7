//! What several inquiries have of one another, counted at the servers.

use std::net::IpAddr;

use lab::{Change, Fault, Lab};
use measure::{CheckPlan, Inquiry, Report, check};
use model::{Finding, Transport};

use crate::case_in_lab::{change, name, noon, spoil};
use crate::small_world::{ROOT, over_ipv4, world};

/// The server of `hosting.test`, which knows where the name servers of all the others are.
const HOSTING: &str = "127.12.1.1";

/// Three zones, whose two name servers have their names in a fourth one.
async fn hosted() -> Lab {
    let hosting = "@ NS ns\nns A 127.12.1.1\nns1 A 127.12.2.1\nns2 A 127.12.2.2";
    let hosted = "@ NS ns1.hosting.test.\n@ NS ns2.hosting.test.";
    let delegated = |zone: &str| format!("{zone} NS ns1.hosting\n{zone} NS ns2.hosting\n");
    let zones = ["a", "b", "c"];
    let parent = zones.map(delegated).concat() + "@ NS a.root.\nhosting NS ns.hosting\nns.hosting A 127.12.1.1";
    let children: &[&str] = &["a.test", "b.test", "c.test"];
    world(
        "test. NS a.root.",
        &[
            ("test", &parent),
            ("hosting.test", hosting),
            ("a.test", hosted),
            ("b.test", hosted),
            ("c.test", hosted),
        ],
        &[
            ("ns.hosting.test", HOSTING, &["hosting.test"]),
            ("ns1.hosting.test", "127.12.2.1", children),
            ("ns2.hosting.test", "127.12.2.2", children),
        ],
    )
    .await
}

fn asked(lab: &Lab, address: &str) -> u64 {
    lab.questions()[&address.parse::<IpAddr>().unwrap()].udp
}

async fn checked(inquiry: &Inquiry, zone: &str) -> Report {
    check(inquiry, &CheckPlan::of(name(zone)), noon()).await
}

fn findings(report: &Report) -> Vec<&Finding> {
    report.findings.iter().map(|(_, finding)| finding).collect()
}

#[tokio::test]
async fn name_servers_of_many_zones_are_looked_up_once_and_their_parent_is_asked_of_itself_once() {
    let lab = hosted().await;
    let internet = over_ipv4(&lab);
    checked(&internet.inquiry(), "a.test").await;
    let of_hosting = asked(&lab, HOSTING);
    assert_eq!(of_hosting, 4, "A and AAAA of two name servers");
    let of_parent = asked(&lab, ROOT);

    let sharing = internet.inquiry();
    let shared = checked(&sharing, "b.test").await;
    assert_eq!(asked(&lab, HOSTING), of_hosting, "known from the first");
    let of_parent = asked(&lab, ROOT) - of_parent;
    assert_eq!(of_parent, 4, "SOA, NS, NS with DNSSEC and DS of b.test");

    let hosting: IpAddr = HOSTING.parse().unwrap();
    let of_others = sharing
        .exchanges()
        .into_iter()
        .filter(|exchange| exchange.address == hosting);
    assert_eq!(of_others.count(), 4, "what others asked is evidence all the same");

    let unshared = checked(&internet.inquiry_alone(), "b.test").await;
    assert_eq!(findings(&shared), findings(&unshared), "what is found is the same");
}

#[tokio::test]
async fn an_inquiry_that_asks_alone_and_one_on_the_zone_itself_take_nothing_from_others() {
    let lab = hosted().await;
    let internet = over_ipv4(&lab);
    checked(&internet.inquiry(), "a.test").await;
    let before = asked(&lab, HOSTING);
    checked(&internet.inquiry_alone(), "b.test").await;
    assert_eq!(asked(&lab, HOSTING) - before, 4, "it looks its name servers up itself");

    let before = asked(&lab, HOSTING);
    let inquiry = internet.inquiry();
    checked(&inquiry, "hosting.test").await;
    let hosting: IpAddr = HOSTING.parse().unwrap();
    let of_itself = inquiry.exchanges().into_iter().filter(|exchange| {
        let question = &exchange.question;
        exchange.address == hosting
            && question.transport == Transport::Udp
            && question.name.is_at_or_below(&name("hosting.test"))
    });
    assert!(of_itself.count() as u64 <= asked(&lab, HOSTING) - before);
}

#[tokio::test]
async fn silence_is_not_taken_from_others() {
    let lab = hosted().await;
    let internet = over_ipv4(&lab);
    spoil(&lab, "ns.hosting.test", Fault::Silent);
    let silent = checked(&internet.inquiry(), "a.test").await;
    assert!(silent.servers.is_empty());
    let server = "ns.hosting.test".to_owned();
    change(
        &lab,
        Change::RemoveFault {
            server,
            fault: Fault::Silent,
        },
    );
    let healed = checked(&internet.inquiry(), "b.test").await;
    assert_eq!(healed.servers.len(), 2);
}
