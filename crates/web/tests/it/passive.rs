//! Passive DNS as its clients meet it: by hand, and by dnsdbq, the field's own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use csirt::Actor;
use csirt::accounts::{self, Role, Scope};
use domain::base::iana::Rtype;
use lake::passive::{Passive, Source};
use model::{PassiveRrset, SeenIn, Tlp};
use serde_json::{Value, json};
use testkit::database::all_demanded;

use super::html;
use super::world::{Answer, World, name, now};

pub const DAY: i64 = 86_400;

fn wire(text: &str) -> Vec<u8> {
    name(text).as_wire().as_octets().clone()
}

pub fn rrset(owner: &str, rtype: Rtype, bailiwick: &str, rdata: &[Vec<u8>], days_ago: (i64, i64)) -> PassiveRrset {
    let time = |days| now() - jiff::SignedDuration::from_secs(days * DAY);
    PassiveRrset {
        name: name(owner),
        rtype,
        bailiwick: name(bailiwick),
        rdata: rdata.to_vec(),
        seen_in: SeenIn::Wire,
        first: time(days_ago.0),
        last: time(days_ago.1),
        count: 3,
    }
}

fn source(id: &str, tlp: Tlp) -> Source {
    Source {
        id: id.to_owned(),
        owner: "Registry of example".to_owned(),
        licence: "agreement".to_owned(),
        tlp,
        legal_basis: "contract".to_owned(),
    }
}

/// What the world has seen.
pub async fn furnish(world: &World) {
    let passive = Passive::open(&world.lake_folder()).await.unwrap();
    passive.set_source(source("sensor", Tlp::Green)).await.unwrap();
    passive.set_source(source("secret", Tlp::Red)).await.unwrap();
    let servers = [wire("ns1.example.net"), wire("ns2.example.net")];
    let mx = [vec![0, 10], wire("mail.example.com")].concat();
    let of_zone = PassiveRrset {
        seen_in: SeenIn::ZoneFile,
        ..rrset("example.com", Rtype::NS, "com", &servers, (300, 2))
    };
    let rows = vec![
        rrset("example.com", Rtype::NS, "com", &servers, (200, 1)),
        rrset("example.com", Rtype::NS, "example.com", &servers, (190, 1)),
        of_zone,
        rrset("example.com", Rtype::MX, "example.com", &[mx], (100, 50)),
        rrset(
            "example.com",
            Rtype::DS,
            "com",
            &[vec![0, 1, 13, 2, 0xab, 0xcd]],
            (100, 50),
        ),
        rrset(
            "www.example.com",
            Rtype::A,
            "example.com",
            &[vec![192, 0, 2, 1], vec![192, 0, 2, 9]],
            (90, 0),
        ),
        rrset(
            "www.example.com",
            Rtype::AAAA,
            "example.com",
            &[[vec![0x20, 1, 0x0d, 0xb8], vec![0; 12]].concat()],
            (90, 0),
        ),
        rrset(
            "www.example.org",
            Rtype::CNAME,
            "example.org",
            &[wire("www.example.com")],
            (30, 10),
        ),
        rrset(
            "odd.example.org",
            Rtype::from_int(65_280),
            "example.org",
            &[vec![1, 2]],
            (30, 10),
        ),
    ];
    passive.append("sensor", "1", rows, now()).await.unwrap();
    let hidden = rrset(
        "www.example.com",
        Rtype::A,
        "example.com",
        &[vec![198, 51, 100, 1]],
        (5, 5),
    );
    passive.append("secret", "2", vec![hidden], now()).await.unwrap();
}

pub async fn token(world: &World, account: &str, role: Role) -> String {
    let id = world.account(account, role, None).await.id;
    let made = accounts::create_token(&world.app.records, Actor::System, id, "test", Scope::Read)
        .await
        .unwrap();
    made.1.reveal().to_owned()
}

pub async fn world() -> (World, String) {
    let world = World::empty().await;
    furnish(&world).await;
    let token = token(&world, "analyst", Role::DutyOfficer).await;
    (world, token)
}

pub async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn an_answer_is_framed_line_by_line() {
    let (world, token) = world().await;
    let key = [("x-api-key", token.as_str())];
    let answer = get(&world, "/dnsdb/v2/lookup/rrset/name/www.example.com/A?limit=5", &key).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "application/x-ndjson")
    );
    let (first, last) = (now().as_second() - 90 * DAY, now().as_second());
    let object = format!(
        r#"{{"obj":{{"count":3,"time_first":{first},"time_last":{last},"rrname":"www.example.com.","rrtype":"A","bailiwick":"example.com.","rdata":["192.0.2.1","192.0.2.9"]}}}}"#
    );
    assert_eq!(
        answer.body,
        format!("{{\"cond\":\"begin\"}}\n{object}\n{{\"cond\":\"succeeded\"}}\n")
    );
    let last_line = async |path: &str| {
        let answer = get(&world, path, &key).await;
        assert!(answer.body.ends_with("}\n"), "{}", answer.body);
        let line = answer.body.lines().last().unwrap_or_default().to_owned();
        (
            answer.body.lines().count(),
            serde_json::from_str::<Value>(&line).unwrap()["cond"].clone(),
        )
    };
    assert_eq!(
        last_line("/dnsdb/v2/lookup/rrset/name/*.example.com?limit=2").await,
        (4, json!("limited"))
    );
    assert_eq!(
        last_line("/dnsdb/v2/lookup/rrset/name/nothing.example").await,
        (2, json!("succeeded"))
    );
    assert_eq!(
        last_line("/dnsdb/v2/regex/rrnames/%5Ewww%5C.?verbose=false").await,
        (5, json!("succeeded"))
    );
    assert_eq!(
        last_line("/dnsdb/v2/glob/rdata/ns%3F.example.net./NS").await,
        (6, json!("succeeded"))
    );
    assert_eq!(
        last_line("/dnsdb/v2/regex/rrnames/./ANY?limit=1&exclude=www").await,
        (3, json!("limited"))
    );
    let packed = [key[0], ("accept-encoding", "gzip, br")];
    let answer = get(&world, "/dnsdb/v2/lookup/rrset/name/*.example.com", &packed).await;
    assert_eq!(
        (answer.header("content-encoding"), answer.body.lines().count()),
        ("", 9),
        "it is told as it is found"
    );
    let human = get(&world, "/dnsdb/v2/lookup/rrset/name/www.example.org?humantime=t", &key).await;
    assert!(
        human.body.contains(r#""time_first":"2026-01-30T12:00:00Z""#),
        "{}",
        human.body
    );
}

#[tokio::test]
async fn whoever_has_no_token_or_no_right_gets_nothing() {
    let (world, token) = world().await;
    let path = "/dnsdb/v2/lookup/rrset/name/www.example.com";
    use base64::Engine as _;
    let basic = format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("me:{token}"))
    );
    for (headers, status) in [
        (vec![], StatusCode::UNAUTHORIZED),
        (vec![("x-api-key", "wrong")], StatusCode::UNAUTHORIZED),
        (vec![("x-api-key", token.as_str())], StatusCode::OK),
        (vec![("authorization", basic.as_str())], StatusCode::OK),
    ] {
        for path in [
            path,
            "/pdns/query/www.example.com",
            "/dnsdb/v2/rate_limit",
            "/dnsdb/v2/ping",
        ] {
            let answer = get(&world, path, &headers).await;
            assert_eq!(answer.status, status, "{path} {headers:?}");
            let lines = answer.body.lines().filter(|line| !line.is_empty()).count();
            assert!(
                lines >= 1 && !answer.body.contains("198.51.100.1"),
                "TLP:RED stays here: {}",
                answer.body
            );
        }
    }
    let stranger = get(&world, path, &[]).await;
    assert_eq!(stranger.header("content-type"), "text/plain; charset=utf-8");
    let key = [("x-api-key", token.as_str())];
    for (path, status) in [
        ("/dnsdb/v2/lookup/rrset/name/a..b", 400),
        ("/dnsdb/v2/lookup/rrset/name/a?offset=99999999", 416),
        ("/dnsdb/v2/regex/rrnames/(", 400),
        ("/dnsdb/v2/nothing", 404),
        ("/pdns/query/300.1.1.1", 400),
    ] {
        assert_eq!(get(&world, path, &key).await.status.as_u16(), status, "{path}");
    }
    let bare = World::empty().await;
    let token = self::token(&bare, "analyst", Role::DutyOfficer).await;
    let answer = get(&bare, path, &[("x-api-key", &token)]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.trim()),
        (503, "there is no passive DNS here yet")
    );
}

#[tokio::test]
async fn circl_gives_pages_to_those_who_ask_for_them() {
    let (world, token) = world().await;
    let basic = format!("Bearer {token}");
    let page = |cursor: &'static str| {
        let headers = [
            ("authorization", basic.clone()),
            ("dribble-paginate-count", "2".to_owned()),
            ("dribble-paginate-cursor", cursor.to_owned()),
        ];
        let world = &world;
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = get(world, "/pdns/query/example.com", &headers).await;
            (
                answer.body.lines().count(),
                answer.header("x-dribble-cursor").to_owned(),
            )
        }
    };
    assert_eq!(page("0").await, (2, "2".to_owned()));
    assert_eq!(page("4").await, (1, String::new()));
    assert_eq!(
        get(
            &world,
            "/pdns/query/example.com",
            &[
                ("authorization", &basic),
                ("dribble-paginate-count", "18446744073709551615"),
                ("dribble-paginate-cursor", "1"),
            ],
        )
        .await
        .body
        .lines()
        .count(),
        4
    );
    let typed = get(
        &world,
        "/pdns/query/example.com",
        &[("authorization", &basic), ("dribble-filter-rrtype", "NS")],
    )
    .await;
    let objects: Vec<Value> = typed
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(objects.len(), 3);
    assert!(
        objects.iter().all(|object| object["time_first"].is_i64()),
        "also for what zone files say: {objects:?}"
    );
}

/// Serves the world on loopback.
pub async fn serve(world: &World) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = web::router(world.app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    address
}

/// Runs dnsdbq; `None` where it is not installed.
async fn dnsdbq(address: SocketAddr, token: &str, home: &Path, words: &str) -> Option<Output> {
    let config = format!("CIRCL_SERVER=http://{address}/pdns/query\nCIRCL_AUTH=me:{token}\n");
    std::fs::write(home.join(".dnsdb-query.conf"), config).unwrap();
    let mut command = tokio::process::Command::new("dnsdbq");
    command.args(words.split(' ')).env_clear().env("HOME", home);
    command
        .env("DNSDB_SERVER", format!("http://{address}"))
        .env("DNSDB_API_KEY", token);
    match command.output().await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            assert!(
                !all_demanded(),
                "dnsdbq is not installed, and DNSCERT_TEST_ALL demands it"
            );
            eprintln!("left out: dnsdbq is not installed (apt-get install dnsdbq)");
            None
        }
        output => Some(output.unwrap()),
    }
}

/// What PyPDNS makes of answers: whole, by pages, of one type, and of a password that is wrong.
const PYPDNS: &str = r#"
import sys
from pypdns import PyPDNS
from pypdns.errors import PDNSError
url, token = sys.argv[1:]
pdns = PyPDNS(url=url, basic_auth=("me", token))
for record in pdns.rfc_query("www.example.com", sort_by="rrtype"):
    print(record.rrname, record.rrtype, record.rdata, record.count, record.time_first_datetime.year)
print(sorted((record.rrtype, record.bailiwick or "") for record in pdns.iter_query("example.com")))
print(len(pdns.rfc_query("example.com", filter_rrtype="NS")))
print([record.rrname for record in pdns.rfc_query("192.0.2.1")])
print(pdns.rfc_query("nothing.example.com"))
try:
    PyPDNS(url=url, basic_auth=("me", "wrong")).rfc_query("www.example.com")
except PDNSError as error:
    print(type(error).__name__)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn pypdns_gets_what_it_asks_for() {
    let Some(python) = testkit::program::python(env!("CARGO_TARGET_TMPDIR"), "pypdns") else {
        let reason = "no Python has `pypdns`; `cargo xtask test` as root installs it";
        testkit::program::leave_out(reason).unwrap();
        return;
    };
    let (world, token) = world().await;
    let url = format!("http://{}/pdns/query", serve(&world).await);
    let mut command = tokio::process::Command::new(python);
    let output = command.args(["-c", PYPDNS, &url, &token]).output().await.unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r"
    www.example.com. A ['192.0.2.1', '192.0.2.9'] 3 2025
    www.example.com. AAAA ['2001:db8::'] 3 2025
    [('DS', 'com.'), ('MX', 'example.com.'), ('NS', 'com.'), ('NS', 'com.'), ('NS', 'example.com.')]
    3
    ['www.example.com.']
    []
    UnauthorizedError
    ");
}

#[tokio::test]
async fn dnsdbq_gets_what_it_asks_for() {
    let (world, token) = world().await;
    let address = serve(&world).await;
    let home = tempfile::tempdir().unwrap();
    let since = |days: i64| (now().as_second() - days * DAY).to_string();
    let cases: Vec<(String, Vec<&str>)> = vec![
        (
            "-j -r www.example.com/A".into(),
            vec!["www.example.com. A 192.0.2.1,192.0.2.9"],
        ),
        (
            "-j -r example.com/NS/com".into(),
            vec!["example.com. NS ns1.example.net.,ns2.example.net."; 2],
        ),
        (
            "-j -r example.com -t NS,MX".into(),
            vec![
                "example.com. MX 10 mail.example.com.",
                "example.com. NS ns1.example.net.,ns2.example.net.",
                "example.com. NS ns1.example.net.,ns2.example.net.",
                "example.com. NS ns1.example.net.,ns2.example.net.",
            ],
        ),
        (
            "-j -r example.com -t ANY-DNSSEC".into(),
            vec!["example.com. DS 1 13 2 ABCD"],
        ),
        (
            "-j -r *.example.org".into(),
            vec![
                "odd.example.org. TYPE65280 \\# 2 0102",
                "www.example.org. CNAME www.example.com.",
            ],
        ),
        (
            "-j -r www.example.*/CNAME".into(),
            vec!["www.example.org. CNAME www.example.com."],
        ),
        (
            "-j -R 03777777076578616d706c65036f726700".into(),
            vec!["www.example.org. CNAME www.example.com."],
        ),
        (
            "-j -n ns2.example.net".into(),
            vec!["example.com. NS ns2.example.net.", "example.com. NS ns2.example.net."],
        ),
        (
            "-j -n mail.example.com/MX".into(),
            vec!["example.com. MX 10 mail.example.com."],
        ),
        ("-j -i 192.0.2.1".into(), vec!["www.example.com. A 192.0.2.1"]),
        (
            "-j -i 192.0.2.0/24".into(),
            vec!["www.example.com. A 192.0.2.1", "www.example.com. A 192.0.2.9"],
        ),
        (
            "-j -i 192.0.2.5-192.0.2.10".into(),
            vec!["www.example.com. A 192.0.2.9"],
        ),
        ("-j -i 2001:db8::".into(), vec!["www.example.com. AAAA 2001:db8::"]),
        ("-j -N c0000209".into(), vec!["www.example.com. A 192.0.2.9"]),
        (
            "-j -l 1 -r *.example.com".into(),
            vec!["example.com. NS ns1.example.net.,ns2.example.net."],
        ),
        (
            "-j -O 1 -r *.example.org".into(),
            vec!["www.example.org. CNAME www.example.com."],
        ),
        (
            format!("-j -A {} -r *.example.com/AAAA", since(1)),
            vec!["www.example.com. AAAA 2001:db8::"],
        ),
        (format!("-j -B {} -r *.example.com/AAAA", since(91)), vec![]),
        (
            format!("-j -c -A {} -B {} -r *.example.org/CNAME", since(31), since(9)),
            vec!["www.example.org. CNAME www.example.com."],
        ),
        (format!("-j -c -A {} -r *.example.org/CNAME", since(20)), vec![]),
        (
            "-j -g -r www.example.com/A".into(),
            vec!["www.example.com. A 192.0.2.1,192.0.2.9"],
        ),
        (
            "-u circl -j -r www.example.com".into(),
            vec![
                "www.example.com. A 192.0.2.1,192.0.2.9",
                "www.example.com. AAAA 2001:db8::",
            ],
        ),
        ("-u circl -j -i 192.0.2.1".into(), vec!["www.example.com. A 192.0.2.1"]),
    ];
    for (words, expected) in cases {
        let Some(output) = dnsdbq(address, &token, home.path(), &words).await else {
            return;
        };
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words}: {told}");
        let is_empty = told.contains("no results found");
        assert!(
            told.is_empty() || is_empty && expected.is_empty() || told.contains("limit") && words.contains("-l 1"),
            "{words}: {told}"
        );
        let short = |line: &str| {
            let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{words}: {line}"));
            let data = match &object["rdata"] {
                Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                one => one.as_str().unwrap_or_default().to_owned(),
            };
            format!(
                "{} {} {data}",
                object["rrname"].as_str().unwrap(),
                object["rrtype"].as_str().unwrap()
            )
        };
        let mut found: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(short).collect();
        found.sort();
        assert_eq!(found, expected, "{words}: {told}");
    }
    let text = async |words: &str, token: &str| {
        let output = dnsdbq(address, token, home.path(), words).await?;
        Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let Some(summary) = text("-V summarize -j -r *.example.com", &token).await else {
        return;
    };
    let summary: Value = serde_json::from_str(summary.trim()).unwrap();
    assert_eq!((&summary["num_results"], &summary["count"]), (&json!(7), &json!(21)));
    assert_eq!(summary["zone_time_first"], json!(now().as_second() - 300 * DAY));
    let most = text("-V summarize -M 4 -j -r *.example.com", &token).await.unwrap();
    assert!(most.contains(r#""num_results":2"#), "{most}");
    let table = text("-r example.com/NS", &token).await.unwrap();
    assert!(
        table.contains("bailiwick: com.") && table.contains("zone times"),
        "{table}"
    );
    let limits = text("-I -p text", &token).await.unwrap();
    assert!(limits.contains("unlimited") && limits.contains("1000000"), "{limits}");
    let refused = text("-r example.com", "wrong").await.unwrap();
    assert!(refused.contains("a token of an account is needed"), "{refused}");
}

#[tokio::test]
async fn a_search_adds_up_what_the_rows_of_an_object_say() {
    let (world, token) = world().await;
    let key = [("x-api-key", token.as_str())];
    let found = async |path: &str| {
        let answer = get(&world, path, &key).await;
        let objects = answer.body.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line.get("obj").cloned()
        });
        objects.collect::<Vec<_>>()
    };
    let day = |days: i64| now().as_second() - days * DAY;
    assert_eq!(
        found("/dnsdb/v2/regex/rrnames/%5Eexample%5C.com/NS").await,
        [
            json!({ "rrname": "example.com.", "rrtype": "NS", "count": 6, "time_first": day(200), "time_last": day(1) }),
            json!({ "rrname": "example.com.", "rrtype": "NS", "count": 3, "zone_time_first": day(300), "zone_time_last": day(2) }),
        ],
        "two bailiwicks on the wire, and a zone file"
    );
    let human = found("/dnsdb/v2/glob/rdata/ns1.example.net./NS?humantime=t&limit=1").await;
    assert_eq!(
        (&human[0]["count"], human[0]["time_last"].is_string()),
        (&json!(6), true),
        "{human:?}"
    );
}

#[tokio::test]
async fn the_page_leads_from_a_name_to_its_servers_and_to_the_names_that_they_serve() {
    let (world, _) = world().await;
    let duty = world.sign_in("analyst").await;
    let show = async |query: &str, status: u16| {
        let path = format!("/passive{query}");
        let answer = world.get_as(&path, &duty).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        html::check(&path, &answer);
        answer.body
    };
    let empty = show("", 200).await;
    assert!(
        empty.contains("example.org, *.example.org") && !empty.contains("<table"),
        "{empty}"
    );
    show("?q=300.1.1.1", 422).await;
    let zone = show("?q=example.com", 200).await;
    for part in [
        r#"href="/passive?q=ns1.example.net&amp;of=value""#,
        r#"href="/passive?q=ns1.example.net""#,
        r#"href="/passive?q=mail.example.com&amp;of=value""#,
        "told by the servers of com",
        "zone file",
        r#"<svg class="seen""#,
        "Seen from 2025-05-05 to 2026-02-28",
    ] {
        assert!(
            zone.contains(part)
                || zone.contains(&part.replace("&amp;", "&#38;"))
                || zone.contains(&part.replace("&amp;", "&")),
            "{part}: {zone}"
        );
    }
    assert!(
        show("?q=ns1.example.net&of=value", 200)
            .await
            .contains(r#"href="/passive?q=example.com""#)
    );
    let address = show("?q=192.0.2.0/24", 200).await;
    assert!(
        address.contains("www.example.com") && address.contains(r#"href="/passive?q=192.0.2.9""#),
        "{address}"
    );
    assert!(
        !show("?q=www.example.com", 200).await.contains("198.51.100.1"),
        "TLP:RED stays in the house"
    );
    assert!(
        show("?q=nothing.example", 200)
            .await
            .contains("Nothing was seen of this.")
    );
    assert!(show("?q=a..b", 422).await.contains("neither a name nor an address"));
    assert!(
        show("?q=a.example&rtype=NOTYPE", 422)
            .await
            .contains("There is no such type.")
    );
    let everything = show("?q=*&lang=ar", 200).await;
    assert!(
        everything.contains("dir=\"rtl\"") && everything.contains("ملف النطاق"),
        "{everything}"
    );
    let stranger = world.get("/passive?q=example.com").await;
    assert_eq!(stranger.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_page_of_many_long_answers_stays_light() {
    let (world, _) = world().await;
    let passive = Passive::open(&world.lake_folder()).await.unwrap();
    let servers: Vec<Vec<u8>> = (0..20)
        .map(|at| wire(&format!("ns{at:02}.{}.example", "x".repeat(40))))
        .collect();
    let row = |at: u32| {
        rrset(
            &format!("h{at}.{}.example", "y".repeat(40)),
            Rtype::NS,
            "example",
            &servers,
            (9, 1),
        )
    };
    passive
        .append("sensor", "many", (0..90).map(row).collect(), now())
        .await
        .unwrap();
    let duty = world.sign_in("analyst").await;
    let path = format!("/passive?q=*.{}.example", "y".repeat(40));
    let answer = world.get_as(&path, &duty).await;
    html::check(&path, &answer);
    assert!(answer.body.contains("and 12 more"), "{}", answer.body);
    let link = |body: &str, rel: &str| {
        let rest = body.split(&format!("rel=\"{rel}\" href=\"")).nth(1)?;
        Some(rest.split('"').next()?.replace("&amp;", "&").replace("&#38;", "&"))
    };
    let (mut path, mut shown, mut pages) = (Some(path), 0, 0);
    while let Some(at) = path {
        let answer = world.get_as(&at, &duty).await;
        html::check(&at, &answer);
        shown += answer.body.matches("<svg class=\"seen\"").count();
        pages += 1;
        assert_eq!(link(&answer.body, "prev").is_some(), pages > 1, "{at}");
        path = link(&answer.body, "next");
    }
    assert!(shown == 90 && pages > 3, "{shown} rows on {pages} pages");
}
