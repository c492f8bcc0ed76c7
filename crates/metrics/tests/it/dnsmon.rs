//! The views of DNSMON.

use jiff::SignedDuration;
use metrics::Share;
use metrics::dnsmon::{cells, server, step};
use model::{Outcome, Sample};

use crate::story::{answer, at, name, timeout};

/// ns1 answers ams in 10, 20 … 100 ms; nrt gets every second answer.
fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    for n in 0..10 {
        let mut near = answer("example", "ns1.nic.example", "192.0.2.1", "ams", at(n * 300));
        near.rtt_us = Some((n.unsigned_abs() + 1) * 10_000);
        samples.push(near);
        let far = answer("example", "ns1.nic.example", "192.0.2.1", "nrt", at(n * 300 + 9));
        samples.push(if n % 2 == 0 { timeout(far) } else { far });
    }
    samples
}

#[test]
fn a_view_by_vantage_point_shows_loss_and_percentiles() {
    let view = cells(&samples(), |sample| Some(sample.probe.clone()));
    let (ams, nrt) = (view["ams"], view["nrt"]);
    assert_eq!((ams.unanswered, nrt.unanswered), (Share::of(0, 10), Share::of(5, 10)));
    assert_eq!(
        (ams.p5_us, ams.p50_us, ams.p95_us),
        (Some(10_000), Some(50_000), Some(100_000))
    );
}

#[test]
fn a_key_of_two_parts_makes_a_matrix_and_steps_make_a_series() {
    let matrix = cells(&samples(), |sample| Some((server(sample), sample.probe.clone())));
    let row = (Some(name("ns1.nic.example")), "192.0.2.1".parse().unwrap());
    assert_eq!(matrix.len(), 2);
    assert_eq!(matrix[&(row, "nrt".to_owned())].unanswered.percent(), Some(50.0));
    let quarter = SignedDuration::from_mins(15);
    let series = cells(&samples(), |sample| Some(step(sample, at(0), quarter)));
    assert_eq!(series.keys().copied().collect::<Vec<i64>>(), [0, 1, 2, 3]);
    assert_eq!(series[&3].unanswered.all, 2);
    assert_eq!(
        step(&samples()[0], at(1), quarter),
        -1,
        "what lies before the beginning has a negative step"
    );
}

#[test]
fn a_late_garbled_or_retried_answer_gives_no_time() {
    let mut garbage = samples()[0].clone();
    garbage.outcome = Outcome::Garbage;
    let mut retried = samples()[0].clone();
    retried.attempts = Some(2);
    let view = cells(&[garbage, retried], |_| Some(()));
    let cell = view[&()];
    assert_eq!((cell.unanswered, cell.p50_us), (Share::of(1, 1), None));
    assert!(cells(&samples(), |_| None::<()>).is_empty());
}
