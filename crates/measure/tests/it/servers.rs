//! Cases on the delegation and the servers of a zone: basic, connectivity, consistency, delegation, nameserver.

use lab::{Change, Event, Fault, Lab};
use measure::Undelegated;

use crate::case_in_lab::{With, change, name, pocket, said, said_with, spoil, spoil_type};

/// Says whether the messages are these, whatever their order and arguments.
async fn expect_tags(lab: &Lab, zone: &str, case: &str, tags: &[&str]) {
    expect_tags_with(lab, zone, case, With::default(), tags).await;
}

async fn expect_tags_with(lab: &Lab, zone: &str, case: &str, with: With, tags: &[&str]) {
    let lines = said_with(lab, zone, case, with).await;
    let mut found: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    found.dedup();
    let mut wanted = tags.to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{case} on {zone}: {lines:#?}");
}

#[tokio::test]
async fn a_sound_zone_is_found_and_answers() {
    let lab = pocket().await;
    assert_eq!(
        said(&lab, "good.test", "basic01").await,
        [
            "B01_CHILD_FOUND domain=good.test",
            "B01_PARENT_FOUND domain=test ns_list=ns1.nic.test/127.10.1.1;ns2.nic.test/127.10.1.2",
        ]
    );
    assert_eq!(
        said(&lab, "good.test", "basic02").await,
        ["B02_AUTH_RESPONSE_SOA domain=good.test ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2"]
    );
    expect_tags(&lab, ".", "basic01", &["B01_CHILD_FOUND", "B01_ROOT_HAS_NO_PARENT"]).await;
    expect_tags(&lab, ".", "basic02", &["B02_AUTH_RESPONSE_SOA"]).await;
}

#[tokio::test]
async fn a_zone_that_does_not_exist_is_said_so() {
    let lab = pocket().await;
    expect_tags(&lab, "gone.test", "basic01", &["B01_NO_CHILD", "B01_PARENT_FOUND"]).await;
    assert_eq!(
        said(&lab, "gone.test", "basic02").await,
        ["B02_NO_DELEGATION domain=gone.test"]
    );
}

#[tokio::test]
async fn a_zone_without_a_working_server_says_what_each_of_them_does() {
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::Refused);
    spoil(&lab, "ns2.good.test", Fault::NotAuthoritative);
    assert_eq!(
        said(&lab, "plain.test", "basic02").await,
        [
            "B02_NO_WORKING_NS domain=plain.test",
            "B02_NS_NOT_AUTH ns=ns2.good.test/127.10.3.2",
            "B02_UNEXPECTED_RCODE ns=ns1.good.test/127.10.3.1 rcode=REFUSED",
        ]
    );
}

#[tokio::test]
async fn a_web_address_is_looked_for_where_nothing_serves_the_zone() {
    let lab = pocket().await;
    assert_eq!(
        said(&lab, "plain.test", "basic03").await,
        [
            "HAS_A_RECORDS domain=www.plain.test ns=ns1.good.test/127.10.3.1",
            "HAS_A_RECORDS domain=www.plain.test ns=ns2.good.test/127.10.3.2",
        ]
    );
    for server in ["ns1.good.test", "ns2.good.test"] {
        change(
            &lab,
            Change::Cut {
                server: server.to_owned(),
            },
        );
    }
    expect_tags(&lab, "plain.test", "basic03", &["A_QUERY_NO_RESPONSES"]).await;
}

#[tokio::test]
async fn connectivity_says_what_each_server_fails_at_over_each_transport() {
    let lab = pocket().await;
    expect_tags(&lab, "good.test", "connectivity01", &[]).await;
    expect_tags(&lab, "good.test", "connectivity02", &[]).await;
    spoil_type(&lab, "ns1.good.test", Fault::Silent, "SOA");
    spoil(&lab, "ns2.good.test", Fault::UdpOnly);
    assert_eq!(
        said(&lab, "good.test", "connectivity01").await,
        ["CN01_NO_RESPONSE_SOA_QUERY_UDP ns=ns1.good.test/127.10.3.1"]
    );
    assert_eq!(
        said(&lab, "good.test", "connectivity02").await,
        [
            "CN02_NO_RESPONSE_SOA_QUERY_TCP ns=ns1.good.test/127.10.3.1",
            "CN02_NO_RESPONSE_TCP ns=ns2.good.test/127.10.3.2",
        ]
    );
    spoil(&lab, "ns1.good.test", Fault::Servfail);
    spoil(&lab, "ns2.good.test", Fault::NotAuthoritative);
    assert_eq!(
        said(&lab, "shop.example", "connectivity01").await,
        [
            "CN01_NO_RESPONSE_SOA_QUERY_UDP ns=ns1.good.test/127.10.3.1",
            "CN01_NS_RECORD_NOT_AA_UDP ns=ns2.good.test/127.10.3.2",
            "CN01_SOA_RECORD_NOT_AA_UDP ns=ns2.good.test/127.10.3.2",
            "CN01_UNEXPECTED_RCODE_NS_QUERY_UDP ns=ns1.good.test/127.10.3.1 rcode=SERVFAIL",
        ]
    );
}

#[tokio::test]
async fn a_truncated_answer_counts_as_an_answer_over_udp() {
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::Truncates);
    expect_tags(&lab, "good.test", "connectivity01", &[]).await;
    spoil(&lab, "ns1.good.test", Fault::UdpOnly);
    expect_tags(&lab, "good.test", "connectivity01", &[]).await;
}

#[tokio::test]
async fn servers_that_agree_are_consistent() {
    let lab = pocket().await;
    expect_tags(&lab, "good.test", "consistency01", &["ONE_SOA_SERIAL", "SOA_SERIAL"]).await;
    expect_tags(&lab, "good.test", "consistency02", &["ONE_SOA_RNAME"]).await;
    expect_tags(&lab, "good.test", "consistency03", &["ONE_SOA_TIME_PARAMETER_SET"]).await;
    expect_tags(&lab, "good.test", "consistency04", &["ONE_NS_SET"]).await;
    expect_tags(&lab, "good.test", "consistency05", &["ADDRESSES_MATCH"]).await;
    expect_tags(&lab, "good.test", "consistency06", &["ONE_SOA_MNAME"]).await;
}

#[tokio::test]
async fn a_stale_server_and_one_that_is_silent_show() {
    let lab = pocket().await;
    spoil(&lab, "ns2.good.test", Fault::StaleSerial);
    let tags = ["MULTIPLE_SOA_SERIALS", "SOA_SERIAL", "SOA_SERIAL_VARIATION"];
    expect_tags(&lab, "good.test", "consistency01", &tags).await;
    expect_tags(&lab, "good.test", "consistency02", &["ONE_SOA_RNAME"]).await;
    spoil(&lab, "ns2.good.test", Fault::Silent);
    expect_tags(
        &lab,
        "good.test",
        "consistency01",
        &["NO_RESPONSE", "ONE_SOA_SERIAL", "SOA_SERIAL"],
    )
    .await;
    spoil(&lab, "ns1.good.test", Fault::Lame);
    expect_tags(
        &lab,
        "good.test",
        "consistency04",
        &["NO_RESPONSE", "NO_RESPONSE_NS_QUERY"],
    )
    .await;
}

/// The zone's own server and the thief's, which serves another edition.
fn torn() -> With {
    let ns = [("ns1.good.test", "127.10.3.1"), ("ns1.thief.example", "127.10.9.1")];
    let ns = ns
        .map(|(server, address)| (name(server), address.parse().ok()))
        .to_vec();
    With {
        given: Some(Undelegated { ns, ds: Vec::new() }),
        ..With::default()
    }
}

#[tokio::test]
async fn two_editions_of_a_zone_disagree() {
    let lab = pocket().await;
    expect_tags_with(
        &lab,
        "plain.test",
        "consistency04",
        torn(),
        &["MULTIPLE_NS_SET", "NS_SET"],
    )
    .await;
    expect_tags_with(&lab, "plain.test", "consistency06", torn(), &["MULTIPLE_SOA_MNAMES"]).await;
    expect_tags_with(
        &lab,
        "plain.test",
        "consistency02",
        torn(),
        &["MULTIPLE_SOA_RNAMES", "SOA_RNAME"],
    )
    .await;
}

#[tokio::test]
async fn parent_and_zone_are_compared_by_the_names_of_their_servers() {
    let lab = pocket().await;
    expect_tags(&lab, "good.test", "delegation07", &["NAMES_MATCH"]).await;
    let ns = [(name("ns1.good.test"), vec!["127.10.3.1".parse().unwrap()])];
    let change = Change::Redelegate {
        zone: name("good.test"),
        ns: ns.into(),
        ds: Default::default(),
    };
    lab.apply(&Event::new(change)).unwrap();
    assert_eq!(
        said(&lab, "good.test", "delegation07").await,
        ["EXTRA_NAME_CHILD extra=ns2.good.test"]
    );
    let tags = [
        "ENOUGH_IPV4_NS_CHILD",
        "ENOUGH_NS_CHILD",
        "NOT_ENOUGH_IPV4_NS_DEL",
        "NOT_ENOUGH_NS_DEL",
        "NO_IPV6_NS_CHILD",
        "NO_IPV6_NS_DEL",
    ];
    expect_tags(&lab, "good.test", "delegation01", &tags).await;
}

#[tokio::test]
async fn name_servers_that_share_an_address_show() {
    let lab = pocket().await;
    expect_tags(
        &lab,
        "good.test",
        "delegation02",
        &["CHILD_DISTINCT_NS_IP", "DEL_DISTINCT_NS_IP"],
    )
    .await;
    let address = "127.10.3.1".parse().ok();
    let ns = vec![(name("ns1.good.test"), address), (name("ns2.good.test"), address)];
    let given = With {
        given: Some(Undelegated { ns, ds: Vec::new() }),
        ..With::default()
    };
    assert_eq!(
        said_with(&lab, "good.test", "delegation02", given).await,
        [
            "CHILD_DISTINCT_NS_IP",
            "DEL_NS_SAME_IP ns_ip=127.10.3.1 nsname_list=ns1.good.test;ns2.good.test"
        ]
    );
}

#[tokio::test]
async fn a_server_must_be_authoritative_and_have_the_soa_record() {
    let lab = pocket().await;
    expect_tags(&lab, "good.test", "delegation04", &["ARE_AUTHORITATIVE"]).await;
    expect_tags(&lab, "good.test", "delegation06", &["SOA_EXISTS"]).await;
    spoil(&lab, "ns2.good.test", Fault::NotAuthoritative);
    assert_eq!(
        said(&lab, "good.test", "delegation04").await,
        [
            "IS_NOT_AUTHORITATIVE ns=ns2.good.test/127.10.3.2 proto=TCP",
            "IS_NOT_AUTHORITATIVE ns=ns2.good.test/127.10.3.2 proto=UDP",
        ]
    );
    spoil(&lab, "ns1.good.test", Fault::Lame);
    assert_eq!(
        said(&lab, "good.test", "delegation06").await,
        ["SOA_NOT_EXISTS ns=ns1.good.test/127.10.3.1"]
    );
}

#[tokio::test]
async fn the_name_of_a_name_server_is_no_alias_and_has_an_address() {
    let lab = pocket().await;
    expect_tags(&lab, "good.test", "delegation05", &["NO_NS_CNAME"]).await;
    expect_tags(&lab, "shop.example", "delegation05", &["NO_NS_CNAME"]).await;
    expect_tags(&lab, "good.test", "nameserver06", &["CAN_BE_RESOLVED"]).await;
    let ns = [(name("ns1.good.test"), vec![]), (name("nowhere.example"), vec![])];
    let change = Change::Redelegate {
        zone: name("shop.example"),
        ns: ns.into(),
        ds: Default::default(),
    };
    lab.apply(&Event::new(change)).unwrap();
    assert_eq!(
        said(&lab, "shop.example", "nameserver06").await,
        [
            "CAN_BE_RESOLVED nsname_list=ns1.good.test;ns2.good.test",
            "CAN_NOT_BE_RESOLVED nsname_list=nowhere.example"
        ]
    );
    spoil_type(&lab, "ns1.good.test", Fault::Refused, "A");
    expect_tags(&lab, "good.test", "delegation05", &["NO_NS_CNAME", "UNEXPECTED_RCODE"]).await;
}

#[tokio::test]
async fn how_a_server_behaves_as_a_server_shows() {
    let lab = pocket().await;
    expect_tags(&lab, "good.test", "nameserver01", &["NO_RECURSOR"]).await;
    expect_tags(&lab, "good.test", "nameserver02", &["EDNS0_SUPPORT"]).await;
    expect_tags(&lab, "good.test", "nameserver03", &["AXFR_FAILURE"]).await;
    expect_tags(&lab, "good.test", "nameserver04", &["SAME_SOURCE_IP"]).await;
    spoil(&lab, "ns1.good.test", Fault::OpenRecursion);
    spoil(&lab, "ns1.good.test", Fault::OpenTransfer);
    assert_eq!(
        said(&lab, "good.test", "nameserver01").await,
        [
            "IS_A_RECURSOR ns=ns1.good.test/127.10.3.1",
            "NO_RECURSOR ns=ns2.good.test/127.10.3.2"
        ]
    );
    assert_eq!(
        said(&lab, "good.test", "nameserver03").await,
        [
            "AXFR_AVAILABLE ns=ns1.good.test/127.10.3.1",
            "AXFR_FAILURE ns=ns2.good.test/127.10.3.2"
        ]
    );
}
