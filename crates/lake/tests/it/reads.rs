//! What is written is read, by zone and time.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use lake::{Day, Error, Lake};
use model::{Outcome, Sample};
use proptest::prelude::*;

use crate::story::{at, change, name, sample, samples, sorted};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap()
        .block_on(future)
}

/// All samples of all zones of `of`.
async fn everything(lake: &Lake, of: &[Sample]) -> Vec<Sample> {
    let mut zones: Vec<_> = of.iter().map(|sample| &sample.zone).collect();
    zones.sort();
    zones.dedup();
    let mut all = Vec::new();
    for zone in zones {
        all.extend(lake.samples(zone, Timestamp::MIN, Timestamp::MAX).await.unwrap());
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_while_it_waits_flushed_reopened_and_compacted(
        first in prop::collection::vec(samples(), 0..40),
        second in prop::collection::vec(samples(), 0..40),
    ) {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let lake = Lake::open(folder.path()).await.unwrap();
            let all = [first.clone(), second.clone()].concat();
            lake.append_samples(&first).await.unwrap();
            lake.flush().await.unwrap();
            lake.append_samples(&second).await.unwrap();
            assert_eq!(sorted(everything(&lake, &all).await), sorted(all.clone()));
            lake.flush().await.unwrap();
            assert_eq!(sorted(everything(&lake, &all).await), sorted(all.clone()));
            lake.compact().await.unwrap();
            assert_eq!(sorted(everything(&lake, &all).await), sorted(all.clone()));
            drop(lake);
            let lake = Lake::open_read_only(folder.path()).await.unwrap();
            assert_eq!(sorted(everything(&lake, &all).await), sorted(all));
            assert_eq!(lake.damaged(), []);
        });
    }
}

#[tokio::test]
async fn a_read_takes_its_first_moment_and_not_its_last() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let of_time = |seconds| sample("shop.example", at(seconds));
    lake.append_samples(&[of_time(1), of_time(2), of_time(3)])
        .await
        .unwrap();
    lake.append_samples(&[sample("other.example", at(2))]).await.unwrap();
    for _ in 0..2 {
        let found = lake.samples(&name("shop.example"), at(1), at(3)).await.unwrap();
        assert_eq!(found, [of_time(1), of_time(2)]);
        let after = at(1) + SignedDuration::from_nanos(1);
        assert_eq!(
            lake.samples(&name("shop.example"), after, at(3)).await.unwrap(),
            [of_time(2)]
        );
        assert_eq!(lake.samples(&name("shop.example"), at(3), at(1)).await.unwrap(), []);
        lake.flush().await.unwrap();
    }
}

#[tokio::test]
async fn times_are_cut_to_the_microsecond_and_years_before_1970_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let fine = at(0) + SignedDuration::from_nanos(1_999);
    lake.append_samples(&[sample("shop.example", fine)]).await.unwrap();
    let kept = lake
        .samples(&name("shop.example"), Timestamp::MIN, Timestamp::MAX)
        .await
        .unwrap();
    assert_eq!(kept[0].time, at(0) + SignedDuration::from_micros(1));

    let early: Timestamp = "1969-12-31T23:59:59Z".parse().unwrap();
    let error = lake
        .append_samples(&[sample("shop.example", at(0)), sample("shop.example", early)])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OutOfRange { time } if time == early), "{error}");
    assert_eq!(
        lake.samples(&name("shop.example"), Timestamp::MIN, Timestamp::MAX)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_day_sums_up_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let mut samples: Vec<Sample> = (1..=20)
        .map(|number| Sample {
            rtt_us: Some(number * 1000),
            ..sample("shop.example", at(number as i64))
        })
        .collect();
    samples[3].rcode = Some(2);
    samples[4].rcode = Some(3);
    samples.push(Sample {
        outcome: Outcome::Timeout,
        rtt_us: None,
        rcode: None,
        ..sample("shop.example", at(30))
    });
    samples.push(Sample {
        outcome: Outcome::Refused,
        rtt_us: None,
        rcode: None,
        ..sample("shop.example", at(31))
    });
    samples.push(sample("shop.example", at(86_400)));
    lake.append_samples(&samples).await.unwrap();
    lake.flush().await.unwrap();

    let days = lake
        .daily(&name("shop.example"), date(2026, 11, 1), date(2026, 11, 30))
        .await
        .unwrap();
    let first = Day {
        day: date(2026, 11, 23),
        asked: 22,
        answered: 20,
        failed: 1,
        rtt_median_us: Some(10_000),
        rtt_p95_us: Some(19_000),
        worst: Outcome::Timeout,
    };
    assert_eq!(days.len(), 2);
    assert_eq!(days[0], first);
    assert_eq!(
        (days[1].day, days[1].asked, days[1].worst),
        (date(2026, 11, 24), 1, Outcome::Answer)
    );
    let one = lake
        .daily(&name("shop.example"), date(2026, 11, 23), date(2026, 11, 23))
        .await
        .unwrap();
    assert_eq!(one, [first]);
}

#[tokio::test]
async fn response_times_come_by_step_and_server() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let of = |seconds, rtt_us| Sample {
        rtt_us: Some(rtt_us),
        ..sample("shop.example", at(seconds))
    };
    let lost = Sample {
        outcome: Outcome::Timeout,
        rtt_us: None,
        ..sample("shop.example", at(70))
    };
    let other = Sample {
        address: "2001:db8::53".parse().unwrap(),
        server: None,
        ..of(5, 9)
    };
    lake.append_samples(&[of(0, 3), of(59, 1), of(60, 7), lost, other])
        .await
        .unwrap();
    let series = lake
        .rtt_series(&name("shop.example"), at(0), at(600), SignedDuration::from_secs(60))
        .await
        .unwrap();
    let told: Vec<String> = series
        .iter()
        .map(|point| {
            let offset = point.time.duration_since(at(0)).as_secs();
            format!(
                "{offset} {} {}/{} {:?}",
                point.address, point.answered, point.asked, point.rtt_median_us
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "0 2001:db8::53 1/1 Some(9)",
            "0 192.0.2.53 2/2 Some(1)",
            "60 192.0.2.53 1/2 Some(7)"
        ]
    );
}

#[tokio::test]
async fn the_serials_of_a_server_come_as_runs_of_one_zone() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let of = |second, address: &str, serial| Sample {
        address: address.parse().unwrap(),
        qname: name("shop.example"),
        serial,
        ..sample("shop.example", at(second))
    };
    let above = Sample {
        qname: name("example"),
        ..of(3, "192.0.2.1", Some(77))
    };
    let first = [of(0, "192.0.2.1", Some(1)), of(1, "192.0.2.2", Some(1)), above];
    lake.append_samples(&first).await.unwrap();
    lake.flush().await.unwrap();
    let later = [
        of(60, "192.0.2.1", Some(1)),
        of(61, "192.0.2.2", None),
        of(120, "192.0.2.1", Some(2)),
        of(180, "192.0.2.1", Some(2)),
        of(181, "192.0.2.2", Some(1)),
    ];
    lake.append_samples(&later).await.unwrap();
    let runs = lake.serial_runs(&name("shop.example"), at(0), at(600)).await.unwrap();
    let second = |time: Timestamp| time.duration_since(at(0)).as_secs();
    let told: Vec<String> = runs
        .iter()
        .map(|run| {
            let (first, last) = run.seen;
            format!("{} {} {}-{}", run.address, run.serial, second(first), second(last))
        })
        .collect();
    assert_eq!(
        told,
        [
            "192.0.2.1 1 0-0",
            "192.0.2.2 1 1-1",
            "192.0.2.1 1 60-60",
            "192.0.2.1 2 120-180",
            "192.0.2.2 1 181-181"
        ]
    );
}

#[tokio::test]
async fn the_signature_that_expires_first_counts_for_its_step_and_server() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let of = |second, left: Option<i64>| Sample {
        signature_expiration: left.map(|left| at(second + left)),
        ..sample("shop.example", at(second))
    };
    lake.append_samples(&[of(0, Some(90)), of(5, Some(30)), of(9, None)])
        .await
        .unwrap();
    lake.flush().await.unwrap();
    lake.append_samples(&[of(70, Some(-20)), of(130, None)]).await.unwrap();
    let step = SignedDuration::from_secs(60);
    let lives = lake
        .signature_lives(&name("shop.example"), at(0), at(600), step)
        .await
        .unwrap();
    let told: Vec<(i64, i64)> = lives
        .iter()
        .map(|life| (life.time.duration_since(at(0)).as_secs(), life.left.as_secs()))
        .collect();
    assert_eq!(told, [(0, 30), (60, -20)]);
}

#[tokio::test]
async fn the_latest_are_the_newest_of_each_question_on_the_newest_day() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    assert_eq!(lake.latest(&name("shop.example")).await.unwrap(), []);
    let ns = |seconds| Sample {
        qtype: 2,
        ..sample("shop.example", at(seconds))
    };
    lake.append_samples(&[ns(-86_400), sample("shop.example", at(0))])
        .await
        .unwrap();
    lake.flush().await.unwrap();
    lake.append_samples(&[
        ns(5),
        sample("shop.example", at(7)),
        ns(6),
        sample("other.example", at(90_000)),
    ])
    .await
    .unwrap();
    assert_eq!(
        lake.latest(&name("shop.example")).await.unwrap(),
        [ns(6), sample("shop.example", at(7))]
    );
}

#[tokio::test]
async fn zone_changes_come_by_zone_or_all_and_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let (one, two) = (change("b.example", at(1)), change("a.example", at(2)));
    lake.append_zone_changes(&[one.clone(), two.clone()]).await.unwrap();
    lake.flush().await.unwrap();
    lake.append_zone_changes(std::slice::from_ref(&one)).await.unwrap();
    assert_eq!(
        lake.zone_changes(None, at(0), at(9)).await.unwrap(),
        [one.clone(), two.clone()]
    );
    assert_eq!(
        lake.zone_changes(Some(&name("a.example")), at(0), at(9)).await.unwrap(),
        [two]
    );
    assert_eq!(lake.zone_changes(None, at(0), at(2)).await.unwrap(), [one]);
}

#[tokio::test]
async fn vantage_points_are_told_apart_in_files_and_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(folder.path()).await.unwrap();
    let of = |probe: &str, second: i64, rtt_us: Option<u64>, rcode: Option<u16>| Sample {
        probe: probe.to_owned(),
        outcome: if rtt_us.is_some() {
            Outcome::Answer
        } else {
            Outcome::Timeout
        },
        rtt_us,
        rcode,
        ..sample("shop.example", at(second))
    };
    let mut over_tcp = of("fra1", 3, Some(90_000), Some(0));
    over_tcp.transport = model::Transport::Tcp;
    let samples = [
        of("fra1", 0, Some(10_000), Some(0)),
        of("fra1", 1, Some(20_000), Some(3)),
        of("fra1", 2, Some(30_000), Some(2)),
        over_tcp,
    ];
    lake.append_samples(&samples).await.unwrap();
    lake.flush().await.unwrap();
    lake.append_samples(&[of("nrt1", 4, None, None), of("nrt1", 99, Some(1), Some(0))])
        .await
        .unwrap();
    let seen = lake
        .by_vantage_point(&name("shop.example"), at(0), at(99))
        .await
        .unwrap();
    let [fra, nrt] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(
        (fra.probe.as_str(), fra.asked, fra.answered, fra.last),
        ("fra1", 4, 3, at(3))
    );
    assert_eq!((fra.rtt_median_us, fra.rtt_p95_us), (Some(20_000), Some(90_000)));
    assert_eq!(fra.udp_rtts_us, [10_000, 20_000, 30_000]);
    assert_eq!((nrt.asked, nrt.answered, nrt.rtt_median_us), (1, 0, None));
}
