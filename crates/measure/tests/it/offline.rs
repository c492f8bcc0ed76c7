//! A saved inquiry judged without the network, and what is shown of an exchange.

use lab::{Fault, Lab};
use measure::{CheckPlan, Inquiry, Internet, Profile, Report, Settings, Undelegated, check};
use model::{Finding, Outcome};

use crate::case_in_lab::{name, noon, pocket, spoil};

fn internet(lab: &Lab) -> Internet {
    Internet::open(Settings {
        hints: lab.hints(),
        port: lab.port(),
        ..Settings::default()
    })
    .unwrap()
}

fn plan(zone: &str) -> CheckPlan {
    CheckPlan {
        zone: name(zone),
        undelegated: None,
        cases: None,
        profile: Profile::default(),
    }
}

fn findings(report: &Report) -> Vec<&Finding> {
    report.findings.iter().map(|(_, finding)| finding).collect()
}

#[tokio::test]
async fn a_saved_inquiry_gives_the_same_findings_without_the_network() {
    let lab = pocket().await;
    spoil(&lab, "ns2.good.test", Fault::Refused);
    spoil(&lab, "ns1.good.test", Fault::StaleSerial);
    for zone in ["good.test", "shop.example", "gone.test", "."] {
        let inquiry = internet(&lab).inquiry();
        let seen = check(&inquiry, &plan(zone), noon()).await;
        assert!(!seen.findings.is_empty());

        let before = lab.questions();
        let restored = Inquiry::restore(&inquiry.save()).unwrap();
        let again = check(&restored, &plan(zone), noon()).await;
        assert_eq!(findings(&again), findings(&seen), "{zone}");
        assert_eq!(again.delegation, seen.delegation, "{zone}");
        assert_eq!(again.servers, seen.servers, "{zone}");
        assert_eq!(restored.started(), inquiry.started());
        assert_eq!(lab.questions(), before, "nothing was sent");
    }
}

#[tokio::test]
async fn a_question_that_was_not_saved_is_unreachable() {
    let lab = pocket().await;
    let inquiry = internet(&lab).inquiry();
    let restored = Inquiry::restore(&inquiry.save()).unwrap();
    let report = check(&restored, &plan("good.test"), noon()).await;
    assert_eq!(report.untestable.as_deref(), Some("no root name server answered"));
    assert!(report.findings.is_empty());
    assert!(
        restored
            .exchanges()
            .iter()
            .all(|exchange| exchange.outcome == Outcome::Unreachable)
    );
    assert!(
        restored.samples("probe", &name("good.test")).is_empty(),
        "nothing sent, nothing sampled"
    );
}

#[tokio::test]
async fn samples_say_who_was_asked_what_and_what_came_of_it() {
    let lab = pocket().await;
    let inquiry = internet(&lab).inquiry();
    check(&inquiry, &plan("good.test"), noon()).await;
    let samples = inquiry.samples("probe-1", &name("good.test"));
    let soa = samples
        .iter()
        .find(|sample| sample.server == Some(name("ns1.good.test")) && sample.qtype == 6 && sample.rtt_us.is_some())
        .unwrap();
    assert_eq!(soa.probe, "probe-1");
    assert_eq!(soa.address.to_string(), "127.10.3.1");
    assert_eq!(
        (soa.outcome, soa.rcode, soa.authoritative),
        (Outcome::Answer, Some(0), true)
    );
    assert!(soa.serial.is_some() && soa.size_bytes.unwrap() > 12);
    let qr_and_aa = 0x8400;
    assert_eq!(soa.flags.unwrap() & 0xfe7f, qr_and_aa);
    assert_eq!((soa.attempts, soa.validated), (Some(1), None));
}

#[tokio::test]
async fn evidence_shows_the_answer_as_text_and_as_octets() {
    let lab = pocket().await;
    let inquiry = internet(&lab).inquiry();
    let plan = CheckPlan {
        cases: Some(vec!["basic02".to_owned()]),
        ..plan("plain.test")
    };
    check(&inquiry, &plan, noon()).await;
    let evidence = inquiry.evidence();
    let ns = evidence
        .iter()
        .find(|one| one.question == "plain.test NS" && one.text.contains(";; answer"))
        .unwrap();
    assert!(
        ns.text.starts_with(";; NOERROR aa\n;; answer\nplain.test. "),
        "{}",
        ns.text
    );
    assert!(!ns.wire_base64.is_empty());
    assert!(
        serde_json::to_string(&evidence)
            .unwrap()
            .contains("\"transport\":\"udp\"")
    );
}

#[tokio::test]
async fn a_healthy_zone_takes_few_questions() {
    let lab = pocket().await;
    let inquiry = internet(&lab).inquiry();
    let report = check(&inquiry, &plan("good.test"), noon()).await;
    assert!(
        report
            .servers
            .iter()
            .all(|server| server.reachable && server.serves_zone && server.serial.is_some())
    );
    let asked: u64 = lab
        .questions()
        .values()
        .map(|questions| questions.udp + questions.tcp)
        .sum();
    assert!(asked <= 120, "{asked} questions for one zone with two servers");
    assert_eq!(
        usize::try_from(asked).unwrap(),
        inquiry.exchanges().len(),
        "none was asked twice"
    );
}

#[tokio::test]
async fn a_dead_server_gets_one_ladder_and_no_more_in_a_whole_check() {
    let lab = pocket().await;
    spoil(&lab, "ns2.good.test", Fault::Silent);
    let inquiry = internet(&lab).inquiry();
    check(&inquiry, &plan("good.test"), noon()).await;
    let dead = lab.questions()[&"127.10.3.2".parse().unwrap()];
    // the questions of the first moment (SOA and NS, two attempts each) and three probes; over TCP SOA, NS and AXFR
    assert!(dead.udp <= 7 && dead.tcp <= 3, "{dead:?}");
}

#[tokio::test]
async fn answers_from_above_the_parent_serve_several_inquiries_but_are_sampled_once() {
    let lab = pocket().await;
    let internet = internet(&lab);
    let root = "127.10.0.1".parse().unwrap();
    let first = internet.inquiry();
    check(&first, &plan("good.test"), noon()).await;
    let asked = lab.questions()[&root];
    let second = internet.inquiry();
    let report = check(&second, &plan("good.test"), noon()).await;
    assert_eq!(
        lab.questions()[&root],
        asked,
        "the second inquiry had the root's answers from the first"
    );
    assert!(report.untestable.is_none());
    assert!(
        second.exchanges().iter().any(|exchange| exchange.address == root),
        "they are evidence all the same"
    );
    let samples = second.samples("probe", &name("good.test"));
    assert!(samples.iter().all(|sample| sample.address != root));
    assert!(samples.iter().any(|sample| sample.qname == name("good.test")));
}

#[tokio::test]
async fn what_the_root_said_before_our_line_went_down_accuses_no_zone() {
    let lab = pocket().await;
    let internet = internet(&lab);
    check(&internet.inquiry(), &plan("good.test"), noon()).await;
    for server in lab.world().servers.iter().map(|server| server.name.to_string()) {
        spoil(&lab, &server, Fault::Silent);
    }
    let report = check(&internet.inquiry(), &plan("good.test"), noon()).await;
    assert_eq!(report.untestable.as_deref(), Some("no root name server answered"));
    assert!(report.findings.is_empty());
}

#[tokio::test]
async fn a_zone_whose_servers_are_all_of_a_family_that_is_off_is_untestable() {
    let lab = pocket().await;
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        ipv6: false,
        ..Settings::default()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let ns = vec![(name("ns1.good.test"), "2001:db8::1".parse().ok())];
    let undelegated = Some(Undelegated { ns, ds: Vec::new() });
    let plan = CheckPlan {
        undelegated,
        ..plan("good.test")
    };
    let report = check(&inquiry, &plan, noon()).await;
    assert_eq!(
        report.untestable.as_deref(),
        Some("its servers have only addresses of a family that is switched off")
    );
    let restored = Inquiry::restore(&inquiry.save()).unwrap();
    assert_eq!(check(&restored, &plan, noon()).await.untestable, report.untestable);
}

#[tokio::test]
async fn an_inquiry_that_would_ask_without_end_is_ended() {
    let lab = pocket().await;
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        inquiry_questions: 20,
        ..Settings::default()
    };
    let inquiry = Internet::open(settings).unwrap().inquiry();
    let report = check(&inquiry, &plan("good.test"), noon()).await;
    let asked: u64 = lab
        .questions()
        .values()
        .map(|questions| questions.udp + questions.tcp)
        .sum();
    assert!(asked <= 20, "{asked}");
    assert_eq!(
        report.untestable.as_deref(),
        Some("the inquiry used up its questions or its time")
    );
    assert!(Inquiry::restore(&inquiry.save()).unwrap().is_spent());
}
