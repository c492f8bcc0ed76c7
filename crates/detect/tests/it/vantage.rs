use detect::vantage::{Config, KEYS, MANY, Seen, silent};
use jiff::{SignedDuration, Timestamp};
use model::{Severity, Signal};

fn noon() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// A vantage point heard so many minutes before noon.
fn heard(name: &str, minutes: i64) -> Seen {
    Seen {
        name: name.to_owned(),
        region: "EU".to_owned(),
        contact: Some(noon() - SignedDuration::from_mins(minutes)),
    }
}

/// The signals at noon of a centre that listens since long ago.
fn at_noon(seen: &[Seen]) -> Vec<Signal> {
    silent(&Config::default(), seen, Timestamp::UNIX_EPOCH, noon())
}

fn keys(signals: &[Signal]) -> Vec<&str> {
    signals.iter().map(|signal| signal.key.as_str()).collect()
}

#[test]
fn one_that_is_not_heard_for_more_than_a_quarter_of_an_hour_is_a_matter() {
    let seen = [heard("fra1", 15), heard("nrt1", 16), heard("gru1", 0)];
    let signals = at_noon(&seen);
    assert_eq!(keys(&signals), ["vantage:silent:nrt1"]);
    let signal = &signals[0];
    assert_eq!(
        (signal.kind.as_str(), signal.severity),
        ("vantage-silent", Severity::Review)
    );
    assert_eq!(
        (signal.args["vantage_point"].as_str(), signal.args["minutes"].as_str()),
        ("nrt1", "16")
    );
    assert_eq!(signal.args["since"], "2026-11-25T11:44:00Z");
    assert!(signal.zones.is_empty(), "it says nothing of any zone");
}

#[test]
fn one_that_never_spoke_is_not_set_up_yet() {
    let seen = [Seen {
        contact: None,
        ..heard("fra1", 0)
    }];
    assert!(at_noon(&seen).is_empty());
}

#[test]
fn many_at_once_are_one_matter_that_calls_somebody() {
    let names: Vec<String> = (0..6).map(|number| format!("vp{number}")).collect();
    let seen: Vec<Seen> = names
        .iter()
        .zip(20..)
        .map(|(name, minutes)| heard(name, minutes))
        .collect();
    assert_eq!(at_noon(&seen[..5]).len(), 5);
    let signals = at_noon(&seen);
    assert_eq!((keys(&signals), signals[0].severity), (vec![MANY], Severity::Page));
    assert_eq!(
        (signals[0].args["count"].as_str(), signals[0].args["minutes"].as_str()),
        ("6", "25")
    );
    assert!(signals.iter().all(|signal| signal.key.starts_with(KEYS)));
}

#[test]
fn a_clock_that_went_back_makes_nobody_silent() {
    assert!(at_noon(&[heard("fra1", -60)]).is_empty());
}

#[test]
fn a_centre_that_was_down_gives_everybody_time_to_speak() {
    let seen = [heard("fra1", 600)];
    let since = |minutes: i64| {
        let listening = noon() - SignedDuration::from_mins(minutes);
        silent(&Config::default(), &seen, listening, noon()).len()
    };
    assert_eq!((since(15), since(16)), (0, 1));
}
