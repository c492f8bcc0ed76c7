//! The page of an operator: its zones, their servers and how they answered; its files, and the same for programs.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use csirt::accounts::Scope;
use csirt::directory::{self, Kind, Profile, Region};
use csirt::watch::{self, Round, Watch};
use csirt::{Actor, watch::WatchedZone};
use jiff::SignedDuration;
use model::{Id, Language};
use serde_json::{Value, json};

use super::api::{call, token};
use super::html;
use super::rooms::busy;
use super::world::{Furnished, name, now};

/// The path of the page of the organisation that has the furnished centre's zones.
async fn path(furnished: &Furnished) -> String {
    let all = directory::list(&furnished.world.app.records).await.unwrap();
    let organisation = all.iter().find(|one| one.profile.handle == "nic-example").unwrap();
    format!("/operators/{}", organisation.id)
}

#[tokio::test]
async fn an_operator_s_page_keeps_the_rules_of_all_pages_in_every_language() {
    let furnished = busy().await;
    let cookie = furnished.world.sign_in("duty").await;
    let path = path(&furnished).await;
    for language in Language::ALL {
        let asked = format!("{path}?lang={language}");
        let answer = furnished.world.get_as(&asked, &cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{asked}");
        html::check(&asked, &answer);
        for area in ["operator", "zone", "chart", "health", "alert"] {
            assert!(
                !answer.body.contains(&format!("[{area}-")),
                "{asked} lacks a text of {area}"
            );
        }
    }
}

#[tokio::test]
async fn it_shows_zones_and_servers_and_is_reached_from_the_list_the_zone_the_server_and_the_directory() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("look").await;
    let path = path(&furnished).await;
    let page = world.get_as(&path, &cookie).await.body;
    for shown in [
        "NIC Example",
        "/zones/example",
        "/zones/xn--kgbechtv",
        "ns1.nic.example",
        "/servers/192.0.2.53",
        "/servers/198.51.100.66",
        // 24 hours of samples, one an hour; none was lost
        "100",
        "23 ms",
        "/zones/example/over-time",
        "servers.csv",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let silent = page.find("198.51.100.66").unwrap();
    assert!(
        silent < page.find("/servers/192.0.2.53").unwrap(),
        "the silent server stands first"
    );
    let entry = path.replace("/operators/", "/directory/");
    let duty = world.sign_in("duty").await;
    for from in ["/zones", "/zones/example", "/servers/192.0.2.53", &entry] {
        let answer = world.get_as(from, &duty).await;
        assert!(answer.body.contains(&path), "{from} does not lead to {path}");
    }
    for (unknown, status) in [
        ("/operators/00000000-0000-0000-0000-000000000007", StatusCode::NOT_FOUND),
        ("/operators/nobody", StatusCode::NOT_FOUND),
        (&format!("{path}/else.csv"), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(world.get_as(unknown, &cookie).await.status, status, "{unknown}");
    }
    assert_eq!(
        world.get(&path).await.status,
        StatusCode::SEE_OTHER,
        "it is for those who signed in"
    );
    let amina = world.sign_in("amina").await;
    let refused = world.get_as(&path, &amina).await.status;
    assert_eq!(refused, StatusCode::NOT_FOUND, "a constituent has a page of its own");
}

#[tokio::test]
async fn both_tables_can_be_taken_away_and_programs_read_the_same() {
    let furnished = busy().await;
    let world = &furnished.world;
    let cookie = world.sign_in("duty").await;
    let path = path(&furnished).await;
    let zones = world.get_as(&format!("{path}/zones.csv"), &cookie).await;
    let disposition = "attachment; filename=\"nic-example-zones.csv\"";
    assert_eq!(zones.header("content-disposition"), disposition);
    let lines: Vec<&str> = zones.body.lines().collect();
    assert!(
        lines[0].starts_with("zone,health,worst,since,") && lines.len() == 4,
        "{lines:?}"
    );
    assert!(lines[1].starts_with("example,broken,ERROR,"), "{lines:?}");

    let servers = world.get_as(&format!("{path}/servers.csv"), &cookie).await.body;
    let lines: Vec<&str> = servers.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[1].starts_with("198.51.100.66,ns.elsewhere.test,broken,1,0,"),
        "{lines:?}"
    );
    let seen: Vec<&str> = lines[2].split(',').collect();
    assert_eq!(
        &seen[..6],
        ["192.0.2.53", "ns1.nic.example", "good", "1", "1", "example"]
    );
    assert_eq!(seen[10..], ["1", "ERROR"]);

    let token = token(&furnished, "look", Scope::Read).await;
    let read = async |path: String| -> Value {
        let answer = call(&furnished, "GET", &path, &token, "").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        serde_json::from_str(&answer.body).unwrap()
    };
    let operator = read(format!("/api/v1{path}")).await;
    assert_eq!(operator["name"], "NIC Example");
    assert_eq!(
        operator["health"],
        json!({"broken": 1, "good": 1, "impaired": 1, "unknown": 0})
    );
    let (csv_asked, csv_answered) = (seen[6], seen[7]);
    let answered = &operator["servers"][1]["seen"];
    assert_eq!(
        (
            answered["asked"].to_string().as_str(),
            answered["answered"].to_string().as_str()
        ),
        (csv_asked, csv_answered)
    );
    assert_eq!(answered["rtt_median_us"], 23_000);
    let zones = read(format!("/api/v1{path}/zones?limit=2")).await;
    assert_eq!(zones["items"][0]["zone"], "example");
    assert!(zones["next"].is_string());
}

#[tokio::test]
async fn a_page_of_thousands_of_zones_on_many_servers_is_light_and_says_what_it_left_out() {
    let furnished = busy().await;
    let world = &furnished.world;
    let records = &world.app.records;
    let profile = Profile::new("big-example", "Big Example", Kind::Registry, Region::Eu);
    let organisation = directory::create(records, Actor::System, &profile).await.unwrap();
    let watches: Vec<Watch> = (0..1_100)
        .map(|number| Watch {
            organisation: Some(organisation.id),
            ..Watch::new(name(&format!("z{number:04}.big.example")))
        })
        .collect();
    let mut rounds: Vec<(Id<WatchedZone>, Round)> = Vec::new();
    for (number, watched) in watch::add_all(records, Actor::System, &watches)
        .await
        .unwrap()
        .into_iter()
        .enumerate()
    {
        let servers: Vec<Value> = (0..2)
            .map(|server| {
                let number = (number + server) % 120;
                json!({"name": format!("ns{number}.big.example"), "address": format!("203.0.113.{number}"), "reachable": true, "serves_zone": true})
            })
            .collect();
        let round = Round {
            time: now() - SignedDuration::from_secs(10),
            findings: Vec::new(),
            seen: None,
            servers: Value::Array(servers),
            detectors: json!({}),
            untestable: None,
        };
        rounds.push((watched.id, round));
    }
    watch::record_rounds(records, rounds).await.unwrap();
    let cookie = world.sign_in("duty").await;
    let path = format!("/operators/{}", organisation.id);
    let answer = world.get_as(&path, &cookie).await;
    html::check(&path, &answer);
    assert!(
        answer
            .body
            .contains("The servers of so many zones are not looked at here"),
        "{}",
        answer.body
    );
    let servers = world.get_as(&format!("{path}/servers.csv"), &cookie).await.body;
    assert_eq!(servers.lines().count(), 121, "the file has every server");
    let counts: BTreeMap<&str, usize> = servers
        .lines()
        .skip(1)
        .map(|line| {
            let parts: Vec<&str> = line.split(',').collect();
            (parts[0], parts[3].parse().unwrap())
        })
        .collect();
    assert_eq!(
        counts.values().sum::<usize>(),
        2_000,
        "each of a thousand zones on two servers"
    );
}
