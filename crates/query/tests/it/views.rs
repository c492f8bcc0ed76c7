//! Each view has the rows that the lake's own look-ups give, whether its files were merged or not.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lake::Lake;
use lake::passive::{NamePattern, Passive, Query, RollUp, Scope, Told, ValuePattern, values};
use model::{Name, Sample, ZoneChange, rdata_text};
use query::{Engine, Limits};
use serde_json::{Value, json};

use crate::story::{at, furnish, rows};

/// In an order that does not depend on where they came from.
fn sorted(rows: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut lines: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    lines.sort();
    lines
}

fn time(time: Timestamp) -> Value {
    let text = match time.subsec_nanosecond() {
        0 => time.to_string(),
        // as Arrow writes them: three digits where these are enough
        _ => format!("{time:.3}"),
    };
    json!(text)
}

fn of_sample(sample: &Sample) -> Value {
    json!({
        "time": time(sample.time), "probe": sample.probe, "zone": sample.zone.to_string(),
        "server": sample.server.as_ref().map(Name::to_string), "address": sample.address.to_string(),
        "family": sample.family().as_str(), "transport": sample.transport.as_str(), "qname": sample.qname.to_string(),
        "qtype": "SOA", "outcome": sample.outcome.as_str(), "rtt_us": sample.rtt_us,
        "rcode": sample.rcode.map(|_| "NOERROR"), "authoritative": sample.authoritative, "truncated": sample.truncated,
        "serial": sample.serial, "nsid": sample.nsid, "size_bytes": sample.size_bytes, "flags": sample.flags,
        "attempts": sample.attempts, "validated": sample.validated,
        "signature_expiration": sample.signature_expiration.map(time),
    })
}

fn of_change(change: &ZoneChange) -> Value {
    json!({
        "time": time(change.time), "zone": change.zone.to_string(), "part": change.part.as_str(),
        "before": change.before, "after": change.after, "announced": change.announced,
    })
}

/// What a view says of a source.
fn with_source(mut row: Value, passive: &Passive, id: &str) -> Value {
    let sources = passive.sources();
    let source = sources.iter().find(|source| source.id == id).unwrap();
    row["source"] = json!(id);
    row["source_owner"] = json!(source.owner);
    row["source_licence"] = json!(source.licence);
    row["source_tlp"] = json!(source.tlp.as_str());
    row
}

fn order(name: &Name) -> String {
    let name = name.to_string();
    let mut labels: Vec<&str> = name.split('.').collect();
    labels.reverse();
    format!("{}.", labels.join("."))
}

/// A question to one source: rows of several would be added up.
fn of_source<P: lake::passive::Pattern>(pattern: P, id: &str) -> Query<P> {
    Query {
        scope: Scope {
            sources: Some(vec![id.to_owned()]),
            ..Scope::ALL
        },
        ..Query::new(pattern, 1_000)
    }
}

fn rrsets(passive: &Passive) -> Vec<Value> {
    let mut all = Vec::new();
    for source in passive.sources() {
        let query = of_source(NamePattern::Below(Name::root()), &source.id);
        all.extend(passive.rrsets(&query).map(|seen| {
            let rrset = seen.rrset;
            let texts: Vec<String> = rrset.rdata.iter().map(|data| rdata_text(rrset.rtype, data)).collect();
            let row = json!({
                "owner": rrset.name.to_string(), "owner_order": order(&rrset.name), "rtype": rrset.rtype.to_string(),
                "bailiwick": rrset.bailiwick.to_string(), "rdata": texts, "seen_in": rrset.seen_in.as_str(),
                "first_seen": time(rrset.first), "last_seen": time(rrset.last), "count": rrset.count,
            });
            with_source(row, passive, &source.id)
        }));
    }
    all
}

/// Each record once for each value by which it is found, without the value.
fn records(passive: &Passive) -> Vec<Value> {
    let mut all = Vec::new();
    for source in passive.sources() {
        let query = of_source(NamePattern::Below(Name::root()), &source.id);
        for rrset in passive.rrsets(&query).map(|seen| seen.rrset) {
            for data in &rrset.rdata {
                let row = |target: Option<String>, address: Option<String>| {
                    let row = json!({
                        "target": target, "address": address, "rtype": rrset.rtype.to_string(),
                        "owner": rrset.name.to_string(), "owner_order": order(&rrset.name),
                        "rdata": rdata_text(rrset.rtype, data), "seen_in": rrset.seen_in.as_str(),
                        "first_seen": time(rrset.first), "last_seen": time(rrset.last), "count": rrset.count,
                    });
                    with_source(row, passive, &source.id)
                };
                let found = values(rrset.rtype, data);
                all.extend(found.iter().map(|value| match value {
                    ValuePattern::Name(name) => row(Some(name.to_string()), None),
                    ValuePattern::Address(address) => row(None, Some(address.to_string())),
                    other => panic!("{other:?}"),
                }));
                if !["A", "AAAA", "NS"].contains(&rrset.rtype.to_string().as_str()) {
                    all.push(row(None, None));
                }
            }
        }
    }
    all
}

fn names(passive: &Passive) -> Vec<Value> {
    let mut last: BTreeMap<(String, &str), Timestamp> = BTreeMap::new();
    for rrset in passive
        .rrsets(&Query::new(NamePattern::Below(Name::root()), 1_000))
        .map(|seen| seen.rrset)
    {
        let mut note = |name: String, place| {
            let known = last.entry((name, place)).or_insert(rrset.last);
            *known = (*known).max(rrset.last);
        };
        note(rrset.name.to_string(), "owner");
        for value in rrset.rdata.iter().flat_map(|data| values(rrset.rtype, data)) {
            if let ValuePattern::Name(name) = value {
                note(name.to_string(), "target");
            }
        }
    }
    let row = |((name, place), last)| json!({ "name": name, "place": place, "last_seen": time(last) });
    last.into_iter().map(row).collect()
}

fn beside(passive: &Passive) -> [Vec<Value>; 6] {
    let told = |source: &str, row: Value| with_source(row, passive, source);
    let evidence = passive
        .evidence(&Name::root(), &Scope::ALL)
        .map(|Told { source, what }| {
            let texts: Vec<String> = what.rdata.iter().map(|data| rdata_text(what.rtype, data)).collect();
            let row = json!({
                "owner": what.name.to_string(), "owner_order": order(&what.name), "rtype": what.rtype.to_string(),
                "server": what.server.to_string(), "zone": what.zone.as_ref().map(Name::to_string),
                "reason": what.reason.as_str(), "rdata": texts, "question": what.question.to_string(),
                "first_seen": time(what.first), "last_seen": time(what.last), "count": what.count,
            });
            told(&source, row)
        });
    let rcodes = |rcode: u16| ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN"][usize::from(rcode)];
    let all = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let traffic = passive.traffic(all.0, all.1, &Scope::ALL).map(|Told { source, what }| {
        let (key, counts) = (what.key.unwrap(), what.counts);
        let row = json!({
            "minute": time(what.minute), "span": what.span.seconds(what.minute), "server": key.server.to_string(),
            "port": key.port, "zone": key.zone.as_ref().map(Name::to_string),
            "transport": key.transport.as_str(), "qtype": key.qtype.map(|_| "A"), "rcode": key.rcode.map(rcodes),
            "truncated": key.truncated, "authoritative": key.authoritative, "dnssec_ok": key.dnssec_ok,
            "queries": counts.queries, "matched": counts.matched, "duplicates": counts.duplicates,
            "wrong_id": counts.wrong_id, "wrong_port": counts.wrong_port, "no_query": counts.no_query,
            "query_octets": counts.query_octets, "response_octets": counts.response_octets,
            "response_octets_max": counts.response_octets_max, "delay_us": counts.delay_us,
        });
        told(&source, row)
    });
    let malformed = passive
        .malformed(all.0, all.1, &Scope::ALL)
        .map(|Told { source, what }| {
            let (message, count) = what;
            let octets: String = message.octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let row = json!({
                "time": time(message.time), "input": message.input, "number": message.number, "reason": message.reason,
                "octets": octets, "count": count,
            });
            told(&source, row)
        });
    let figures = passive
        .rssac002(all.0, all.1, &Scope::ALL)
        .map(|Told { source, what }| {
            let day = what.day.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
            let row = json!({
                "day": time(day), "service": what.service.to_string(), "metric": what.metric, "part": what.part,
                "value": what.value, "version": what.version, "taken": time(what.taken),
            });
            told(&source, row)
        });
    let distincts = passive
        .distincts(all.0, all.1, &Scope::ALL)
        .map(|Told { source, what }| {
            let row = json!({
                "minute": time(what.minute), "span": what.span.seconds(what.minute), "server": what.server.map(|server| server.to_string()),
                "clients": what.clients.estimate(), "names": what.names.estimate(),
                "clients_sketch": hex::encode(what.clients.to_octets()), "names_sketch": hex::encode(what.names.to_octets()),
            });
            told(&source, row)
        });
    let clients = passive
        .clients(all.0, all.1, &Scope::ALL)
        .map(|Told { source, what }| {
            let row = json!({
                "minute": time(what.minute), "span": what.span.seconds(what.minute), "server": what.server.map(|server| server.to_string()),
                "client": what.client.map(|client| client.to_string()), "queries": what.queries,
            });
            told(&source, row)
        });
    [
        evidence.collect(),
        traffic.collect(),
        distincts.collect(),
        clients.collect(),
        malformed.collect(),
        figures.collect(),
    ]
}

async fn check(engine: &Engine, lake: &Lake, passive: &Passive) {
    let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let mut samples = Vec::new();
    for zone in ["nic.example", "shop.example"] {
        samples.extend(lake.samples(&zone.parse().unwrap(), from, to).await.unwrap());
    }
    let changes = lake.zone_changes(None, from, to).await.unwrap();
    let [evidence, traffic, distincts, clients, malformed, figures] = beside(passive);
    let views = [
        ("sample", samples.iter().map(of_sample).collect::<Vec<_>>()),
        ("zone_change", changes.iter().map(of_change).collect()),
        ("rrset", rrsets(passive)),
        ("rdata", records(passive)),
        ("name", names(passive)),
        ("evidence", evidence),
        ("traffic", traffic),
        ("distinct_count", distincts),
        ("client", clients),
        ("malformed", malformed),
        ("rssac002", figures),
    ];
    for (view, expected) in views {
        assert!(!expected.is_empty(), "{view}");
        let found = rows(engine, &format!("SELECT * FROM {view}")).await;
        assert_eq!(sorted(found), sorted(expected), "{view}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_have_the_rows_that_the_lake_gives() {
    let folder = tempfile::tempdir().unwrap();
    let (lake, passive) = furnish(folder.path()).await;
    let before = Engine::open(folder.path(), Limits::default()).await.unwrap();
    check(&before, &lake, &passive).await;

    lake.compact().await.unwrap();
    let merged = passive.merge(None).await.unwrap();
    assert!(merged.files_after < merged.files_before);
    let after = Engine::open(folder.path(), Limits::default()).await.unwrap();
    check(&after, &lake, &passive).await;
    // files that were merged away stay for a week
    check(&before, &lake, &passive).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_that_have_become_coarser_are_shown_with_their_span_and_have_the_same_sums() {
    let folder = tempfile::tempdir().unwrap();
    let (lake, passive) = furnish(folder.path()).await;
    let sums =
        "SELECT zone, rcode, sum(queries), sum(delay_us), max(response_octets_max) FROM traffic GROUP BY zone, rcode";
    let before = Engine::open(folder.path(), Limits::default()).await.unwrap();
    let expected = sorted(rows(&before, sums).await);
    let mut spans = Vec::new();
    for days in [40, 400, 2_000] {
        passive.roll_up(&RollUp::default(), at(24 * days)).await.unwrap();
        let after = Engine::open(folder.path(), Limits::default()).await.unwrap();
        check(&after, &lake, &passive).await;
        assert_eq!(sorted(rows(&after, sums).await), expected, "after {days} days");
        spans.extend(rows(&after, "SELECT DISTINCT span FROM traffic WHERE zone = 'shop.example'").await);
    }
    assert_eq!(spans, [3_600, 86_400, 30 * 86_400].map(|span| json!({ "span": span })));
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_and_what_is_allowed_with_them_are_a_view_too() {
    let (_folder, engine) = crate::story::furnished().await;
    let found = rows(&engine, "SELECT source, tlp FROM source ORDER BY source").await;
    let expected = [
        json!({ "source": "registry", "tlp": "TLP:GREEN" }),
        json!({ "source": "sensor", "tlp": "TLP:AMBER" }),
    ];
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_without_tables_has_views_without_rows_and_no_folder_is_no_lake() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path(), Limits::default()).await.unwrap();
    for view in query::VIEWS {
        let found = rows(&engine, &format!("SELECT * FROM {}", view.name)).await;
        assert_eq!(found, Vec::<Value>::new(), "{}", view.name);
    }
    let missing = Engine::open(&folder.path().join("nowhere"), Limits::default()).await;
    assert!(matches!(missing, Err(query::Error::Lake(_))));
}
