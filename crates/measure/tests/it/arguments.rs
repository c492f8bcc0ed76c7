//! Arguments of messages, where servers or values go together, and names that hardly fit.

use futures_util::future::join_all;
use lab::{Change, EdnsManner, Fault, FaultRule, Feature, Lab, OddManner};
use language::explain;
use measure::{CheckPlan, Profile};
use model::Language;

use crate::case_in_lab::{With, change, found, lines, pocket, said};
use crate::small_world::{given, plan, said_by, world};

fn add(lab: &Lab, server: &str, rule: FaultRule) {
    let server = server.to_owned();
    change(lab, Change::AddFault { server, rule });
}

#[tokio::test]
async fn servers_with_the_same_trouble_are_named_together_and_others_apart() {
    let lab = pocket().await;
    add(&lab, "127.10.3.1", FaultRule::odd(OddManner::IgnoresVersion));
    add(&lab, "127.10.3.2", FaultRule::odd(OddManner::IgnoresVersion));
    assert_eq!(
        said(&lab, "good.test", "nameserver10").await,
        ["N10_UNEXPECTED_RCODE ns_ip_list=127.10.3.1;127.10.3.2 rcode=NOERROR"]
    );
    let formerr = FaultRule {
        edns: EdnsManner::Formerr,
        ..FaultRule::of(Fault::DropsEdns).with(Feature::EdnsVersion)
    };
    add(&lab, "127.10.3.2", formerr);
    assert_eq!(
        said(&lab, "good.test", "nameserver10").await,
        [
            "N10_UNEXPECTED_RCODE ns_ip_list=127.10.3.1 rcode=NOERROR",
            "N10_UNEXPECTED_RCODE ns_ip_list=127.10.3.2 rcode=FORMERR",
        ]
    );
}

#[tokio::test]
async fn a_version_is_told_once_for_all_servers_that_have_it() {
    let lab = pocket().await;
    for (server, text) in [("127.10.3.1", " Lab 1.0 "), ("127.10.3.2", "Lab 1.0\t")] {
        let rule = FaultRule {
            text: text.to_owned(),
            ..FaultRule::of(Fault::RevealsVersion)
        };
        add(&lab, server, rule);
    }
    let both = "ns_list=ns1.good.test/127.10.3.1;ns2.good.test/127.10.3.2";
    assert_eq!(
        said(&lab, "good.test", "nameserver15").await,
        [
            format!("N15_SOFTWARE_VERSION {both} query_name=version.bind string=Lab 1.0"),
            format!("N15_SOFTWARE_VERSION {both} query_name=version.server string=Lab 1.0"),
        ]
    );
}

#[tokio::test]
async fn a_name_is_shown_in_the_letters_in_which_it_was_asked() {
    let lab = pocket().await;
    add(&lab, "127.10.3.1", FaultRule::of(Fault::LowerCase));
    add(
        &lab,
        "127.10.3.2",
        FaultRule::of(Fault::Servfail).with(Feature::Capital),
    );
    assert_eq!(
        said(&lab, "plain.test", "nameserver08").await,
        [
            "QNAME_CASE_INSENSITIVE domain=Www.Plain.Test ns=ns1.good.test/127.10.3.1",
            "QNAME_CASE_SENSITIVE domain=Www.Plain.Test ns=ns2.good.test/127.10.3.2",
        ]
    );
    let names = "query1=wWW.pLAIN.tEST query2=Www.Plain.Test";
    assert_eq!(
        said(&lab, "plain.test", "nameserver09").await,
        [
            "CASE_QUERIES_RESULTS_DIFFER domain=www.plain.test type=SOA".to_owned(),
            format!(
                "CASE_QUERY_DIFFERENT_RC ns=ns2.good.test/127.10.3.2 {names} rcode1=NOERROR rcode2=SERVFAIL type=SOA"
            ),
            format!("CASE_QUERY_SAME_RC ns=ns1.good.test/127.10.3.1 {names} rcode=NOERROR type=SOA"),
        ]
    );
}

#[tokio::test]
async fn a_server_that_refers_to_the_root_is_named() {
    let lab = pocket().await;
    add(&lab, "127.10.3.1", FaultRule::of(Fault::UpwardReferral));
    assert_eq!(
        said(&lab, "good.test", "nameserver07").await,
        ["UPWARD_REFERRAL ns=ns1.good.test/127.10.3.1"]
    );
}

#[tokio::test]
async fn names_in_the_reverse_tree_are_shown_with_their_address() {
    let reverse = "2.0.12.127.in-addr.arpa. PTR host3.y.\n2.0.12.127.in-addr.arpa. PTR host4.y.";
    let root = format!("x. NS ns1.x.\nns1.x. A 127.12.0.2\n{reverse}");
    let lab = world(
        &root,
        &[("x", "@ NS ns1\nns1 A 127.12.0.2")],
        &[("ns1.x", "127.12.0.2", &["x"])],
    )
    .await;
    assert_eq!(
        said(&lab, "x", "address03").await,
        ["NAMESERVER_IP_PTR_MISMATCH names=host3.y;host4.y ns_ip=127.12.0.2 nsname=ns1.x"]
    );
}

#[tokio::test]
async fn the_size_of_a_referral_is_that_of_its_names_and_glue() {
    let lab = pocket().await;
    // header 12, question 255 + 4, two NS 2 + 10 + 4 + 2, A 2 + 10 + 4
    assert_eq!(
        said(&lab, "good.test", "delegation03").await,
        ["REFERRAL_SIZE_OK size=323"]
    );
    // names of another zone below the parent share `.good.test` once, and have glue; outside the parent there is none
    assert_eq!(
        said(&lab, "plain.test", "delegation03").await,
        ["REFERRAL_SIZE_OK size=328"]
    );
    assert_eq!(
        said(&lab, "shop.example", "delegation03").await,
        ["REFERRAL_SIZE_OK size=316"]
    );
    // where nothing is asked of the parent it is found all the same: `deep.good.test` is no zone
    let size = async |zone: &str| {
        let plan = CheckPlan {
            undelegated: Some(given(&[("ns1.good.test", "127.10.3.1")])),
            ..plan(zone, "delegation03", Profile::default())
        };
        said_by(&lab, &plan).await.concat()
    };
    assert_eq!(size("new.deep.good.test").await, "REFERRAL_SIZE_OK size=305");
    assert_eq!(size("new.example").await, "REFERRAL_SIZE_OK size=298");
}

#[tokio::test]
async fn zones_whose_names_are_as_long_as_names_can_be_are_judged() {
    let zone = format!("{}.test", ["a".repeat(61).as_str(); 4].join("."));
    let lab = pocket().await;
    let plan = |case| CheckPlan {
        undelegated: Some(given(&[("ns1.good.test", "127.10.3.1")])),
        ..plan(&zone, case, Profile::default())
    };
    let said = async |case| said_by(&lab, &plan(case)).await.concat();
    assert!(said("delegation03").await.starts_with("REFERRAL_SIZE_OK size="));
    // there is no room for `www`: the zone's own name is asked for
    let asked = said("nameserver08").await;
    assert!(asked.starts_with("QNAME_CASE_SENSITIVE domain=Aaaa"), "{asked}");
}

#[tokio::test]
async fn what_a_server_insists_on_is_told_with_the_question_and_how_it_failed_in_every_language() {
    let ladder = [
        (
            OddManner::DropsWithoutEdns,
            "E09_ONLY_WITH_EDNS ns=NS question=good.test SOA trouble=timeout",
        ),
        (
            OddManner::DropsWithoutDo,
            "E09_ONLY_WITH_DO ns=NS question=good.test SOA trouble=timeout",
        ),
        (
            OddManner::DropsWithoutOption,
            "E09_ONLY_WITH_OPTION ns=NS option=10 question=good.test SOA trouble=timeout",
        ),
        (
            OddManner::RefusesWithoutRd,
            "E09_ONLY_WITH_RD ns=NS question=good.test SOA trouble=REFUSED",
        ),
        (
            OddManner::DropsRd,
            "E09_ONLY_WITHOUT_RD ns=NS question=xn--nameservertest.iis.se A trouble=timeout",
        ),
    ];
    let asked = ladder.map(async |(manner, expected)| {
        let lab = pocket().await;
        add(&lab, "127.10.3.2", FaultRule::odd(manner));
        let findings = found(&lab, "good.test", "edns09", With::default()).await;
        assert_eq!(
            lines(findings.clone()),
            [expected.replace("ns=NS", "ns=ns2.good.test/127.10.3.2")]
        );
        findings
    });
    for finding in join_all(asked).await.concat() {
        for language in Language::ALL {
            let what = explain(&finding, language).what;
            for word in [&finding.args["question"], "ns2.good.test", "127.10.3.2"] {
                assert!(what.contains(word), "{language}: {what}");
            }
            // how it failed is no word of a program
            assert!(!what.contains("timeout"), "{language}: {what}");
        }
    }
}
