//! What an account sees of passive DNS, how often it may ask, and that nobody keeps others from it.

use std::net::SocketAddr;

use axum::http::StatusCode;
use csirt::Actor;
use csirt::accounts::{self, Role};
use domain::base::iana::Rtype;
use lake::passive::Passive;
use model::{ChangedPart, Timestamp, Tlp, ZoneChange};
use serde_json::{Value, json};

use super::passive::{DAY, get, rrset, serve, token, world};
use super::world::{World, name, now};

/// A reader that takes the first octets of a long answer and no more.
async fn slow_reader(address: SocketAddr, token: &str) -> tokio::net::TcpStream {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut line = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /dnsdb/v2/lookup/rrset/name/*.many.example?limit=0 HTTP/1.1\r\nHost: x\r\nX-Api-Key: {token}\r\n\r\n"
    );
    line.write_all(request.as_bytes()).await.unwrap();
    line.read_exact(&mut [0; 1000]).await.unwrap();
    line
}

/// A world whose `*.many.example` is more than a connection holds.
async fn world_of_many() -> (World, String) {
    let (world, token) = world().await;
    let passive = Passive::open(&world.lake_folder()).await.unwrap();
    let host = |at: u32| {
        rrset(
            &format!("h{at}.many.example"),
            Rtype::A,
            "many.example",
            &[at.to_be_bytes().to_vec()],
            (1, 0),
        )
    };
    passive
        .append("sensor", "many", (0..60_000).map(host).collect(), Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    (world, token)
}

#[tokio::test]
async fn a_reader_who_goes_stops_the_look_up() {
    let (world, token) = world_of_many().await;
    let line = slow_reader(serve(&world).await, &token).await;
    assert_eq!(world.app.lookups.free(), 7);
    drop(line);
    while world.app.lookups.free() < 8 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn who_reads_slowly_keeps_nobody_else_waiting() {
    let (world, slow) = world_of_many().await;
    let other = token(&world, "other", Role::Observer).await;
    let address = serve(&world).await;
    let mut lines = Vec::new();
    for _ in 0..4 {
        lines.push(slow_reader(address, &slow).await);
    }
    let path = "/dnsdb/v2/lookup/rrset/name/www.example.com/A";
    let refused = get(&world, path, &[("x-api-key", &slow)]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.body.as_str()),
        (503, "too many look-ups at a time; try again\n")
    );
    assert_eq!(get(&world, path, &[("x-api-key", &other)]).await.status, StatusCode::OK);
    let third = token(&world, "third", Role::Observer).await;
    for _ in 0..4 {
        lines.push(slow_reader(address, &third).await);
    }
    let all = get(&world, path, &[("x-api-key", &other)]).await;
    assert_eq!(all.status, StatusCode::SERVICE_UNAVAILABLE, "eight at a time");
    drop(lines);
}

#[tokio::test]
async fn an_account_sees_what_its_access_says_as_often_as_it_says() {
    let (world, token) = world().await;
    let account = accounts::by_name(&world.app.records, "analyst").await.unwrap().unwrap();
    let records = &world.app.records;
    let access = async |tlp, sources: Option<&[&str]>, quota| {
        let sources = sources.map(|sources| sources.iter().map(|word| (*word).to_owned()).collect());
        let access = accounts::PassiveAccess { tlp, sources, quota };
        accounts::set_passive_access(records, Actor::System, account.id, &access)
            .await
            .unwrap();
    };
    let key = [("x-api-key", token.as_str())];
    let path = "/dnsdb/v2/lookup/rrset/name/www.example.com/A";
    let lines = async |path: &str| {
        let answer = get(&world, path, &key).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        answer.body.lines().filter(|line| line.contains("www.")).count()
    };
    for (tlp, sources, seen) in [
        (Tlp::Green, None, 1),
        (Tlp::Clear, None, 0),
        (Tlp::AmberStrict, Some(&["sensor", "other"][..]), 1),
        (Tlp::AmberStrict, Some(&["other"][..]), 0),
        (Tlp::AmberStrict, Some(&["secret"][..]), 0),
    ] {
        access(tlp, sources, None).await;
        for path in [
            path,
            "/dnsdb/v2/lookup/rdata/ip/192.0.2.1",
            "/dnsdb/v2/regex/rrnames/%5Ewww%5C.example%5C.com/A",
            "/pdns/query/192.0.2.1",
        ] {
            assert_eq!(lines(path).await, seen, "{path} {tlp} {sources:?}");
        }
        let page = world
            .get_as("/passive?q=192.0.2.1", &world.sign_in("analyst").await)
            .await;
        assert_eq!(page.body.contains("www.example.com"), seen > 0, "{tlp} {sources:?}");
    }

    let change = ZoneChange {
        time: now() - jiff::SignedDuration::from_mins(5),
        zone: name("example.com"),
        part: ChangedPart::Ns,
        before: vec![],
        after: vec!["ns.elsewhere.test".to_owned()],
        announced: false,
    };
    world.app.lake.append_zone_changes(&[change]).await.unwrap();
    for (tlp, is_shown) in [(Tlp::AmberStrict, true), (Tlp::Green, false)] {
        access(tlp, None, None).await;
        let page = world
            .get_as("/zones/example.com/over-time", &world.sign_in("analyst").await)
            .await;
        assert_eq!(page.body.contains("ns.elsewhere.test"), is_shown, "{tlp}");
        assert_eq!(page.body.contains("not shown to this account"), !is_shown, "{tlp}");
    }

    access(Tlp::Green, None, Some(3)).await;
    let rate = async || {
        let answer = get(&world, "/dnsdb/v2/rate_limit", &key).await;
        serde_json::from_str::<Value>(&answer.body).unwrap()["rate"].clone()
    };
    let midnight = (now().as_second() / DAY + 1) * DAY;
    assert_eq!(
        rate().await,
        json!({ "reset": midnight, "limit": 3, "remaining": 3, "results_max": 1_000_000, "offset_max": 1_000_000 })
    );
    let wrong = get(&world, "/dnsdb/v2/lookup/rrset/name/a..b", &key).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    for path in [
        path,
        "/pdns/query/www.example.com",
        "/dnsdb/v2/summarize/rrset/name/www.example.com",
    ] {
        get(&world, path, &key).await;
    }
    assert_eq!(
        rate().await["remaining"],
        json!(0),
        "what was not understood is not counted"
    );
    for path in [path, "/pdns/query/www.example.com"] {
        let spent = get(&world, path, &key).await;
        assert_eq!(spent.status, StatusCode::TOO_MANY_REQUESTS);
        insta::allow_duplicates! {
            insta::assert_snapshot!(spent.body.trim(), @"the 3 look-ups of a day are used up; there are more from 2026-03-02T00:00:00Z on");
        }
    }
    let page = world
        .get_as("/passive?q=example.com", &world.sign_in("analyst").await)
        .await;
    assert!(page.body.contains("used up"), "{}", page.body);
    let ping = get(&world, "/dnsdb/v2/ping", &key).await;
    assert_eq!(ping.status, StatusCode::OK, "a ping is no look-up");
}
