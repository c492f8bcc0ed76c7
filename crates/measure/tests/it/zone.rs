//! Cases on the SOA record.

use lab::{Fault, Lab, World};
use measure::Limits;

use crate::case_in_lab::{With, noon, pocket, said, said_with, spoil};

/// A root and one zone `x` with these times in its SOA: refresh, retry, expire.
async fn zone_with(times: &str) -> Lab {
    let world = r#"
        name = "soa"
        about = "one zone"
        seed = 1
        [[server]]
        name = "a.root"
        addresses = ["127.11.0.1"]
        zones = ["."]
        [[server]]
        name = "ns1.x"
        addresses = ["127.11.0.2"]
        zones = ["x"]
        [[zone]]
        name = "."
        file = "zones/root.zone"
        [[zone]]
        name = "x"
        file = "zones/x.zone"
    "#;
    let root = "$TTL 60\n@ SOA a.root. h.root. 1 14400 3600 604800 60\n@ NS a.root.\na.root. A 127.11.0.1\n\
                x. NS ns1.x.\nns1.x. A 127.11.0.2\n";
    let zone = format!("$TTL 60\n@ SOA ns1 h 1 {times} 60\n@ NS ns1\nns1 A 127.11.0.2\n");
    let parts = [
        ("world.toml", world),
        ("zones/root.zone", root),
        ("zones/x.zone", &zone),
    ];
    Lab::start(World::from_parts(&parts).unwrap(), 0, noon()).await.unwrap()
}

async fn all(lab: &Lab, zone: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for case in ["zone02", "zone03", "zone04", "zone05", "zone10"] {
        lines.extend(said(lab, zone, case).await);
    }
    lines
}

#[tokio::test]
async fn ordinary_times_are_fine() {
    let lab = zone_with("14400 3600 604800").await;
    assert_eq!(
        all(&lab, "x").await,
        [
            "REFRESH_MINIMUM_VALUE_OK refresh=14400 required_refresh=14400",
            "REFRESH_HIGHER_THAN_RETRY refresh=14400 retry=3600",
            "RETRY_MINIMUM_VALUE_OK required_retry=3600 retry=3600",
            "EXPIRE_MINIMUM_VALUE_OK expire=604800 refresh=14400 required_expire=604800",
            "ONE_SOA",
        ]
    );
}

#[tokio::test]
async fn times_one_second_too_short_are_named() {
    let lab = zone_with("14399 3599 604799").await;
    let lines = all(&lab, "x").await;
    assert_eq!(
        lines[0],
        "REFRESH_MINIMUM_VALUE_LOWER refresh=14399 required_refresh=14400"
    );
    assert_eq!(lines[2], "RETRY_MINIMUM_VALUE_LOWER required_retry=3600 retry=3599");
    assert_eq!(
        lines[3],
        "EXPIRE_MINIMUM_VALUE_LOWER expire=604799 required_expire=604800"
    );
}

#[tokio::test]
async fn times_in_the_wrong_order_are_named() {
    let lab = zone_with("1000000 1000000 700000").await;
    assert_eq!(
        said(&lab, "x", "zone03").await,
        ["REFRESH_LOWER_THAN_RETRY refresh=1000000 retry=1000000"]
    );
    assert_eq!(
        said(&lab, "x", "zone05").await,
        ["EXPIRE_LOWER_THAN_REFRESH expire=700000 refresh=1000000"]
    );
}

#[tokio::test]
async fn the_limits_are_those_of_the_profile() {
    let lab = zone_with("300 60 604800").await;
    let limits = Limits {
        soa_refresh_min_secs: 300,
        soa_retry_min_secs: 61,
        ..Limits::default()
    };
    let with = || With {
        limits,
        ..With::default()
    };
    assert_eq!(
        said_with(&lab, "x", "zone02", with()).await,
        ["REFRESH_MINIMUM_VALUE_OK refresh=300 required_refresh=300"]
    );
    assert_eq!(
        said_with(&lab, "x", "zone04", with()).await,
        ["RETRY_MINIMUM_VALUE_LOWER required_retry=61 retry=60"]
    );
}

#[tokio::test]
async fn a_silent_server_is_passed_over_and_named() {
    let lab = pocket().await;
    spoil(&lab, "127.10.3.1", Fault::Silent);
    assert_eq!(
        said(&lab, "good.test", "zone10").await,
        ["NO_RESPONSE ns=ns1.good.test/127.10.3.1"]
    );
    assert_eq!(
        said(&lab, "good.test", "zone03").await,
        ["REFRESH_HIGHER_THAN_RETRY refresh=14400 retry=3600"]
    );
}

#[tokio::test]
async fn servers_without_authority_say_nothing_of_the_times() {
    let lab = pocket().await;
    for server in ["127.10.3.1", "127.10.3.2"] {
        spoil(&lab, server, Fault::NotAuthoritative);
    }
    assert_eq!(said(&lab, "good.test", "zone02").await, ["NO_RESPONSE_SOA_QUERY"]);
}
