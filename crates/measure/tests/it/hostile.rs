//! Hostile answers: a whole check comes to its end, with few questions, and says of the server what it can.

use std::time::Duration;

use lab::{Change, Event, FaultRule, Hostility, Lab};
use measure::{CheckPlan, Inquiry, Internet, Report, Settings, check};
use model::{Level, Outcome};

use crate::case_in_lab::{name, noon, pocket};

fn inquiry(lab: &Lab) -> Inquiry {
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        timeout: Duration::from_millis(300),
        odd_question_pause: Duration::ZERO,
        ..Settings::default()
    };
    Internet::open(settings).unwrap().inquiry()
}

/// The world in which these servers are hostile, checked: with the deep cases as well if wanted.
async fn checked(hostility: Hostility, servers: &[&str], zone: &str, deep: bool) -> (Report, Inquiry) {
    let lab = pocket().await;
    for server in servers {
        let change = Change::AddFault {
            server: (*server).to_owned(),
            rule: FaultRule::hostile(hostility),
        };
        lab.apply(&Event::new(change)).unwrap();
    }
    let inquiry = inquiry(&lab);
    let plan = CheckPlan {
        cases: deep.then(|| measure::cases::ids().map(str::to_owned).collect()),
        ..CheckPlan::of(name(zone))
    };
    (check(&inquiry, &plan, noon()).await, inquiry)
}

/// Questions of a whole check with the deep cases, of a zone with two servers and its parents, ten times over.
const FEW: usize = 2_000;

#[tokio::test]
async fn one_hostile_server_among_two_neither_stops_a_check_nor_leads_it_on() {
    for hostility in Hostility::ALL {
        let (report, inquiry) = checked(hostility, &["127.10.3.2"], "good.test", false).await;
        let exchanges = inquiry.exchanges();
        assert!(!inquiry.is_spent(), "{hostility:?}: {} questions", exchanges.len());
        assert!(exchanges.len() < FEW, "{hostility:?}: {} questions", exchanges.len());
        assert_eq!(report.untestable, None, "{hostility:?}");
        let blames = report.findings.iter().any(|(_, finding)| {
            finding.level >= Level::Warning && finding.args.values().any(|value| value.contains("127.10.3.2"))
        });
        assert!(
            blames,
            "{hostility:?}: nothing is said of the server: {:#?}",
            report.findings
        );
    }
}

#[tokio::test]
async fn a_zone_with_hostile_servers_alone_is_said_not_to_work() {
    for hostility in Hostility::ALL {
        let (report, inquiry) = checked(hostility, &["127.10.3.1", "127.10.3.2"], "good.test", false).await;
        assert!(!inquiry.is_spent(), "{hostility:?}");
        assert!(inquiry.exchanges().len() < FEW, "{hostility:?}");
        let worst = report.findings.iter().map(|(_, finding)| finding.level).max();
        assert!(worst >= Some(Level::Error), "{hostility:?}: {worst:?}");
    }
}

#[tokio::test]
async fn hostile_parents_do_not_lead_a_check_on_either() {
    for hostility in Hostility::ALL {
        let (_, inquiry) = checked(hostility, &["127.10.1.1", "127.10.1.2"], "good.test", false).await;
        assert!(!inquiry.is_spent(), "{hostility:?}");
        assert!(inquiry.exchanges().len() < FEW, "{hostility:?}");
    }
}

#[tokio::test]
async fn the_deep_cases_come_to_an_end_as_well() {
    for hostility in Hostility::ALL {
        let (_, inquiry) = checked(hostility, &["127.10.3.2"], "good.test", true).await;
        assert!(!inquiry.is_spent(), "{hostility:?}");
        assert!(inquiry.exchanges().len() < FEW, "{hostility:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_outcome_and_keeps_what_came_before() {
    for (hostility, outcome, is_malformed) in [
        (Hostility::CompressionLoop, Outcome::Answer, true),
        (Hostility::FalseCounts, Outcome::Answer, true),
        (Hostility::FalseLengths, Outcome::Answer, true),
        (Hostility::Dribbles, Outcome::Timeout, false),
    ] {
        let lab = pocket().await;
        let change = Change::AddFault {
            server: "127.10.3.2".to_owned(),
            rule: FaultRule::hostile(hostility),
        };
        lab.apply(&Event::new(change)).unwrap();
        let question = measure::Question::plain(&name("good.test"), measure::Rtype::A);
        let exchange = inquiry(&lab).ask("127.10.3.2".parse().unwrap(), &question).await;
        assert_eq!(exchange.outcome, outcome, "{hostility:?}");
        let response = exchange.response();
        assert_eq!(
            response.is_some_and(|response| response.malformed),
            is_malformed,
            "{hostility:?}"
        );
        // one record of the 65,535, none with a name that never ends
        let records = response.map_or(0, |response| response.answer.len());
        assert!(records <= 1, "{hostility:?}: {records}");
    }
}

#[tokio::test]
async fn answers_that_cannot_be_read_and_crowds_of_name_servers_are_told() {
    for (hostility, tag) in [
        (Hostility::CompressionLoop, "E10_MALFORMED_ANSWER"),
        (Hostility::FalseCounts, "E10_MALFORMED_ANSWER"),
        (Hostility::FalseLengths, "E10_MALFORMED_ANSWER"),
        (Hostility::ManyServers, "E10_TOO_MANY_NAME_SERVERS"),
    ] {
        let (report, _) = checked(hostility, &["127.10.3.2"], "good.test", false).await;
        let told = report.findings.iter().find(|(_, finding)| finding.tag == tag);
        let told = told.unwrap_or_else(|| panic!("{hostility:?} is not told"));
        assert!(told.1.args["ns"].ends_with("/127.10.3.2"), "{hostility:?}: {told:?}");
    }
}
