//! Specification 10: each of its rules on a zone with three name servers, watched by four probes.

use jiff::SignedDuration;
use metrics::specification10::{Config, Standing, Timeline, emergency, month, timeline};
use model::{Outcome, Sample, Transport};

use crate::story::{answer, at, name, timeout};

/// What is wrong with a sample.
type Change = fn(&mut Sample);

const MINUTE: i64 = 60;

/// Name servers with their addresses: ns1 has two.
const ADDRESSES: [(&str, &str); 4] = [
    ("ns1.nic.example", "192.0.2.1"),
    ("ns1.nic.example", "2001:db8::1"),
    ("ns2.nic.example", "192.0.2.2"),
    ("ns3.nic.example", "192.0.2.3"),
];

fn config() -> Config {
    Config {
        probes_needed: 4,
        ..Config::default()
    }
}

/// Tests of four probes on all addresses, each minute; `change` sees probe, address and minute.
fn tests(minutes: i64, change: impl Fn(usize, usize, i64, Sample) -> Sample) -> Vec<Sample> {
    let mut samples = Vec::new();
    for minute in 0..minutes {
        for probe in 0..4 {
            for (place, (server, address)) in ADDRESSES.iter().enumerate() {
                let time = at(minute * MINUTE + i64::try_from(probe).unwrap());
                let sample = answer("example", server, address, &format!("probe{probe}"), time);
                samples.push(change(probe, place, minute, sample));
            }
        }
    }
    samples
}

fn watched(minutes: i64, change: impl Fn(usize, usize, i64, Sample) -> Sample) -> Timeline {
    timeline(&config(), &tests(minutes, change), at(0), at(minutes * MINUTE))
}

fn count(standings: &[Standing], of: Standing) -> usize {
    standings.iter().filter(|standing| **standing == of).count()
}

#[test]
fn a_healthy_zone_has_no_downtime_and_keeps_its_requirements() {
    let timeline = watched(10, |_, _, _, sample| sample);
    let month = month(&config(), &timeline);
    assert_eq!((month.service.minutes, month.service.passes), (0, Some(true)));
    assert!(month.addresses.values().all(|down| down.passes == Some(true)));
    assert_eq!((month.udp.0.all, month.udp.1), (160, Some(true)));
    assert_eq!(month.tcp.1, None, "nobody asked over TCP");
}

#[test]
fn an_address_is_down_when_51_percent_of_the_probes_get_no_answer() {
    for (silent_for, expected) in [(2, Standing::Up), (3, Standing::Down)] {
        let timeline = watched(1, |probe, place, _, sample| {
            if place == 3 && probe < silent_for {
                timeout(sample)
            } else {
                sample
            }
        });
        let address = (name("ns3.nic.example"), "192.0.2.3".parse().unwrap());
        assert_eq!(timeline.addresses[&address], [expected], "{silent_for} of 4 probes");
        assert_eq!(timeline.service, [Standing::Up]);
    }
    // 51 of 100 is a fault, 50 of 100 is none
    let hundred = |failing: usize| {
        let samples: Vec<Sample> = (0..100)
            .map(|probe| {
                let sample = answer("example", "ns1.nic.example", "192.0.2.1", &format!("p{probe}"), at(0));
                if probe < failing { timeout(sample) } else { sample }
            })
            .collect();
        timeline(&config(), &samples, at(0), at(MINUTE))
            .addresses
            .into_values()
            .next()
            .unwrap()[0]
    };
    assert_eq!((hundred(50), hundred(51)), (Standing::Up, Standing::Down));
}

#[test]
fn the_service_is_up_while_two_name_servers_answer_on_each_of_their_addresses() {
    // ns2 is silent everywhere: ns1 and ns3 are two.
    let one_gone = watched(
        1,
        |_, place, _, sample| if place == 2 { timeout(sample) } else { sample },
    );
    assert_eq!(one_gone.service, [Standing::Up]);
    // With it one of ns1's two addresses: ns1 does not count any more, and ns3 alone is not enough.
    let half_of_another = watched(1, |_, place, _, sample| {
        if place == 1 || place == 2 {
            timeout(sample)
        } else {
            sample
        }
    });
    assert_eq!(half_of_another.service, [Standing::Down]);
}

#[test]
fn an_answer_later_than_five_times_its_requirement_is_none() {
    let after = |rtt_us: u64, transport: Transport| {
        let timeline = watched(1, move |_, _, _, mut sample| {
            (sample.rtt_us, sample.transport) = (Some(rtt_us), transport);
            sample
        });
        (timeline.service[0], month(&config(), &timeline))
    };
    assert_eq!(after(2_500_000, Transport::Udp).0, Standing::Up);
    assert_eq!(after(2_500_001, Transport::Udp).0, Standing::Down);
    assert_eq!(after(7_500_000, Transport::Tcp).0, Standing::Up);
    assert_eq!(after(7_500_001, Transport::Tcp).0, Standing::Down);
    let (_, late) = after(600_000, Transport::Udp);
    assert_eq!(
        (late.udp.0.good, late.udp.1),
        (0, Some(false)),
        "answered, but not within 500 ms"
    );
    assert_eq!(after(1_500_000, Transport::Tcp).1.tcp.1, Some(true));
}

#[test]
fn ninety_five_percent_of_the_answers_must_keep_the_requirement() {
    for (slow, passes) in [(5, true), (6, false)] {
        let samples: Vec<Sample> = (0..100)
            .map(|second| {
                let mut sample = answer("example", "ns1.nic.example", "192.0.2.1", "p", at(second));
                if second < slow {
                    sample.rtt_us = Some(500_001);
                }
                sample
            })
            .collect();
        let timeline = timeline(&config(), &samples, at(0), at(2 * MINUTE));
        assert_eq!(month(&config(), &timeline).udp.1, Some(passes), "{slow} of 100");
    }
}

#[test]
fn errors_and_invalid_signatures_are_no_answers() {
    let changes: [(&str, Change); 3] = [
        ("SERVFAIL", |sample| sample.rcode = Some(2)),
        ("REFUSED", |sample| sample.rcode = Some(5)),
        ("bogus", |sample| sample.validated = Some(false)),
    ];
    for (what, change) in changes {
        let timeline = watched(1, |_, _, _, mut sample| {
            change(&mut sample);
            sample
        });
        assert_eq!(timeline.service, [Standing::Down], "{what}");
    }
    let nxdomain = watched(1, |_, _, _, mut sample| {
        sample.rcode = Some(3);
        sample
    });
    assert_eq!(nxdomain.service, [Standing::Up]);
}

#[test]
fn dnssec_is_judged_apart_and_only_where_somebody_looked() {
    let unsigned = watched(1, |_, _, _, sample| sample);
    assert_eq!(unsigned.dnssec, [Standing::Inconclusive]);
    let signed = |bogus_servers: usize| {
        watched(1, move |_, place, _, mut sample| {
            sample.validated = Some(place < 4 - bogus_servers);
            sample
        })
        .dnssec[0]
    };
    assert_eq!(signed(0), Standing::Up);
    assert_eq!(signed(1), Standing::Up, "two name servers are left");
    assert_eq!(signed(2), Standing::Down);
}

#[test]
fn a_result_stands_until_the_next_test_and_then_counts_no_more() {
    // All probes see everything silent in minute 2, and test no more afterwards.
    let timeline = timeline(
        &config(),
        &tests(
            3,
            |_, _, minute, sample| if minute == 2 { timeout(sample) } else { sample },
        ),
        at(0),
        at(7 * MINUTE),
    );
    use Standing::{Down, Inconclusive, Up};
    assert_eq!(
        timeline.service,
        [Up, Up, Down, Down, Inconclusive, Inconclusive, Inconclusive]
    );
    assert_eq!(month(&config(), &timeline).service.inconclusive_minutes, 3);
}

#[test]
fn with_too_few_probes_no_fault_is_counted() {
    let config = Config {
        probes_needed: 5,
        ..Config::default()
    };
    let silent = tests(3, |_, _, _, sample| timeout(sample));
    let timeline = timeline(&config, &silent, at(0), at(3 * MINUTE));
    assert_eq!(count(&timeline.service, Standing::Inconclusive), 3);
    assert_eq!(month(&config, &timeline).service.passes, None);
}

#[test]
fn a_month_may_have_432_minutes_for_an_address_and_none_for_the_service() {
    for (minutes, passes) in [(432, true), (433, false)] {
        let standings = vec![Standing::Down; minutes];
        let timeline = Timeline {
            from: at(0),
            service: standings.clone(),
            dnssec: Vec::new(),
            addresses: [((name("ns1.nic.example"), "192.0.2.1".parse().unwrap()), standings)].into(),
            udp: Default::default(),
            tcp: Default::default(),
        };
        let month = month(&Config::default(), &timeline);
        assert_eq!(month.addresses.values().next().unwrap().passes, Some(passes));
        assert_eq!(month.service.passes, Some(false));
    }
}

#[test]
fn four_hours_within_a_rolling_week_are_an_emergency_and_the_same_over_two_weeks_are_not() {
    let day = 24 * 60;
    let mut standings = vec![Standing::Up; 14 * day];
    let half = |standings: &mut Vec<Standing>, from: usize| standings[from..from + 120].fill(Standing::Down);
    half(&mut standings, 0);
    half(&mut standings, 7 * day + 120);
    let apart = emergency(&Config::default(), at(0), &standings);
    assert_eq!((apart.most_minutes, apart.percent, apart.reached), (120, 50.0, None));

    half(&mut standings, 5 * day);
    let together = emergency(&Config::default(), at(0), &standings);
    assert_eq!((together.most_minutes, together.percent), (240, 100.0));
    let fourth_hour = i64::try_from(5 * day + 120).unwrap();
    assert_eq!(together.reached, Some(at(fourth_hour * MINUTE)));
}

#[test]
fn a_longer_grid_is_told_by_how_long_a_result_stands() {
    let config = Config {
        stands_for: SignedDuration::from_mins(6),
        ..config()
    };
    let every_five = tests(20, |_, _, minute, mut sample| {
        if minute % 5 != 0 {
            sample.server = None;
        }
        if minute >= 10 {
            sample.outcome = Outcome::Timeout;
        }
        sample
    });
    let timeline = timeline(&config, &every_five, at(0), at(20 * MINUTE));
    assert_eq!(count(&timeline.service, Standing::Up), 10);
    assert_eq!(count(&timeline.service, Standing::Down), 10);
}
