//! Sealed parts: what is taken in is taken in once, and what comes from outside is looked at first.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use lake::part::{check, open, seal};
use lake::{Lake, Limits, PartId, Refusal};
use model::Sample;
use proptest::prelude::*;

use crate::story::{at, name, sample, samples, sorted};

fn twenty() -> Vec<Sample> {
    (0..20).map(|second| sample("shop.example", at(second))).collect()
}

async fn kept(lake: &Lake) -> Vec<Sample> {
    lake.samples(&name("shop.example"), Timestamp::MIN, Timestamp::MAX)
        .await
        .unwrap()
}

#[test]
fn the_same_samples_make_the_same_part_and_a_part_is_small() {
    let (part, octets) = seal(&twenty()).unwrap();
    assert_eq!(seal(&twenty()).unwrap(), (part, octets.clone()));
    assert_eq!(part, PartId::of(&octets));
    assert_eq!(part.to_string().parse(), Ok(part));
    let many: Vec<Sample> = (0..10_000).map(|second| sample("shop.example", at(second))).collect();
    let (_, octets) = seal(&many).unwrap();
    assert!(octets.len() < 25 * many.len(), "{} octets", octets.len());
}

#[test]
fn an_id_is_64_hexadecimal_digits_in_lower_case() {
    let text = PartId::of(b"").to_string();
    assert_eq!(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for wrong in [
        "",
        "e3b0",
        &text.to_uppercase(),
        &format!("{text}0"),
        &text.replace('e', "é"),
        "../../etc/passwd",
    ] {
        assert!(wrong.parse::<PartId>().is_err(), "{wrong}");
    }
}

#[test]
fn what_is_no_part_is_refused_by_its_reason() {
    let told = |octets: &[u8]| open(octets, &Limits::default()).unwrap_err().to_string();
    assert_eq!(told(b""), "it is no part: it does not begin and end as Parquet does");
    assert_eq!(
        told(b"PAR1\xff\xff\xff\x7fPAR1"),
        "it is no part: its footer is said to have 2147483647 octets"
    );
    let (_, octets) = seal(&[]).unwrap();
    assert_eq!(open(&octets, &Limits::default()), Err(Refusal::Empty));
    let (_, octets) = seal(&twenty()).unwrap();
    let few = Limits {
        rows: 19,
        ..Limits::default()
    };
    assert_eq!(
        open(&octets, &few).unwrap_err().to_string(),
        "it has 20 samples, more than 19"
    );
    let small = Limits {
        bytes: 100,
        ..Limits::default()
    };
    assert!(matches!(
        open(&octets, &small),
        Err(Refusal::TooLarge { what: "octets", .. })
    ));
}

#[tokio::test]
async fn a_file_of_a_table_is_no_part_for_it_is_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.append_samples(&twenty()).await.unwrap();
    lake.flush().await.unwrap();
    let day = folder.path().join("sample/day=2026-11-23");
    let path = fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let told = open(&fs::read(path).unwrap(), &Limits::default())
        .unwrap_err()
        .to_string();
    assert_eq!(told, "it is no part: column `time`: it is compressed");
}

#[test]
fn a_part_holds_samples_of_its_vantage_point_alone_and_of_a_sane_time() {
    let now = at(100);
    let told =
        |samples: &[Sample], probe: &str| check(samples, probe, now, &Limits::default()).map_err(|e| e.to_string());
    assert_eq!(told(&twenty(), "ams-1"), Ok(()));
    let foreign = "a row in it is of vantage point `ams-1`, not of `fra-1`";
    assert_eq!(told(&twenty(), "fra-1"), Err(foreign.to_owned()));
    let of = |time| [sample("shop.example", at(0)), sample("shop.example", time)];
    let week = SignedDuration::from_hours(7 * 24);
    assert_eq!(told(&of(now - week), "ams-1"), Ok(()));
    let old = told(&of(now - week - SignedDuration::from_secs(1)), "ams-1").unwrap_err();
    assert!(old.ends_with("which is too long ago"), "{old}");
    assert_eq!(told(&of(now + SignedDuration::from_mins(5)), "ams-1"), Ok(()));
    let ahead = told(&of(now + SignedDuration::from_secs(301)), "ams-1").unwrap_err();
    assert!(ahead.ends_with("which is in the future"), "{ahead}");
    assert!(told(&of(Timestamp::MIN), "ams-1").is_err() && told(&of(Timestamp::MAX), "ams-1").is_err());
}

#[tokio::test]
async fn a_part_is_taken_once_whatever_happens_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let (part, _) = seal(&twenty()).unwrap();
    let (other, _) = seal(&[sample("shop.example", at(99))]).unwrap();
    let mut lake = Lake::open(folder.path()).await.unwrap();
    assert!(!lake.knows_part(&part));
    assert!(lake.take_part(part, twenty(), at(100)).await.unwrap());
    assert!(!lake.take_part(part, twenty(), at(101)).await.unwrap(), "at once");
    for step in [
        "restarted",
        "flushed",
        "restarted after the flush",
        "compacted",
        "restarted after that",
    ] {
        match step {
            "flushed" => lake.flush().await.unwrap(),
            "compacted" => drop(lake.compact().await.unwrap()),
            _ => {
                drop(lake);
                lake = Lake::open(folder.path()).await.unwrap();
            }
        }
        assert!(lake.knows_part(&part) && !lake.knows_part(&other), "{step}");
        assert!(!lake.take_part(part, twenty(), at(102)).await.unwrap(), "{step}");
        assert_eq!(kept(&lake).await.len(), 20, "{step}");
    }
    lake.take_part(other, vec![sample("shop.example", at(99))], at(103))
        .await
        .unwrap();
    assert_eq!(kept(&lake).await.len(), 21);
}

#[tokio::test]
async fn the_same_part_from_many_sides_at_once_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let (part, _) = seal(&twenty()).unwrap();
    let takes = (0..32).map(|_| lake.take_part(part, twenty(), at(100)));
    let taken = futures_util::future::join_all(takes).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
    assert_eq!(kept(&lake).await.len(), 20);
}

fn journal_of_samples(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("sample-"))
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    files.sort();
    files.pop().unwrap()
}

#[tokio::test]
async fn a_part_that_a_crash_cut_off_is_left_out_as_a_whole_and_taken_when_it_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    lake.append_samples(&[sample("shop.example", at(-1))]).await.unwrap();
    let (part, _) = seal(&twenty()).unwrap();
    lake.take_part(part, twenty(), at(100)).await.unwrap();
    drop(lake);
    let path = journal_of_samples(folder.path());
    let content = fs::read(&path).unwrap();
    let own_row = content.iter().position(|octet| *octet == b'\n').unwrap() + 1;
    let last_row = content.len() - 1;
    for length in (own_row..last_row)
        .step_by(97)
        .chain([own_row, last_row, content.len()])
    {
        let copy = tempfile::tempdir().unwrap();
        let journal = copy.path().join("journal");
        fs::create_dir_all(&journal).unwrap();
        fs::write(journal.join("sample-000000000000.jsonl"), &content[..length]).unwrap();
        let lake = Lake::open(copy.path()).await.unwrap();
        let is_whole = length == content.len();
        assert_eq!(lake.knows_part(&part), is_whole, "{length} octets");
        assert_eq!(
            kept(&lake).await.len(),
            if is_whole { 21 } else { 1 },
            "{length} octets"
        );
        assert_eq!(lake.take_part(part, twenty(), at(100)).await.unwrap(), !is_whole);
        assert_eq!(kept(&lake).await.len(), 21, "{length} octets");
        assert_eq!(lake.damaged(), []);
    }
}

#[tokio::test]
async fn a_crash_between_the_ledger_and_the_commit_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let (part, _) = seal(&twenty()).unwrap();
    lake.take_part(part, twenty(), at(100)).await.unwrap();
    let path = journal_of_samples(folder.path());
    let journal = fs::read(&path).unwrap();
    lake.flush().await.unwrap();
    drop(lake);
    // As if the process had died after the commit, before the journal went; and with half a line in the ledger.
    fs::write(&path, journal).unwrap();
    let ledger = folder.path().join("parts/2026-11-23.sha256");
    let mut text = fs::read_to_string(&ledger).unwrap();
    assert!(text.contains(&part.to_string()));
    text.push_str("e3b0c44298fc");
    fs::write(&ledger, text).unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(kept(&lake).await.len(), 20);
    let (other, _) = seal(&[sample("shop.example", at(99))]).unwrap();
    lake.take_part(other, vec![sample("shop.example", at(99))], at(103))
        .await
        .unwrap();
    lake.flush().await.unwrap();
    drop(lake);
    let lake = Lake::open(folder.path()).await.unwrap();
    assert!(
        lake.knows_part(&part) && lake.knows_part(&other),
        "half a line spoils no other"
    );
}

#[tokio::test]
async fn a_part_is_forgotten_when_it_is_too_old_to_be_taken_again() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let (part, _) = seal(&twenty()).unwrap();
    lake.take_part(part, twenty(), at(100)).await.unwrap();
    lake.flush().await.unwrap();
    let retention = SignedDuration::from_hours(24);
    let limits = Limits::default();
    assert!(lake::PART_MEMORY > limits.oldest + limits.ahead + SignedDuration::from_hours(24));
    let days = |count: i64| at(100) + SignedDuration::from_hours(24 * count);
    lake.vacuum(days(9), retention).await.unwrap();
    assert!(lake.knows_part(&part));
    lake.vacuum(days(10), retention).await.unwrap();
    assert!(!lake.knows_part(&part));
    assert!(check(&twenty(), "ams-1", days(10), &limits).is_err());
    assert_eq!(fs::read_dir(folder.path().join("parts")).unwrap().count(), 0);
}

#[tokio::test]
async fn refused_parts_lie_aside_with_their_reason_and_the_oldest_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let mut paths = Vec::new();
    for number in 0..203_u32 {
        let octets = number.to_be_bytes();
        paths.push(
            lake.set_aside("fra1", PartId::of(&octets), &octets, "it is no part")
                .await
                .unwrap(),
        );
    }
    let there = paths.iter().filter(|path| path.exists()).count();
    assert_eq!(there, 200);
    assert!(paths[202].exists() && fs::read_to_string(paths[202].with_extension("txt")).unwrap() == "it is no part\n");
    assert_eq!(fs::read_dir(folder.path().join("quarantine")).unwrap().count(), 400);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn samples_come_out_of_a_part_as_they_went_in(of_probe in prop::collection::vec(samples(), 1..60)) {
        let (part, octets) = seal(&of_probe).unwrap();
        prop_assert_eq!(part, PartId::of(&octets));
        let opened = open(&octets, &Limits::default()).unwrap();
        prop_assert_eq!(sorted(opened), sorted(of_probe));
    }

    #[test]
    fn no_octets_make_opening_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut framed = b"PAR1".to_vec();
        framed.extend(&octets);
        framed.extend(u32::try_from(octets.len() / 2).unwrap().to_le_bytes());
        framed.extend(b"PAR1");
        prop_assert!(open(&framed, &Limits::default()).is_err());
    }
}

/// Each octet of a part in turn is another one. Where the part opens all the same, it has no more rows than before.
#[test]
fn a_part_with_one_octet_changed_opens_or_is_refused_and_never_grows() {
    let (_, octets) = seal(&twenty()).unwrap();
    for place in 0..octets.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut spoilt = octets.clone();
            spoilt[place] ^= change;
            if let Ok(samples) = open(&spoilt, &Limits::default()) {
                assert!(samples.len() <= 20, "octet {place} ^ {change:#x}");
            }
        }
    }
}
