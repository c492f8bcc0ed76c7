//! connectivity03 and connectivity04 by a table of routes, and by more than one look-up service.

use std::sync::Arc;

use measure::{CheckPlan, Profile, RouteTable};

use crate::case_in_lab::{name, pocket};
use crate::small_world::{given, plan, said_by, world};

fn by_table(routes: &str) -> Profile {
    let mut profile = Profile::default();
    profile.routes = Some(Arc::new(RouteTable::read("routes", routes.as_bytes(), None).unwrap()));
    profile
}

#[tokio::test]
async fn a_table_is_taken_before_the_service() {
    let root =
        "x. NS ns1.x.\nns1.x. A 127.12.0.2\n*.0.12.127.origin.asnlookup.zonemaster.net. TXT \"1 | 127.12.0.0/24 |\"";
    let lab = world(
        root,
        &[("x", "@ NS ns1\nns1 A 127.12.0.2")],
        &[("ns1.x", "127.12.0.2", &["x"])],
    )
    .await;
    assert_eq!(
        said_by(&lab, &plan("x", "connectivity03", Profile::default())).await,
        [
            "ASN_INFOS_ANNOUNCE_BY asn=1 ns_ip=127.12.0.2",
            "ASN_INFOS_ANNOUNCE_IN ns_ip=127.12.0.2 prefix=127.12.0.0/24",
            "IPV4_ONE_ASN asn=1",
        ]
    );
    let inquiry = crate::small_world::over_ipv4(&lab).inquiry();
    let by_table = plan("x", "connectivity03", by_table("127.12.0.2/32 64500\n"));
    let report = measure::check(&inquiry, &by_table, crate::case_in_lab::noon()).await;
    let findings = report.findings.into_iter().map(|(_, finding)| finding);
    assert_eq!(
        crate::case_in_lab::lines(findings),
        [
            "ASN_INFOS_ANNOUNCE_BY asn=64500 ns_ip=127.12.0.2",
            "ASN_INFOS_ANNOUNCE_IN ns_ip=127.12.0.2 prefix=127.12.0.2/32",
            "IPV4_ONE_ASN asn=64500",
        ]
    );
    let asked = inquiry
        .exchanges()
        .iter()
        .any(|exchange| exchange.question.rtype == measure::Rtype::TXT);
    assert!(!asked, "the service was not asked");
}

#[tokio::test]
async fn the_next_service_is_asked_where_one_fails_and_not_where_it_answers() {
    // `broken` is delegated to a server that does not serve it
    let root = "x. NS ns1.x.\nns1.x. A 127.12.0.2\nbroken. NS ns1.x.\n\
                *.0.12.127.origin.sound. TXT \"2 | 127.12.0.0/24 |\"\nempty. TXT \"nothing below\"";
    let lab = world(
        root,
        &[("x", "@ NS ns1\nns1 A 127.12.0.2")],
        &[("ns1.x", "127.12.0.2", &["x"])],
    )
    .await;
    let by = async |zones: &[&str]| {
        let mut profile = Profile::default();
        profile.asn_zones = zones.iter().map(|zone| name(zone)).collect();
        let mut said = said_by(&lab, &plan("x", "connectivity03", profile)).await;
        said.retain(|line| !line.contains("ASN_INFOS"));
        said
    };
    assert_eq!(by(&["broken", "sound"]).await, ["IPV4_ONE_ASN asn=2"]);
    assert_eq!(by(&["empty", "sound"]).await, ["EMPTY_ASN_SET ns_ip=127.12.0.2"]);
    assert_eq!(by(&["broken"]).await, ["ERROR_ASN_DATABASE ns_ip=127.12.0.2"]);
}

#[tokio::test]
async fn families_are_judged_apart_and_names_that_share_an_address_each_count() {
    let lab = pocket().await;
    // nothing is sent to the addresses of IPv6
    let servers = [
        ("ns1.good.test", "127.10.3.1"),
        ("ns1.good.test", "2001:db8::2"),
        ("ns2.good.test", "2001:db8::3"),
        ("ns3.good.test", "2001:db8::3"),
    ];
    let judged = async |routes: &str, case: &str| {
        let plan = CheckPlan {
            undelegated: Some(given(&servers)),
            ..plan("good.test", case, by_table(routes))
        };
        let mut said = said_by(&lab, &plan).await;
        said.retain(|line| !line.contains("ASN_INFOS"));
        said
    };
    let one = "127.10.3.0/24 7\n2001:db8::/32 8\n";
    assert_eq!(
        judged(one, "connectivity03").await,
        ["IPV4_ONE_ASN asn=7", "IPV6_ONE_ASN asn=8"]
    );
    assert_eq!(
        judged(one, "connectivity04").await,
        [
            "CN04_IPV4_SAME_PREFIX ip_prefix=127.10.3.0/24 ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2",
            "CN04_IPV4_SINGLE_PREFIX",
            "CN04_IPV6_SAME_PREFIX ip_prefix=2001:db8::/32 \
             ns_list=ns1.good.test/2001:db8::2;ns2.good.test/2001:db8::3;ns3.good.test/2001:db8::3",
            "CN04_IPV6_SINGLE_PREFIX",
        ]
    );
    let two = "127.10.3.0/24 7\n2001:db8::2/128 8\n2001:db8::3/128 9\n";
    assert_eq!(
        judged(two, "connectivity03").await,
        ["IPV4_ONE_ASN asn=7", "IPV6_DIFFERENT_ASN asn_list=8;9"]
    );
    assert_eq!(
        judged(two, "connectivity04").await[2..],
        [
            "CN04_IPV6_DIFFERENT_PREFIX ns_list=ns1.good.test/2001:db8::2",
            "CN04_IPV6_SAME_PREFIX ip_prefix=2001:db8::3/128 ns_list=ns2.good.test/2001:db8::3;ns3.good.test/2001:db8::3",
        ]
    );
    assert_eq!(
        judged("10.0.0.0/8 1\n", "connectivity04").await[..2],
        [
            "CN04_EMPTY_PREFIX_SET ns_ip=127.10.3.1",
            "CN04_EMPTY_PREFIX_SET ns_ip=127.10.3.2"
        ]
    );
}
