//! Passive DNS as its callers see it: what is asked finds what was seen, however it came in and was merged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::base::iana::Rtype;
use jiff::{SignedDuration, Timestamp};
use lake::passive::{End, Fences, NamePattern, Passive, Query, Scope, Seen, Source, ValuePattern, summarize};
use lake::{Error, passive};
use model::{PassiveRrset, SeenIn, Tlp, rdata_text};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use proptest::prelude::*;

use crate::story::{at, name};

/// The octets of a name, as in record data.
pub fn wire(text: &str) -> Vec<u8> {
    name(text).as_wire().as_octets().clone()
}

/// Seen once at `at(seconds)`, in the bailiwick of the name's last two labels.
pub fn rrset(owner: &str, rtype: Rtype, rdata: &[Vec<u8>], seconds: i64) -> PassiveRrset {
    let owner = name(owner);
    let mut bailiwick = owner.clone();
    while bailiwick.label_count() > 2 {
        bailiwick = bailiwick.parent().unwrap();
    }
    let mut rdata = rdata.to_vec();
    rdata.sort();
    PassiveRrset {
        name: owner,
        rtype,
        bailiwick,
        rdata,
        seen_in: SeenIn::Wire,
        first: at(seconds),
        last: at(seconds),
        count: 1,
    }
}

fn source(id: &str, tlp: Tlp) -> Source {
    Source {
        id: id.to_owned(),
        owner: "Registry of example".to_owned(),
        licence: "agreement 17".to_owned(),
        tlp,
        legal_basis: "contract".to_owned(),
    }
}

pub async fn open(folder: &Path) -> Passive {
    let passive = Passive::open(folder).await.unwrap();
    passive.set_source(source("sensor-1", Tlp::Clear)).await.unwrap();
    passive
}

/// Answers in short: `www.example.com A 192.0.2.1 3`.
fn rrsets(passive: &Passive, query: &Query<NamePattern>) -> Vec<String> {
    let short = |seen: passive::SeenRrset| {
        let texts: Vec<String> = seen
            .rrset
            .rdata
            .iter()
            .map(|rdata| rdata_text(seen.rrset.rtype, rdata))
            .collect();
        format!(
            "{} {} {} {}",
            seen.rrset.name,
            seen.rrset.rtype,
            texts.join(","),
            seen.rrset.count
        )
    };
    passive.rrsets(query).map(short).collect()
}

fn records(passive: &Passive, query: &Query<ValuePattern>) -> Vec<String> {
    let short = |seen: passive::SeenRecord| {
        format!(
            "{} {} {} {}",
            seen.name,
            seen.rtype,
            rdata_text(seen.rtype, &seen.rdata),
            seen.count
        )
    };
    passive.rdata(query).map(short).collect()
}

fn named(text: &str) -> Query<NamePattern> {
    Query::new(text.parse().unwrap(), 100)
}

fn valued(pattern: ValuePattern) -> Query<ValuePattern> {
    Query::new(pattern, 100)
}

async fn small_world(folder: &Path) -> Passive {
    let passive = open(folder).await;
    let soa = [wire("ns1.example.net"), wire("admin.example.net"), vec![0; 20]].concat();
    let rows = vec![
        rrset(
            "example.com",
            Rtype::NS,
            &[wire("ns1.example.net"), wire("ns2.example.net")],
            0,
        ),
        rrset("example.com", Rtype::SOA, &[soa], 0),
        rrset(
            "example.com",
            Rtype::MX,
            &[[vec![0, 10], wire("mail.example.com")].concat()],
            0,
        ),
        rrset(
            "www.example.com",
            Rtype::A,
            &[vec![192, 0, 2, 1], vec![192, 0, 2, 9]],
            10,
        ),
        rrset(
            "www.example.com",
            Rtype::AAAA,
            &[[vec![0x20, 1, 0x0d, 0xb8], vec![0; 12]].concat()],
            10,
        ),
        rrset("example-shop.com", Rtype::A, &[vec![192, 0, 2, 1]], 20),
        rrset("www.example.org", Rtype::CNAME, &[wire("www.example.com")], 30),
        rrset("www.example.co.uk", Rtype::TXT, &[b"\x05hello".to_vec()], 40),
    ];
    assert!(passive.append("sensor-1", "file-1", rows, at(0)).await.unwrap());
    passive
}

#[tokio::test]
async fn names_are_found_as_they_are_below_another_and_under_any_ending() {
    let folder = tempfile::tempdir().unwrap();
    let passive = small_world(folder.path()).await;
    let cases: [(&str, &[&str]); 7] = [
        (
            "WWW.example.com.",
            &[
                "www.example.com A 192.0.2.1,192.0.2.9 1",
                "www.example.com AAAA 2001:db8:: 1",
            ],
        ),
        (
            "*.example.com",
            &[
                "example.com NS ns1.example.net.,ns2.example.net. 1",
                "example.com SOA ns1.example.net. admin.example.net. 0 0 0 0 0 1",
                "example.com MX 10 mail.example.com. 1",
                "www.example.com A 192.0.2.1,192.0.2.9 1",
                "www.example.com AAAA 2001:db8:: 1",
            ],
        ),
        (
            "www.example.*",
            &[
                "www.example.co.uk TXT \"hello\" 1",
                "www.example.com A 192.0.2.1,192.0.2.9 1",
                "www.example.com AAAA 2001:db8:: 1",
                "www.example.org CNAME www.example.com. 1",
            ],
        ),
        ("*.uk", &["www.example.co.uk TXT \"hello\" 1"]),
        ("ns1.example.*", &[]),
        ("example.net", &[]),
        (".", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(rrsets(&passive, &named(text)), expected, "{text}");
    }
    assert_eq!(rrsets(&passive, &named("*")).len(), 8);
}

#[tokio::test]
async fn records_are_found_by_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let passive = small_world(folder.path()).await;
    let address = |text: &str| ValuePattern::Address(text.parse().unwrap());
    let target = |text: &str| ValuePattern::Name(text.parse().unwrap());
    let both = &["example-shop.com A 192.0.2.1 1", "www.example.com A 192.0.2.1 1"];
    let cases: [(ValuePattern, &[&str]); 11] = [
        (address("192.0.2.1"), both),
        (address("2001:db8::"), &["www.example.com AAAA 2001:db8:: 1"]),
        (ValuePattern::Prefix("192.0.2.0/29".parse().unwrap()), both),
        (
            ValuePattern::Range("192.0.2.2".parse().unwrap(), "192.0.2.255".parse().unwrap()),
            &["www.example.com A 192.0.2.9 1"],
        ),
        (target("ns2.example.net"), &["example.com NS ns2.example.net. 1"]),
        (
            target("*.example.net"),
            &[
                "example.com SOA ns1.example.net. admin.example.net. 0 0 0 0 0 1",
                "example.com NS ns1.example.net. 1",
                "example.com NS ns2.example.net. 1",
            ],
        ),
        (target("mail.*"), &["example.com MX 10 mail.example.com. 1"]),
        (target("example-shop.com"), &[]),
        (ValuePattern::Raw(vec![192, 0, 2, 1]), both),
        (
            ValuePattern::Raw(b"\x05hello".to_vec()),
            &["www.example.co.uk TXT \"hello\" 1"],
        ),
        (
            ValuePattern::Raw(wire("www.example.com")),
            &["www.example.org CNAME www.example.com. 1"],
        ),
    ];
    for (pattern, expected) in cases {
        assert_eq!(records(&passive, &valued(pattern.clone())), expected, "{pattern:?}");
    }
}

#[tokio::test]
async fn a_question_can_name_types_bailiwick_times_and_how_much() {
    let folder = tempfile::tempdir().unwrap();
    let passive = small_world(folder.path()).await;
    let all = named("*");
    let names = |query: &Query<NamePattern>| -> Vec<String> {
        let found = passive
            .rrsets(query)
            .map(|seen| format!("{} {}", seen.rrset.name, seen.rrset.rtype));
        found.collect()
    };
    let of_types = Query {
        rtypes: Some(vec![Rtype::TXT, Rtype::MX]),
        ..all.clone()
    };
    assert_eq!(names(&of_types), ["example.com MX", "www.example.co.uk TXT"]);
    let of_zone = Query {
        bailiwick: Some(name("example.com")),
        ..all.clone()
    };
    assert_eq!(names(&of_zone).len(), 5);
    let of_records = Query {
        rtypes: Some(vec![Rtype::NS]),
        ..valued(ValuePattern::Name("*.example.net".parse().unwrap()))
    };
    assert_eq!(records(&passive, &of_records).len(), 2);

    let fenced = |fences| names(&Query { fences, ..all.clone() });
    let fence = |seconds| Some(at(seconds));
    assert_eq!(
        fenced(Fences {
            first_after: fence(30),
            ..Fences::default()
        }),
        ["www.example.org CNAME", "www.example.co.uk TXT"]
    );
    assert_eq!(
        fenced(Fences {
            last_before: fence(9),
            ..Fences::default()
        })
        .len(),
        3
    );
    assert_eq!(
        fenced(Fences {
            first_before: fence(20),
            last_after: fence(20),
            ..Fences::default()
        }),
        ["example-shop.com A"]
    );

    let page = Query {
        offset: 1,
        limit: 2,
        ..all.clone()
    };
    let mut answers = passive.rrsets(&page);
    assert_eq!(answers.by_ref().count(), 2);
    assert_eq!(answers.end(), Some(End::Limit));
    let mut answers = passive.rrsets(&Query {
        offset: 6,
        limit: 2,
        ..all.clone()
    });
    assert_eq!((answers.by_ref().count(), answers.end()), (2, Some(End::Complete)));
    let mut answers = passive.rrsets(&Query { rows: 3, ..of_types });
    assert_eq!((answers.by_ref().count(), answers.end()), (0, Some(End::Rows)));

    let summary = summarize(&mut passive.rrsets(&all), None);
    assert_eq!((summary.answers, summary.count), (8, 8));
    assert_eq!((summary.wire, summary.zone_file), (Some((at(0), at(40))), None));
    assert_eq!(summarize(&mut passive.rrsets(&all), Some(3)).answers, 3);
}

#[tokio::test]
async fn a_reader_sees_the_sources_that_it_may_see() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    passive.set_source(source("partner", Tlp::Amber)).await.unwrap();
    let seen = |seconds| vec![rrset("www.example.com", Rtype::A, &[vec![192, 0, 2, 1]], seconds)];
    passive.append("sensor-1", "1", seen(10), at(0)).await.unwrap();
    passive.append("partner", "2", seen(0), at(0)).await.unwrap();
    let reader = Passive::open_read_only(folder.path()).await.unwrap();
    assert_eq!(reader.sources().len(), 2);
    let clear = Scope {
        tlp: Tlp::Green,
        sources: None,
    };
    let only = |id: &str| Scope {
        tlp: Tlp::Red,
        sources: Some(vec![id.to_owned()]),
    };
    for (scope, expected) in [
        (Scope::ALL, Some((at(0), 2, 2))),
        (clear, Some((at(10), 1, 1))),
        (only("partner"), Some((at(0), 1, 1))),
        (only("nobody"), None),
    ] {
        let query = Query {
            scope,
            ..named("www.example.com")
        };
        let found = reader
            .rrsets(&query)
            .next()
            .map(|seen| (seen.rrset.first, seen.rrset.count, seen.sources.len()));
        assert_eq!(found, expected, "{:?}", query.scope);
        let query = Query {
            scope: query.scope,
            ..valued(ValuePattern::Address("192.0.2.1".parse().unwrap()))
        };
        assert_eq!(
            reader
                .rdata(&query)
                .next()
                .map(|seen| (seen.first, seen.count, seen.sources.len())),
            expected
        );
    }
    let unknown = passive.append("nobody", "3", seen(0), at(0)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "`nobody` is not a registered source");
    assert!(passive.set_source(source("Not A Word", Tlp::Clear)).await.is_err());
    assert!(matches!(
        reader.append("partner", "3", seen(0), at(0)).await,
        Err(Error::ReadOnly { .. })
    ));
    assert!(matches!(
        Passive::open(folder.path()).await.err(),
        Some(Error::Busy { .. })
    ));
}

#[tokio::test]
async fn what_is_seen_on_the_wire_and_in_a_zone_file_stays_apart() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let wire = rrset("example.com", Rtype::NS, &[wire("ns1.example.net")], 0);
    let zone = PassiveRrset {
        seen_in: SeenIn::ZoneFile,
        first: at(-50),
        ..wire.clone()
    };
    passive
        .append("sensor-1", "1", vec![wire.clone(), zone, wire], at(0))
        .await
        .unwrap();
    let found: Vec<_> = passive.rrsets(&named("example.com")).map(|seen| seen.seen()).collect();
    assert_eq!(
        found,
        [(SeenIn::Wire, at(0), at(0), 2), (SeenIn::ZoneFile, at(-50), at(0), 1)]
    );
    let summary = summarize(&mut passive.rrsets(&named("example.com")), None);
    assert_eq!(summary.zone_file, Some((at(-50), at(0))));
}

/// Data files of all tables, whether live or not.
pub fn data_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for table in [
        "rrset",
        "rdata",
        "name",
        "evidence",
        "traffic",
        "distinct_count",
        "client",
        "malformed",
        "rssac002",
    ] {
        for level in ["minute", "hour", "day", "month"] {
            let entries = fs::read_dir(folder.join(table).join(format!("level={level}")));
            files.extend(entries.into_iter().flatten().map(|entry| entry.unwrap().path()));
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn fifty_receipts_become_a_dozen_runs_with_the_same_answers_while_old_readers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let receipt = |number: i64| -> Vec<PassiveRrset> {
        let host = |at: i64| {
            rrset(
                &format!("h{at}.example.com"),
                Rtype::A,
                &[vec![192, 0, 2, at as u8]],
                number,
            )
        };
        (number..number + 10).map(host).collect()
    };
    let mut old = None;
    for number in 0..50 {
        passive
            .append("sensor-1", &format!("r{number}"), receipt(number), at(number))
            .await
            .unwrap();
        if number == 20 {
            // asked before the merge, read after it
            let reader = Passive::open_read_only(folder.path()).await.unwrap();
            old = Some((reader.rrsets(&named("*")), reader));
        }
        if number % 5 == 4 {
            passive.merge(None).await.unwrap();
        }
    }
    let (answers, reader) = old.unwrap();
    assert_eq!(answers.map(|seen| seen.rrset.count).sum::<u64>(), 21 * 10);
    assert_eq!(rrsets(&reader, &named("*")).len(), 30);
    reader.refresh().await.unwrap();
    for reader in [&reader, &passive] {
        assert_eq!(rrsets(reader, &named("*")).len(), 59);
        let middle = reader.rrsets(&named("h30.example.com")).next().unwrap();
        assert_eq!(
            (middle.rrset.count, middle.rrset.first, middle.rrset.last),
            (10, at(21), at(30))
        );
        assert_eq!(
            records(reader, &valued(ValuePattern::Address("192.0.2.30".parse().unwrap()))),
            ["h30.example.com A 192.0.2.30 10"]
        );
        assert_eq!(rrsets(reader, &named("h30.*")).len(), 1);
    }
    for table in passive.statistics().await {
        assert!(table.files <= 12, "{table:?}");
    }
    let newest = data_files(folder.path())
        .iter()
        .map(|path| fs::metadata(path).unwrap().modified().unwrap())
        .max();
    let now = Timestamp::try_from(newest.unwrap()).unwrap();
    let week = SignedDuration::from_hours(7 * 24);
    assert_eq!(passive.vacuum(now, week).await.unwrap(), 0);
    assert!(
        passive
            .vacuum(now + SignedDuration::from_hours(8 * 24), week)
            .await
            .unwrap()
            > 100
    );
    let live: usize = passive.statistics().await.iter().map(|table| table.files).sum();
    assert_eq!(data_files(folder.path()).len(), live);
    assert_eq!(rrsets(&passive, &named("*")).len(), 59);
    assert_eq!(passive.damaged(), []);
}

#[tokio::test]
async fn what_was_last_seen_too_long_ago_goes_with_a_merge() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    for number in 0..3 {
        let rows = vec![
            rrset("old.example.com", Rtype::A, &[vec![192, 0, 2, 1]], number),
            rrset("new.example.com", Rtype::A, &[vec![192, 0, 2, 1]], 1000 + number),
        ];
        passive
            .append("sensor-1", &format!("r{number}"), rows, at(0))
            .await
            .unwrap();
    }
    passive.merge(Some(at(500))).await.unwrap();
    assert_eq!(rrsets(&passive, &named("*")), ["new.example.com A 192.0.2.1 3"]);
    assert_eq!(
        records(&passive, &valued(ValuePattern::Address("192.0.2.1".parse().unwrap()))).len(),
        1
    );
    drop(passive);
    assert_eq!(rrsets(&open(folder.path()).await, &named("*.com")).len(), 1);
}

#[tokio::test]
async fn a_look_up_reads_a_handful_of_pages_of_a_dozen_files() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    // each receipt has every name's neighbours, so that no file can be left out by its ends
    for receipt in 0..14_u32 {
        let host = |at: u32| {
            let octets = (at * 14 + receipt).to_be_bytes().to_vec();
            rrset(&format!("www.z{at:05}-{receipt}.example"), Rtype::A, &[octets], 0)
        };
        let rows = (0..4000).map(host).collect();
        passive
            .append("sensor-1", &format!("r{receipt}"), rows, at(0))
            .await
            .unwrap();
        passive.merge(None).await.unwrap();
    }
    let statistics = passive.statistics().await;
    let of_passive = &statistics[..3];
    assert!(of_passive.iter().all(|table| table.files > 3), "{statistics:?}");
    let query = named("www.z02000-5.example");
    let read = passive.explain_rrsets(&query);
    assert!(read.len() <= 12, "{} files", read.len());
    for file in &read {
        assert!(file.pages.1 <= 2 * 9 && file.pages.1 * 3 < file.pages.0, "{file:?}");
        assert_eq!(file.row_groups.1, 1, "{file:?}");
        assert!(file.file.starts_with("rrset/level="), "{file:?}");
        assert!(
            fs::metadata(folder.path().join(&file.file)).unwrap().len() > file.bytes * 3,
            "{file:?}"
        );
    }
    assert_eq!(rrsets(&passive, &query).len(), 1);
    let address = ValuePattern::Address(std::net::Ipv4Addr::from(2000 * 14 + 5).into());
    let read = passive.explain_rdata(&valued(address.clone()));
    assert!(
        read.len() <= 12 && read.iter().all(|file| file.pages.1 <= 2 * 9),
        "{read:?}"
    );
    assert_eq!(records(&passive, &valued(address)).len(), 1);
    let read = passive.explain_rrsets(&named("www.z02000-5.*"));
    assert!(
        read.len() <= 24 && read.iter().all(|file| file.pages.1 <= 2 * 9),
        "{read:?}"
    );
    let whole = passive.explain_rrsets(&named("*"));
    assert!(whole.iter().all(|file| file.pages.0 == file.pages.1), "{whole:?}");
    assert_eq!(passive.explain_rrsets(&named("www.zz.zzz")), [], "behind the last key");
}

#[tokio::test]
async fn a_spoilt_file_is_named_and_the_rest_is_found_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    for number in 0..4 {
        let rows = vec![rrset(
            &format!("h{number}.example"),
            Rtype::A,
            &[vec![192, 0, 2, 1]],
            number,
        )];
        passive
            .append("sensor-1", &format!("r{number}"), rows, at(0))
            .await
            .unwrap();
    }
    drop(passive);
    let spoilt = data_files(folder.path())
        .into_iter()
        .find(|path| path.starts_with(folder.path().join("rrset")))
        .unwrap();
    let content = fs::read(&spoilt).unwrap();
    for place in (0..content.len()).step_by(content.len() / 40) {
        let mut changed = content.clone();
        changed[place] ^= 0x5a;
        fs::write(&spoilt, &changed).unwrap();
        let passive = Passive::open_read_only(folder.path()).await.unwrap();
        rrsets(&passive, &named("*"));
    }
    fs::write(&spoilt, &content[..content.len() / 2]).unwrap();
    let passive = open(folder.path()).await;
    assert_eq!(rrsets(&passive, &named("*")).len(), 3);
    let damaged: Vec<PathBuf> = passive.damaged().into_iter().map(|damage| damage.file).collect();
    assert_eq!(damaged, [spoilt]);
    passive.merge(None).await.unwrap();
    assert_eq!(rrsets(&passive, &named("*")).len(), 3);
    assert_eq!(
        records(&passive, &valued(ValuePattern::Address("192.0.2.1".parse().unwrap()))).len(),
        4
    );
}

/// The same rows and the same index of pages, written as other programs write Parquet.
fn rewritten(path: &Path, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let rows = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let schema = rows.schema().clone();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties.build())).unwrap();
    for batch in rows.build().unwrap() {
        writer.write(&batch.unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn a_file_that_another_program_wrote_anew_gives_the_same_answers() {
    let zstd = || Compression::ZSTD(ZstdLevel::default());
    let dictionaries = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let plain = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_write_batch_size(100)
        .set_data_page_row_count_limit(100);
    let ways = [
        ("dictionaries, pages that end anywhere, snappy", dictionaries),
        ("no compression", plain.clone()),
        ("zstd", plain.clone().set_compression(zstd())),
        (
            "the second form of pages",
            plain
                .clone()
                .set_compression(zstd())
                .set_writer_version(WriterVersion::PARQUET_2_0),
        ),
        (
            "a dictionary beside pages that end with those of the key",
            plain
                .clone()
                .set_compression(zstd())
                .set_column_dictionary_enabled("source".into(), true),
        ),
        (
            "one column compressed in another way",
            plain
                .clone()
                .set_compression(zstd())
                .set_column_compression("rdata".into(), Compression::SNAPPY),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let passive = open(folder.path()).await;
    let host = |at: u32| {
        let owner = format!("www.z{at:04}.example");
        rrset(&owner, Rtype::A, &[at.to_be_bytes().to_vec()], 0)
    };
    let rows = (0..1500).map(host).collect();
    passive.append("sensor-1", "r1", rows, at(0)).await.unwrap();
    drop(passive);
    let originals: Vec<(PathBuf, Vec<u8>)> = (data_files(folder.path()).into_iter())
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    assert_eq!(originals.len(), 3);
    for (way, properties) in ways {
        for (path, original) in &originals {
            fs::write(path, original).unwrap();
            let other = rewritten(path, properties.clone());
            assert_ne!(&other, original, "{way}");
            fs::write(path, other).unwrap();
        }
        let passive = Passive::open_read_only(folder.path()).await.unwrap();
        let all = Query::new("*".parse().unwrap(), 2000);
        assert_eq!(rrsets(&passive, &all).len(), 1500, "{way}");
        for number in [0_u32, 99, 100, 777, 1499] {
            let owner = format!("www.z{number:04}.example");
            let address = std::net::Ipv4Addr::from(number);
            let found = [format!("{owner} A {address} 1")];
            assert_eq!(rrsets(&passive, &named(&owner)), found, "{way}");
            assert_eq!(rrsets(&passive, &named(&format!("www.z{number:04}.*"))), found, "{way}");
            assert_eq!(
                records(&passive, &valued(ValuePattern::Address(address.into()))),
                found,
                "{way}"
            );
        }
        assert_eq!(passive.damaged(), [], "{way}");
    }
}

fn any_rrset() -> impl Strategy<Value = PassiveRrset> {
    let owner = prop::sample::select(vec![
        "a.x.test",
        "b.x.test",
        "x.test",
        "a.x.other",
        "x-y.test",
        "a.a.x.test",
    ]);
    let data = prop::sample::subsequence(vec![0_u8, 1, 2, 3], 1..3);
    (owner, data, any::<bool>(), any::<bool>(), 0_i64..100, 0_i64..100).prop_map(
        |(owner, data, is_ns, is_zone, first, length)| {
            let (rtype, rdata): (Rtype, Vec<Vec<u8>>) = if is_ns {
                (
                    Rtype::NS,
                    data.iter().map(|at| wire(&format!("ns{at}.x.test"))).collect(),
                )
            } else {
                (Rtype::A, data.iter().map(|at| vec![192, 0, 2, *at]).collect())
            };
            let row = rrset(owner, rtype, &rdata, first);
            let seen_in = if is_zone { SeenIn::ZoneFile } else { SeenIn::Wire };
            PassiveRrset {
                last: at(first + length),
                seen_in,
                ..row
            }
        },
    )
}

/// First, last and count of what is the same.
type Model = BTreeMap<String, (Timestamp, Timestamp, u64)>;

fn note(model: &mut Model, key: String, (first, last, count): (Timestamp, Timestamp, u64)) {
    let entry = model.entry(key).or_insert((first, last, 0));
    *entry = (entry.0.min(first), entry.1.max(last), entry.2 + count);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_are_those_of_a_plain_list(
        receipts in prop::collection::vec(prop::collection::vec(any_rrset(), 0..12), 1..10),
        merges in prop::collection::vec(any::<bool>(), 10),
        pattern in prop::sample::select(vec!["*.x.test", "a.x.test", "a.x.*", "*", "x.test"]),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pattern: NamePattern = pattern.parse().unwrap();
        let fits = |owner: &model::Name| match &pattern {
            NamePattern::Exact(name) => owner == name,
            NamePattern::Below(name) => owner.is_at_or_below(name),
            NamePattern::Beginning(name) => format!("{owner}.").starts_with(&format!("{name}.")),
        };
        let (mut of_rrsets, mut of_records) = (Model::new(), Model::new());
        let passive = runtime.block_on(open(folder.path()));
        for (number, rows) in receipts.iter().enumerate() {
            for row in rows {
                let seen = (row.first, row.last, row.count);
                if fits(&row.name) {
                    note(&mut of_rrsets, format!("{} {} {:?} {:?}", row.name, row.rtype, row.rdata, row.seen_in), seen);
                }
                for rdata in row.rdata.iter().filter(|rdata| rdata.first() == Some(&192)) {
                    note(&mut of_records, format!("{} {:?} {:?}", row.name, rdata, row.seen_in), seen);
                }
            }
            let receipt = format!("r{number}");
            prop_assert!(runtime.block_on(passive.append("sensor-1", &receipt, rows.clone(), at(0))).unwrap());
            prop_assert!(!runtime.block_on(passive.append("sensor-1", &receipt, rows.clone(), at(0))).unwrap());
            if merges[number] {
                runtime.block_on(passive.merge(None)).unwrap();
            }
        }
        let found: Vec<_> = passive.rrsets(&Query::new(pattern.clone(), 1000)).collect();
        let count = found.len();
        let found: Model = found.into_iter().map(|seen| {
            let row = seen.rrset;
            (format!("{} {} {:?} {:?}", row.name, row.rtype, row.rdata, row.seen_in), (row.first, row.last, row.count))
        }).collect();
        prop_assert_eq!(found.len(), count, "an answer comes twice");
        prop_assert_eq!(found, of_rrsets);
        let network = ValuePattern::Prefix("192.0.2.0/24".parse().unwrap());
        let found: Model = passive.rdata(&Query::new(network, 1000)).map(|row| {
            (format!("{} {:?} {:?}", row.name, row.rdata, row.seen_in), (row.first, row.last, row.count))
        }).collect();
        prop_assert_eq!(found, of_records);
    }
}
