//! The rooms of the team: alerts, cases, zones, directory, route; what each shows, to whom, and what is done there.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use csirt::alerts::{self, Filter};
use csirt::cases::{self, CaseFilter};
use csirt::requests::{self, RequestState};
use csirt::watch::{self, Round};
use csirt::{Actor, directory};
use jiff::SignedDuration;
use model::{
    ChangedPart, Delegation, Detector, Finding, Level, Outcome, Sample, Severity, Signal, Transport, ZoneChange,
};

use super::html;
use super::world::{Answer, Furnished, furnished, name, now};

/// The furnished centre with a zone that was taken over, its history, and a second alert in the queue.
pub async fn busy() -> Furnished {
    let furnished = furnished().await;
    let app = &furnished.world.app;
    let delegation = |names: &[(&str, &str)], ds: &[&str]| Delegation {
        ns: names
            .iter()
            .map(|(ns, address)| (name(ns), BTreeSet::from([address.parse().unwrap()])))
            .collect(),
        ds: ds.iter().map(|ds| ds.parse().unwrap()).collect(),
    };
    let expected = delegation(
        &[("ns1.nic.example", "192.0.2.53"), ("ns2.nic.example", "192.0.2.54")],
        &["60485,13,2,00ff"],
    );
    let seen = delegation(
        &[
            ("ns1.nic.example", "192.0.2.53"),
            ("ns.elsewhere.test", "198.51.100.66"),
        ],
        &["60485,13,2,00ff"],
    );
    let watched = watch::by_zone(&app.records, &name("example")).await.unwrap().unwrap();
    watch::set_expected(&app.records, Actor::System, watched.id, &expected)
        .await
        .unwrap();
    let finding = Finding {
        case: "dnssec09".to_owned(),
        tag: "DS09_RRSIG_NOT_VALID_BY_DNSKEY".to_owned(),
        level: Level::Error,
        args: BTreeMap::from([
            ("ns_ip_list".to_owned(), "192.0.2.53".to_owned()),
            ("keytag".to_owned(), "60485".to_owned()),
        ]),
        vantage_point: Some("centre".to_owned()),
    };
    let round = Round {
        time: now() - SignedDuration::from_secs(10),
        findings: vec![finding],
        seen: Some(seen),
        servers: serde_json::json!([
            {"name": "ns1.nic.example", "address": "192.0.2.53", "outcome": "answer", "reachable": true, "serves_zone": true, "rtt_us": 23_400, "serial": 2_026_030_101, "nsid": "tun1"},
            {"name": "ns.elsewhere.test", "address": "198.51.100.66", "outcome": "timeout", "reachable": false, "serves_zone": false},
        ]),
        detectors: serde_json::json!({}),
        untestable: None,
    };
    watch::record_round(&app.records, watched.id, round).await.unwrap();
    let sample = |minutes: i64, outcome: Outcome| Sample {
        time: now() - SignedDuration::from_mins(minutes),
        probe: "here".to_owned(),
        zone: name("example"),
        server: Some(name("ns1.nic.example")),
        address: "192.0.2.53".parse().unwrap(),
        transport: Transport::Udp,
        qname: name("example"),
        qtype: 6,
        outcome,
        rtt_us: (outcome == Outcome::Answer).then_some(23_000),
        rcode: (outcome == Outcome::Answer).then_some(0),
        authoritative: true,
        truncated: false,
        serial: None,
        nsid: None,
        size_bytes: None,
        flags: None,
        attempts: None,
        validated: None,
        signature_expiration: None,
    };
    let samples: Vec<Sample> = (1..200)
        .map(|at| {
            sample(
                at * 60,
                if at % 40 == 0 {
                    Outcome::Timeout
                } else {
                    Outcome::Answer
                },
            )
        })
        .collect();
    app.lake.append_samples(&samples).await.unwrap();
    let change = ZoneChange {
        time: now() - SignedDuration::from_mins(5),
        zone: name("example"),
        part: ChangedPart::Ns,
        before: vec!["ns1.nic.example".to_owned(), "ns2.nic.example".to_owned()],
        after: vec!["ns.elsewhere.test".to_owned(), "ns1.nic.example".to_owned()],
        announced: false,
    };
    app.lake
        .append_zone_changes(std::slice::from_ref(&change))
        .await
        .unwrap();
    let signal = Signal {
        detector: Detector::Redelegation,
        key: "redelegation:xn--kgbechtv:redelegated".to_owned(),
        severity: Severity::Review,
        time: now() - SignedDuration::from_mins(5),
        zones: vec![name("xn--kgbechtv")],
        kind: "redelegated".to_owned(),
        args: BTreeMap::from([("zone".to_owned(), "xn--kgbechtv".to_owned())]),
        findings: Vec::new(),
        changes: vec![change],
    };
    alerts::raise(&app.records, &signal).await.unwrap();
    furnished
}

async fn new_alert(furnished: &Furnished) -> String {
    alerts::queue(&furnished.world.app.records, &Filter::default())
        .await
        .unwrap()[0]
        .id
        .to_string()
}

async fn case_number(furnished: &Furnished) -> String {
    cases::list(&furnished.world.app.records, &CaseFilter::default())
        .await
        .unwrap()[0]
        .case
        .number
        .to_string()
}

async fn pages(furnished: &Furnished) -> Vec<(&'static str, String)> {
    let organisation = directory::list(&furnished.world.app.records).await.unwrap()[0].id;
    let (alert, case) = (new_alert(furnished).await, case_number(furnished).await);
    vec![
        ("alerts", "/alerts".to_owned()),
        ("alert", format!("/alerts/{alert}")),
        ("cases", "/cases".to_owned()),
        ("case", format!("/cases/{case}")),
        ("request", format!("/cases/{case}/requests/1")),
        ("zones", "/zones".to_owned()),
        ("zone", "/zones/example".to_owned()),
        ("directory", "/directory".to_owned()),
        ("organisation", format!("/directory/{organisation}")),
        ("edit", format!("/directory/{organisation}/edit")),
        ("operator", format!("/operators/{organisation}")),
        ("import", "/directory/import".to_owned()),
        ("route", "/route?target=www.example".to_owned()),
        ("vantage", "/vantage".to_owned()),
    ]
}

/// The main part of a page. Sparklines have tests of their own and are left out.
pub fn main_of(answer: &Answer, token: &str) -> String {
    let html = html::redacted(&answer.body, token);
    let from = html.find("<main").unwrap();
    let mut main = html[from..html.find("</main>").unwrap()].to_owned();
    while let Some(at) = main.find("<svg class=\"spark\"") {
        let end = at + main[at..].find("</svg>").unwrap() + 6;
        main.replace_range(at..end, "(sparkline)");
    }
    main
}

#[tokio::test]
async fn every_room_keeps_the_rules_of_all_pages_in_every_language() {
    let furnished = busy().await;
    let duty = furnished.world.sign_in("duty").await;
    for (_, path) in pages(&furnished).await {
        for language in model::Language::ALL {
            let joint = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{joint}lang={language}");
            let answer = furnished.world.get_as(&path, &duty).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
            html::check(&path, &answer);
            for area in [
                "alert",
                "case",
                "casework",
                "zone",
                "directory",
                "chart",
                "route",
                "vantage",
            ] {
                assert!(
                    !answer.body.contains(&format!("[{area}-")),
                    "{path} lacks a text of {area}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_rooms_look_as_agreed() {
    let furnished = busy().await;
    let duty = furnished.world.sign_in("duty").await;
    for (shown, path) in pages(&furnished).await {
        for language in ["en", "ar"] {
            let joint = if path.contains('?') { '&' } else { '?' };
            let answer = furnished
                .world
                .get_as(&format!("{path}{joint}lang={language}"), &duty)
                .await;
            insta::assert_snapshot!(format!("{shown}-{language}"), main_of(&answer, &furnished.token));
        }
    }
}

#[tokio::test]
async fn an_alert_of_thousands_of_names_and_its_case_are_light_pages_from_which_everything_is_reached() {
    let furnished = busy().await;
    let records = &furnished.world.app.records;
    let zones: Vec<model::Name> = (0..3_000)
        .map(|n| name(&format!("n{n:04}.taken-over.example")))
        .collect();
    let change = |zone: &model::Name| ZoneChange {
        time: now(),
        zone: zone.clone(),
        part: ChangedPart::Ns,
        before: vec![format!("ns1.{zone}"), format!("ns2.{zone}")],
        after: vec!["ns1.elsewhere.test".to_owned(), "ns2.elsewhere.test".to_owned()],
        announced: false,
    };
    let signal = Signal {
        detector: Detector::Redelegation,
        key: "redelegation:to:elsewhere.test".to_owned(),
        severity: Severity::Page,
        time: now(),
        zones: zones.clone(),
        kind: "mass-redelegated".to_owned(),
        args: BTreeMap::from([("target".to_owned(), "elsewhere.test".to_owned())]),
        findings: Vec::new(),
        changes: zones.iter().take(100).map(change).collect(),
    };
    let raised = alerts::raise_all(records, &vec![signal; 12]).await.unwrap();
    let alert = raised[0].alert().id;
    let new = cases::NewCase {
        title: "Names taken over".to_owned(),
        tlp: model::Tlp::Amber,
        alerts: vec![alert],
    };
    let case = cases::open(records, Actor::System, &new).await.unwrap();
    for zone in zones.iter().take(95) {
        let proposal = requests::Proposal {
            organisation: None,
            name: "Registry of Example".to_owned(),
            addresses: vec!["noc@registry.example".to_owned()],
            language: model::Language::English,
            time_zone: "UTC".to_owned(),
            because: "by hand".to_owned(),
            zone: zone.clone(),
            ask: requests::Ask::CorrectDelegation,
            check: requests::Ask::CorrectDelegation.check(zone, None),
            deadline: now() + SignedDuration::from_hours(4),
        };
        requests::create(records, Actor::System, case.id, &proposal)
            .await
            .unwrap();
    }
    let duty = furnished.world.sign_in("duty").await;
    let (alert, case) = (format!("/alerts/{alert}"), format!("/cases/{}", case.number));
    let mut seen = BTreeSet::new();
    let parts = (2..=8).map(|part| format!("{case}?part={part}"));
    for path in [alert.clone(), case.clone()].into_iter().chain(parts) {
        let answer = furnished.world.get_as(&path, &duty).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        html::check(&path, &answer);
        for number in 1..=95 {
            if answer.body.contains(&format!("{case}/requests/{number}\"")) {
                seen.insert(number);
            }
        }
    }
    assert_eq!(seen.len(), 95, "every request is reached: {seen:?}");
    let shown = furnished.world.get_as(&alert, &duty).await.body;
    assert!(
        shown.contains("60 more changes are kept") && shown.contains("and 2950 more"),
        "{shown}"
    );
}

#[tokio::test]
async fn each_role_sees_its_rooms_and_no_others() {
    let furnished = busy().await;
    let mut table = format!("{:<14}", "");
    let mut cookies = vec![("nobody", String::new())];
    for account in ["ada", "duty", "aug", "look", "amina"] {
        cookies.push((account, furnished.world.sign_in(account).await));
    }
    cookies
        .iter()
        .for_each(|(account, _)| table.push_str(&format!("{account:>8}")));
    for (shown, path) in pages(&furnished).await {
        table.push_str(&format!("\n{shown:<14}"));
        for (_, cookie) in &cookies {
            let answer = furnished.world.get_as(&path, cookie).await;
            table.push_str(&format!("{:>8}", answer.status.as_u16()));
        }
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn a_role_without_the_right_cannot_act() {
    let furnished = busy().await;
    let world = &furnished.world;
    let (look, aug) = (world.sign_in("look").await, world.sign_in("aug").await);
    let (alert, case) = (new_alert(&furnished).await, case_number(&furnished).await);
    let csrf = |answer: Answer| answer.field("csrf");
    let look_csrf = csrf(world.get_as("/account", &look).await);
    let aug_csrf = csrf(world.get_as("/account", &aug).await);
    for path in [
        format!("/alerts/{alert}/dismiss"),
        format!("/cases/{case}/notes"),
        "/zones".to_owned(),
        "/vantage".to_owned(),
    ] {
        let answer = world
            .post(
                &path,
                &look,
                &[("csrf", &look_csrf), ("reason", "x"), ("note", "x"), ("zone", "a")],
            )
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [
        format!("/cases/{case}/close"),
        format!("/cases/{case}/requests/1/overrule"),
        "/directory/new".to_owned(),
        "/vantage".to_owned(),
        "/vantage/nbo1/token".to_owned(),
        "/vantage/nbo1/revoke".to_owned(),
    ] {
        let answer = world.post(&path, &aug, &[("csrf", &aug_csrf), ("reason", "x")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = world
        .post(&format!("/cases/{case}/notes"), &aug, &[("note", "without a mark")])
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_duty_officer_goes_from_alert_to_closed_case() {
    let furnished = busy().await;
    let (world, records) = (&furnished.world, &furnished.world.app.records);
    let duty = world.sign_in("duty").await;
    let alert = new_alert(&furnished).await;
    let csrf = world.get_as("/alerts", &duty).await.field("csrf");
    let post = async |path: String, fields: &[(&str, &str)]| {
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        world.post(&path, &duty, &all).await
    };

    let nothing = post("/alerts/selected/case".to_owned(), &[]).await;
    assert_eq!(nothing.header("location"), "/alerts?said=alert-said-none-chosen");
    let opened = post(
        "/alerts/selected/case".to_owned(),
        &[(&format!("alert-{alert}"), "1"), ("tlp", "TLP:GREEN")],
    )
    .await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
    let case = opened.header("location").split('?').next().unwrap().to_owned();

    let empty = post(format!("{case}/notes"), &[("note", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.body.contains("role=\"alert\""), "{}", empty.body);
    post(format!("{case}/notes"), &[("note", "Called <b>them</b>")]).await;
    let page = world.get_as(&case, &duty).await.body;
    assert!(
        page.contains("Called &#60;b&#62;them&#60;/b&#62;") || page.contains("Called &lt;b&gt;them"),
        "{page}"
    );

    let fields = [
        ("proposal", "NIC Example"),
        ("zone", "xn--kgbechtv"),
        ("ask", "confirm_or_restore_delegation"),
    ];
    let created = post(format!("{case}/requests"), &fields).await;
    assert!(
        created.header("location").starts_with(&format!("{case}/requests/1")),
        "{}",
        created.body
    );
    let request = format!("{case}/requests/1");
    let page = world.get_as(&request, &duty).await.body;
    assert!(
        page.contains("lang=\"fr\""),
        "the notice is shown in the party's language"
    );
    post(format!("{request}/send"), &[]).await;
    let number = case.rsplit('/').next().unwrap().parse().unwrap();
    let found = cases::find(records, number).await.unwrap();
    let state = requests::grid(records, found.id).await.unwrap().parties[0].requests[0].state;
    assert_eq!(state, RequestState::Queued);
    let handed = post(format!("{request}/link"), &[]).await.body;
    let (_, rest) = handed.split_once("https://dnscert.example/a/").unwrap();
    let link = format!("/a/{}", &rest[..43]);
    assert_eq!(world.get(&link).await.status, StatusCode::OK, "{link}");
    post(format!("{request}/revoke"), &[]).await;
    assert_eq!(world.get(&link).await.status, StatusCode::NOT_FOUND);

    let open = post(format!("{case}/close"), &[]).await;
    assert_eq!(
        open.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "an open request needs a reason"
    );
    let unsaid = post(format!("{request}/overrule"), &[]).await;
    assert!(unsaid.header("location").contains("casework-said-reason-missing"));
    post(format!("{request}/overrule"), &[("reason", "confirmed by telephone")]).await;
    let closed = post(format!("{case}/close"), &[]).await;
    assert!(
        closed.header("location").contains("casework-said-closed"),
        "{}",
        closed.body
    );
    let page = world.get_as(&case, &duty).await.body;
    assert!(page.contains("confirmed by telephone"));
    for entry in cases::timeline(records, found.id).await.unwrap() {
        if let cases::Event::Change { field, .. } = entry.event {
            let id = format!("casework-field-{}", field.replace('_', "-"));
            assert!(language::texts(model::Language::English).has(&id), "{id}");
        }
    }
}

#[tokio::test]
async fn what_is_seen_becomes_expected_only_as_it_was_shown() {
    let furnished = busy().await;
    let world = &furnished.world;
    let duty = world.sign_in("duty").await;
    let page = world.get_as("/zones/example", &duty).await;
    let (csrf, round) = (page.field("csrf"), page.field("round"));
    let stale = world
        .post("/zones/example/expected", &duty, &[("csrf", &csrf), ("round", "0123")])
        .await;
    assert_eq!(stale.header("location"), "/zones/example?said=zone-said-moved");
    let done = world
        .post("/zones/example/expected", &duty, &[("csrf", &csrf), ("round", &round)])
        .await;
    assert_eq!(done.header("location"), "/zones/example?said=zone-said-accepted");
    let page = world.get_as("/zones/example", &duty).await.body;
    assert!(
        !page.contains("zone-compare") && !page.contains("node new"),
        "nothing differs any more"
    );
}

#[tokio::test]
async fn a_zone_is_added_announced_paused_and_removed() {
    let world = busy().await.world;
    let duty = world.sign_in("duty").await;
    let csrf = world.get_as("/zones", &duty).await.field("csrf");
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        world.post(path, &duty, &all).await
    };
    for (zone, interval) in [("a..b", ""), ("example", ""), ("new.example", "1")] {
        let answer = post("/zones", &[("zone", zone), ("interval", interval)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{zone}");
        html::check("/zones", &answer);
    }
    assert_eq!(
        post("/zones", &[("zone", "παράδειγμα.example")])
            .await
            .header("location"),
        "/zones/xn--hxajbheg2az3al.example?said=zone-said-added"
    );
    let path = "/zones/xn--hxajbheg2az3al.example";
    let late = post(
        &format!("{path}/announcements"),
        &[("from", "2020-01-01 00:00"), ("until", "2020-01-02 00:00"), ("by", "A")],
    )
    .await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [
        ("from", "2026-03-01 12:00"),
        ("until", "2026-03-01 18:00"),
        ("by", "A. Mensah"),
    ];
    assert_eq!(
        post(&format!("{path}/announcements"), &fields).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(world.get_as(path, &duty).await.body.contains("A. Mensah"));
    post(&format!("{path}/watch"), &[("interval", "300"), ("enabled", "off")]).await;
    let watched = watch::by_zone(&world.app.records, &name("xn--hxajbheg2az3al.example"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((watched.watch.interval_secs, watched.watch.enabled), (300, false));
    post(&format!("{path}/remove"), &[]).await;
    assert!(
        watch::by_zone(&world.app.records, &watched.watch.zone)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn an_import_with_a_wrong_row_changes_nothing_and_names_the_row() {
    let world = busy().await.world;
    let duty = world.sign_in("duty").await;
    let csrf = world.get_as("/directory/import", &duty).await.field("csrf");
    let upload = async |file: &str| {
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"d.csv\"\r\n\r\n{file}\r\n--x--\r\n"
        );
        let request = axum::http::Request::post("/directory/import")
            .header("cookie", &duty)
            .header("content-type", "multipart/form-data; boundary=x")
            .header("sec-fetch-site", "same-origin")
            .body(axum::body::Body::from(body))
            .unwrap();
        world.send(request).await
    };
    let before = directory::list(&world.app.records).await.unwrap().len();
    let bad = upload("handle,name,kind,region\na,A,registry,AF\nb,B,shop,AF\n").await;
    assert_eq!(bad.status, StatusCode::OK);
    assert!(bad.body.contains("<td class=\"num\">3</td>"), "{}", bad.body);
    assert_eq!(directory::list(&world.app.records).await.unwrap().len(), before);
    let good = upload("handle,name,kind,region\na,A,registry,AF\n").await;
    assert!(good.body.contains("note good"), "{}", good.body);
    assert_eq!(directory::list(&world.app.records).await.unwrap().len(), before + 1);
    let exported = world.get_as("/directory/export/json", &duty).await;
    assert!(exported.body.contains("nic-example") && exported.header("content-disposition").contains("attachment"));
}

#[tokio::test]
async fn an_entry_is_changed_by_its_form_and_errors_stand_beside_it() {
    let world = busy().await.world;
    let duty = world.sign_in("duty").await;
    let id = directory::list(&world.app.records).await.unwrap()[0].id;
    let path = format!("/directory/{id}/edit");
    let csrf = world.get_as(&path, &duty).await.field("csrf");
    let fields = [
        ("csrf", csrf.as_str()),
        ("name", "NIC Example"),
        ("kind", "registry"),
        ("participation", "participant"),
        ("region", "AF"),
        ("preferred_language", "fr"),
        ("time_zone", "Africa/Tunis"),
        ("hours", "Mon-Fri 08:00-17:00"),
        (
            "channels",
            "email | noc@nic.example | security\nphone | +21671000000 | general",
        ),
        ("responsibilities", "zone | example | operator"),
    ];
    let done = world.post(&path, &duty, &fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(
        directory::get(&world.app.records, id)
            .await
            .unwrap()
            .profile
            .channels
            .len(),
        2
    );
    let mut wrong = fields;
    wrong[8].1 = "email | nowhere";
    let answer = world.post(&path, &duty, &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("email | nowhere"), "what was typed is still there");
}
