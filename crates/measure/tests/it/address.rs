//! address01: what the addresses of name servers are set aside for. Nothing may be sent to such addresses, so that its
//! scenarios are not those of a lab.

use lab::Lab;
use measure::cases::address::address01;
use measure::{CheckPlan, Profile, Run, Settings};

use crate::case_in_lab::{name, noon};
use crate::small_world::{given, over_ipv4, plan, world};

/// What address01 says of a zone with these name servers besides `ns1.x`, which is on loopback. Nothing is sent to them.
async fn said_of(lab: &Lab, servers: &[(&str, &str)]) -> Vec<String> {
    let plan = CheckPlan {
        undelegated: Some(given(servers)),
        ..plan("x", "address01", Profile::default())
    };
    let run = Run::new(&over_ipv4(lab).inquiry(), &plan, noon());
    let said = address01(&run).await.into_iter().map(|emission| {
        let servers = emission.args.get("ns_list").map(|list| format!(" {list}"));
        format!("{}{}", emission.tag, servers.unwrap_or_default())
    });
    said.collect()
}

async fn nameless() -> Lab {
    world("x. NS ns1.x.\nns1.x. A 127.12.0.2", &[], &[]).await
}

#[tokio::test]
async fn addresses_are_told_apart_by_what_they_are_set_aside_for() {
    let lab = nameless().await;
    let documentation = ("ns1.x", "2001:db8::53");
    let local = ("ns2.x", "fd00::53");
    let benchmark = ("ns3.x", "2001:2::53");
    let global = ("ns4.x", "2001:7fe::53");
    assert_eq!(
        said_of(&lab, &[documentation, local, benchmark, global]).await,
        [
            "A01_DOCUMENTATION_ADDR ns1.x/2001:db8::53",
            "A01_LOCAL_USE_ADDR ns2.x/fd00::53",
            "A01_ADDR_NOT_GLOBALLY_REACHABLE ns3.x/2001:2::53",
            "A01_GLOBALLY_REACHABLE_ADDR ns4.x/2001:7fe::53",
        ]
    );
    assert_eq!(
        said_of(&lab, &[global]).await,
        ["A01_GLOBALLY_REACHABLE_ADDR ns4.x/2001:7fe::53"]
    );
    assert_eq!(
        said_of(&lab, &[local, ("ns5.x", "fe80::53")]).await,
        [
            "A01_LOCAL_USE_ADDR ns2.x/fd00::53;ns5.x/fe80::53",
            "A01_NO_GLOBALLY_REACHABLE_ADDR"
        ]
    );
}

#[tokio::test]
async fn the_narrowest_block_decides_and_mapped_addresses_are_no_addresses_of_ipv4() {
    let lab = nameless().await;
    // 2001:1::1 is reachable within 2001::/23, which is not
    assert_eq!(
        said_of(
            &lab,
            &[
                ("ns1.x", "2001:1::1"),
                ("ns2.x", "2001:1::9"),
                ("ns3.x", "::ffff:192.36.148.17")
            ]
        )
        .await,
        [
            "A01_ADDR_NOT_GLOBALLY_REACHABLE ns2.x/2001:1::9;ns3.x/::ffff:192.36.148.17",
            "A01_GLOBALLY_REACHABLE_ADDR ns1.x/2001:1::1",
        ]
    );
}

#[tokio::test]
async fn a_zone_without_any_address_is_told_so_and_loopback_is_the_internet_of_a_lab() {
    let lab = nameless().await;
    assert_eq!(
        said_of(&lab, &[("ns.gone", "none")]).await,
        ["A01_NO_NAME_SERVERS_FOUND"]
    );
    assert_eq!(
        said_of(&lab, &[("ns1.x", "127.12.0.2")]).await,
        ["A01_GLOBALLY_REACHABLE_ADDR ns1.x/127.12.0.2"]
    );
    // with a root server elsewhere it is no lab
    let mut hints = lab.hints();
    hints.push((name("b.root"), vec!["2001:db8::1".parse().unwrap()]));
    let settings = Settings {
        hints,
        port: lab.port(),
        ipv6: false,
        ..Settings::default()
    };
    let inquiry = measure::Internet::open(settings).unwrap().inquiry();
    let plan = CheckPlan {
        undelegated: Some(given(&[("ns1.x", "127.12.0.2")])),
        ..plan("x", "address01", Profile::default())
    };
    let tags: Vec<&str> = address01(&Run::new(&inquiry, &plan, noon()))
        .await
        .iter()
        .map(|said| said.tag)
        .collect();
    assert_eq!(tags, ["A01_LOCAL_USE_ADDR", "A01_NO_GLOBALLY_REACHABLE_ADDR"]);
}
