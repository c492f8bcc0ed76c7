//! EDNS and odd questions: what each manner of stumbling is called, and what a server that behaves is asked at all.

use std::time::Duration;

use lab::{Change, Event, Fault, FaultRule, Feature, Lab, OddManner, World};
use measure::{CheckPlan, Inquiry, Internet, Profile, Report, Settings, Undelegated, check};
use model::Level;

use crate::case_in_lab::{name, noon, pocket, spoil};
use crate::scripted::{HERE, Reply, Scripted, answer, has_edns, name_end};

const SPOILT: &str = "127.10.3.2";

fn internet(lab: &Lab) -> Internet {
    let settings = Settings {
        hints: lab.hints(),
        port: lab.port(),
        odd_question_pause: Duration::ZERO,
        timeout: Duration::from_millis(600),
        ..Settings::default()
    };
    Internet::open(settings).unwrap()
}

fn odd(lab: &Lab, manner: OddManner) {
    rule(lab, FaultRule::odd(manner));
}

fn rule(lab: &Lab, rule: FaultRule) {
    let server = SPOILT.to_owned();
    lab.apply(&Event::new(Change::AddFault { server, rule })).unwrap();
}

async fn report(inquiry: &Inquiry, zone: &str, case: &str) -> Report {
    let plan = CheckPlan {
        cases: Some(vec![case.to_owned()]),
        ..CheckPlan::of(name(zone))
    };
    check(inquiry, &plan, noon()).await
}

/// The tags that a case gives the spoilt server, INFO and below left out, each with the arguments that tell what it is about.
async fn said_of(lab: &Lab, zone: &str, case: &str) -> Vec<String> {
    let findings = report(&internet(lab).inquiry(), zone, case).await.findings;
    let told = findings.iter().map(|(_, finding)| finding).filter(|finding| {
        let servers = ["ns", "ns_list"].iter().filter_map(|arg| finding.args.get(*arg));
        finding.level > Level::Info && servers.into_iter().any(|servers| servers.contains(SPOILT))
    });
    let mut lines: Vec<String> = told
        .map(|finding| {
            let about = finding
                .args
                .iter()
                .filter(|(arg, _)| !["ns", "ns_list"].contains(&arg.as_str()));
            let about: Vec<String> = about.map(|(arg, value)| format!(" {arg}={value}")).collect();
            format!("{}{}", finding.tag, about.concat())
        })
        .collect();
    lines.sort();
    lines
}

/// The results of genreport for the spoilt server.
async fn results(lab: &Lab, case: &str) -> String {
    let findings = report(&internet(lab).inquiry(), "good.test", case).await.findings;
    let of_spoilt = findings
        .iter()
        .map(|(_, finding)| finding)
        .filter(|finding| finding.tag.ends_with("_RESULTS"))
        .find(|finding| finding.args["ns"].contains(SPOILT));
    of_spoilt.map_or(String::new(), |finding| finding.args["results"].replace(';', " "))
}

#[tokio::test]
async fn a_server_that_behaves_is_ok_throughout() {
    let lab = pocket().await;
    assert_eq!(
        results(&lab, "edns01").await,
        "dns=ok edns=ok edns1=ok edns@512=ok ednsopt=ok edns1opt=ok do=ok ednsflags=ok optlist=ok,nsid ednstcp=ok"
    );
    assert_eq!(
        results(&lab, "edns02").await,
        "aa=ok ad=ok cd=ok ra=ok rd=ok tc=ok zflag=ok opcode=ok opcodeflg=ok type666=ok tcp=ok docd=ok edns1do=ok \
         ednsnsid=ok,nsid ednscookie=ok ednsexpire=ok ednssubnet=ok edns1nsid=ok,nsid edns1cookie=ok edns1expire=ok edns1subnet=ok"
    );
    for case in [
        "edns01", "edns02", "edns03", "edns04", "edns05", "edns07", "edns08", "edns09", "edns10",
    ] {
        assert_eq!(said_of(&lab, "good.test", case).await, [] as [&str; 0], "{case}");
    }
}

#[tokio::test]
async fn each_manner_of_stumbling_has_its_word() {
    for (manner, words) in [
        (OddManner::EchoesOptions, vec!["ednsopt=echoed", "edns1opt=echoed"]),
        (
            OddManner::DropsOptions,
            vec!["ednsopt=timeout", "edns1opt=timeout", "optlist=timeout"],
        ),
        (
            OddManner::RejectsOptions,
            vec![
                "ednsopt=formerr,noopt",
                "edns1opt=formerr,noopt",
                "optlist=formerr,noopt",
            ],
        ),
        (
            OddManner::IgnoresVersion,
            vec!["edns1=status,badversion,soa", "edns1opt=status,badversion,soa"],
        ),
        (
            OddManner::EchoesVersion,
            vec!["edns1=status,version,soa", "edns1opt=status,version,soa"],
        ),
        (OddManner::DropsVersion, vec!["edns1=timeout", "edns1opt=timeout"]),
        (OddManner::EchoesFlags, vec!["ednsflags=mbz"]),
        (OddManner::DropsFlags, vec!["ednsflags=timeout"]),
        (OddManner::OmitsDo, vec!["edns@512=nodo", "do=nodo", "ednstcp=nodo"]),
        (
            OddManner::DropsDo,
            vec!["edns@512=timeout", "do=timeout", "ednstcp=timeout"],
        ),
        (
            OddManner::FailsOnDo,
            vec!["edns@512=servfail", "do=servfail", "ednstcp=servfail"],
        ),
        (
            OddManner::OmitsOpt,
            vec![
                "edns=noopt",
                "edns1=status,noopt",
                "edns@512=noopt",
                "ednsopt=noopt",
                "edns1opt=status,noopt",
                "do=noopt",
                "ednsflags=noopt",
                "optlist=noopt",
                "ednstcp=noopt",
            ],
        ),
        (OddManner::UnaskedOpt, vec!["dns=opt"]),
        (
            OddManner::EchoesBadVersion,
            vec!["edns1=version,badversion", "edns1opt=version,badversion"],
        ),
        (OddManner::Cookies, vec!["optlist=ok,nsid,cookie"]),
    ] {
        let lab = pocket().await;
        odd(&lab, manner);
        let all = results(&lab, "edns01").await;
        let differing: Vec<&str> = all
            .split(' ')
            .filter(|result| !result.ends_with("=ok") && *result != "optlist=ok,nsid")
            .collect();
        assert_eq!(differing, words, "{manner:?}");
    }
    for (manner, words) in [
        (OddManner::DropsTypes, vec!["type666=timeout"]),
        (OddManner::DropsRd, vec!["rd=timeout", "opcodeflg=timeout"]),
        (OddManner::DropsOpcodes, vec!["opcode=timeout", "opcodeflg=timeout"]),
        (
            OddManner::DropsHeaderFlags,
            vec![
                "ad=timeout",
                "cd=timeout",
                "zflag=timeout",
                "opcodeflg=timeout",
                "docd=timeout",
            ],
        ),
        (
            OddManner::EchoesHeaderFlags,
            vec!["zflag=z", "opcodeflg=aa,ra,rd,ad,cd,z"],
        ),
    ] {
        let lab = pocket().await;
        odd(&lab, manner);
        let all = results(&lab, "edns02").await;
        let differing: Vec<&str> = all.split(' ').filter(|result| !result.contains("=ok")).collect();
        assert_eq!(differing, words, "{manner:?}");
    }
}

#[tokio::test]
async fn what_a_server_gets_wrong_is_told_by_kind() {
    for (fault, case, lines) in [
        (
            FaultRule::odd(OddManner::DropsOptions),
            "edns01",
            vec!["ODD_NO_RESPONSE tests=ednsopt=timeout;edns1opt=timeout;optlist=timeout"],
        ),
        (
            FaultRule::odd(OddManner::RejectsOptions),
            "edns01",
            vec![
                "ODD_NO_OPT tests=ednsopt=noopt;edns1opt=noopt;optlist=noopt",
                "ODD_RCODE tests=ednsopt=formerr;edns1opt=formerr;optlist=formerr",
            ],
        ),
        (
            FaultRule::odd(OddManner::EchoesVersion),
            "edns01",
            vec![
                "ODD_RCODE tests=edns1=status;edns1opt=status",
                "ODD_SOA_UNASKED tests=edns1=soa;edns1opt=soa",
                "ODD_VERSION tests=edns1=version;edns1opt=version",
            ],
        ),
        (
            FaultRule::odd(OddManner::EchoesOptions),
            "edns01",
            vec!["ODD_OPTION_ECHOED tests=ednsopt=echoed;edns1opt=echoed"],
        ),
        (
            FaultRule::odd(OddManner::EchoesFlags),
            "edns01",
            vec!["ODD_FLAGS_ECHOED tests=ednsflags=mbz"],
        ),
        (
            FaultRule::odd(OddManner::OmitsDo),
            "edns01",
            vec!["ODD_NO_DO tests=edns@512=nodo;do=nodo;ednstcp=nodo"],
        ),
        (
            FaultRule::of(Fault::Garbage).with(Feature::EdnsOption),
            "edns01",
            vec!["ODD_MALFORMED tests=ednsopt=malformed;edns1opt=malformed;optlist=malformed"],
        ),
        // no record at all, and no error: the options cost the zone its SOA record
        (
            FaultRule::of(Fault::Says).with(Feature::EdnsOption),
            "edns01",
            vec!["ODD_NO_SOA tests=ednsopt=nosoa;optlist=nosoa"],
        ),
        (
            FaultRule::odd(OddManner::EchoesBadVersion),
            "edns01",
            vec!["ODD_VERSION tests=edns1=version;edns1=badversion;edns1opt=version;edns1opt=badversion"],
        ),
        (
            FaultRule::odd(OddManner::UnaskedOpt),
            "edns01",
            vec!["ODD_OPT_UNASKED tests=dns=opt"],
        ),
        (
            FaultRule::odd(OddManner::EchoesHeaderFlags),
            "edns02",
            vec![
                "ODD_HEADER_FLAGS tests=zflag=z;opcodeflg=aa;opcodeflg=ra;opcodeflg=rd;opcodeflg=ad;opcodeflg=cd;opcodeflg=z",
            ],
        ),
        (
            FaultRule::of(Fault::UdpOnly),
            "edns01",
            vec!["ODD_NO_RESPONSE tests=ednstcp=timeout"],
        ),
    ] {
        let lab = pocket().await;
        rule(&lab, fault.clone());
        assert_eq!(said_of(&lab, "good.test", case).await, lines, "{fault:?}");
    }
    let lab = pocket().await;
    spoil(&lab, SPOILT, Fault::DropsEdns);
    let lines = said_of(&lab, "good.test", "edns01").await;
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(kinds, ["ODD_NO_OPT", "ODD_RCODE", "ODD_SOA_UNASKED"]);
}

#[tokio::test]
async fn a_dead_server_is_not_asked_the_odd_questions() {
    let lab = pocket().await;
    spoil(&lab, SPOILT, Fault::Silent);
    for case in ["edns01", "edns02", "edns04", "edns06", "edns09"] {
        assert_eq!(said_of(&lab, "good.test", case).await, [] as [&str; 0], "{case}");
    }
}

/// A world whose zone has a large text at its apex.
async fn large() -> Lab {
    let text: String = (0..11)
        .map(|n| format!("@ TXT \"{n:x}{}\"\n", "0123456789".repeat(11)))
        .collect();
    let apex = "@ 3600 SOA ns1 host 1 14400 3600 1209600 3600\n@ 3600 NS ns1\n@ 3600 NS ns2\nns1 3600 A 127.10.3.1\nns2 3600 A 127.10.3.2\n";
    let world = "name = 'large'\n[[server]]\nname = 'ns1.test'\naddresses = ['127.10.3.1']\nzones = ['.', 'test']\n\
                 [[server]]\nname = 'ns2.test'\naddresses = ['127.10.3.2']\nzones = ['test']\n\
                 [[zone]]\nname = '.'\nfile = 'root'\n[[zone]]\nname = 'test'\nfile = 'test'\nsigning = {}\n";
    let root = "@ 3600 SOA ns1.test. host.test. 1 14400 3600 1209600 3600\n@ 3600 NS ns1.test.\ntest. 3600 NS ns1.test.\n\
                test. 3600 NS ns2.test.\nns1.test. 3600 A 127.10.3.1\nns2.test. 3600 A 127.10.3.2\n";
    let test = format!("{apex}{text}");
    let world = World::from_parts(&[("world.toml", world), ("root", root), ("test", &test)]).unwrap();
    Lab::start(world, 0, noon()).await.unwrap()
}

#[tokio::test]
async fn answers_larger_than_their_room_are_found() {
    let lab = large().await;
    assert_eq!(said_of(&lab, "test", "edns03").await, [] as [&str; 0]);
    assert_eq!(said_of(&lab, "test", "edns05").await, [] as [&str; 0]);
    odd(&lab, OddManner::LargeBuffer);
    assert_eq!(
        said_of(&lab, "test", "edns03").await,
        ["E03_BUFFER_ABOVE_1232 size=4096"]
    );
    let lines = said_of(&lab, "test", "edns05").await;
    assert!(
        lines[0].starts_with("E05_SENDS_ABOVE_1232 question=test TXT size=1"),
        "{lines:?}"
    );

    let lab = large().await;
    odd(&lab, OddManner::LosesLarge);
    assert_eq!(
        said_of(&lab, "test", "edns05").await,
        ["E05_LARGE_ANSWER_LOST question=test DNSKEY"],
        "the text is too large for the server itself, which truncates"
    );
}

#[tokio::test]
async fn an_answer_beyond_the_room_that_was_announced_is_told_with_its_size() {
    let lab = pocket().await;
    odd(&lab, OddManner::TooLarge);
    let lines = said_of(&lab, "good.test", "edns03").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].starts_with("E03_RESPONSE_TOO_BIG question=good.test SOA room=512 size=6"),
        "{lines:?}"
    );
    assert_eq!(
        said_of(&lab, "good.test", "edns01").await,
        ["ODD_TOO_BIG tests=edns@512=toobig"]
    );
}

#[tokio::test]
async fn a_truncated_answer_that_cannot_be_had_over_tcp_is_told() {
    let lab = pocket().await;
    spoil(&lab, SPOILT, Fault::Truncates);
    assert_eq!(said_of(&lab, "good.test", "edns03").await, [] as [&str; 0]);
    spoil(&lab, SPOILT, Fault::UdpOnly);
    let lines = said_of(&lab, "good.test", "edns03").await;
    assert!(
        lines.contains(&"E03_TRUNCATED_WITHOUT_TCP question=good.test SOA".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn cookies_are_judged_as_their_standard_has_it() {
    for (manner, lines) in [
        (OddManner::Cookies, vec![]),
        (OddManner::RequiresCookies, vec![]),
        (OddManner::ForgetsCookies, vec!["E04_VALID_COOKIE_REFUSED"]),
        (OddManner::DropsCookies, vec!["E04_NO_COOKIE_OPTION"]),
        (OddManner::HalfCookies, vec!["E04_NO_SERVER_COOKIE"]),
        (OddManner::ForeignCookies, vec!["E04_CLIENT_COOKIE_MISMATCH"]),
        (OddManner::LongCookies, vec!["E04_COOKIE_INVALID_LENGTH length=44"]),
        (OddManner::UnaskedCookies, vec!["E04_GRATUITOUS_COOKIE length=24"]),
        (OddManner::LaxCookies, vec!["E04_MALFORMED_COOKIE_WITHOUT_FORMERR"]),
        (OddManner::DropsOptions, vec!["E04_NO_ANSWER_WITH_COOKIE"]),
    ] {
        let lab = pocket().await;
        odd(&lab, manner);
        assert_eq!(said_of(&lab, "good.test", "edns04").await, lines, "{manner:?}");
    }
}

#[tokio::test]
async fn a_server_that_need_not_see_cookies_is_told_apart_from_one_that_insists() {
    for (manner, tags) in [
        (
            OddManner::Cookies,
            vec![
                "E04_COOKIES",
                "E04_INVALID_SERVER_COOKIE_WITHOUT_BADCOOKIE",
                "E04_NO_SERVER_COOKIE_WITHOUT_BADCOOKIE",
            ],
        ),
        (OddManner::RequiresCookies, vec!["E04_COOKIES"]),
    ] {
        let lab = pocket().await;
        odd(&lab, manner);
        let findings = report(&internet(&lab).inquiry(), "good.test", "edns04").await.findings;
        let of_spoilt = findings.into_iter().map(|(_, finding)| finding);
        let of_spoilt = of_spoilt.filter(|finding| finding.args.get("ns").is_some_and(|ns| ns.contains(SPOILT)));
        let mut told: Vec<String> = of_spoilt.map(|finding| finding.tag).collect();
        told.sort();
        assert_eq!(told, tags, "{manner:?}");
    }
}

#[tokio::test]
async fn amplification_is_counted_in_octets_sent_back() {
    let lab = pocket().await;
    let findings = report(&internet(&lab).inquiry(), "good.test", "edns06").await.findings;
    let factors = findings
        .iter()
        .find(|(_, finding)| finding.tag == "E06_FACTORS")
        .unwrap();
    let factors = &factors.1.args["factors"];
    assert!(
        factors.starts_with("good.test/ANY@4096=") && factors.contains("./NS@1232=1.0"),
        "{factors}"
    );

    let lab = pocket().await;
    assert_eq!(tags(&said_of(&lab, "good.test", "edns06").await), ["E06_ANY_IN_FULL"]);
    odd(&lab, OddManner::MinimalAny);
    assert_eq!(said_of(&lab, "good.test", "edns06").await, [] as [&str; 0]);
    rule(&lab, FaultRule::of(Fault::Lame).at(model::Name::root()));
    assert!(tags(&said_of(&lab, "good.test", "edns06").await).contains(&"E06_GIVES_ROOT_AWAY"));

    let lab = large().await;
    odd(&lab, OddManner::LargeBuffer);
    assert_eq!(
        tags(&said_of(&lab, "test", "edns06").await),
        ["E06_ANY_IN_FULL", "E06_HIGH_AMPLIFICATION", "E06_HIGH_AMPLIFICATION"]
    );
}

fn tags(lines: &[String]) -> Vec<&str> {
    lines.iter().filter_map(|line| line.split(' ').next()).collect()
}

#[tokio::test]
async fn the_ladder_names_what_a_server_stumbles_over() {
    for (fault, lines) in [
        (
            FaultRule::odd(OddManner::LosesLarge),
            vec!["E09_ONLY_SMALLER question=good.test DNSKEY room=1232 trouble=timeout"],
        ),
        (
            FaultRule::odd(OddManner::DropsOptions),
            vec!["E09_ONLY_WITHOUT_OPTION option=3 question=good.test SOA trouble=timeout"],
        ),
        (
            FaultRule::odd(OddManner::RejectsOptions),
            vec!["E09_ONLY_WITHOUT_OPTION option=3 question=good.test SOA trouble=FORMERR"],
        ),
        (
            FaultRule::odd(OddManner::DropsDo),
            vec!["E09_ONLY_WITHOUT_DO question=good.test DNSKEY trouble=timeout"],
        ),
        (
            FaultRule::odd(OddManner::FailsOnDo),
            vec!["E09_ONLY_WITHOUT_DO question=good.test DNSKEY trouble=SERVFAIL"],
        ),
        (
            FaultRule::odd(OddManner::DropsWithoutEdns),
            vec!["E09_ONLY_WITH_EDNS question=good.test SOA trouble=timeout"],
        ),
        (
            FaultRule::odd(OddManner::DropsWithoutDo),
            vec!["E09_ONLY_WITH_DO question=good.test SOA trouble=timeout"],
        ),
        (
            FaultRule::odd(OddManner::DropsWithoutOption),
            vec!["E09_ONLY_WITH_OPTION option=10 question=good.test SOA trouble=timeout"],
        ),
        (
            FaultRule::odd(OddManner::RefusesWithoutRd),
            vec!["E09_ONLY_WITH_RD question=good.test SOA trouble=REFUSED"],
        ),
        (
            FaultRule::odd(OddManner::DropsRd),
            vec!["E09_ONLY_WITHOUT_RD question=xn--nameservertest.iis.se A trouble=timeout"],
        ),
        // signatures come all the same, which edns01 tells
        (FaultRule::odd(OddManner::OmitsOpt), vec![]),
        (
            FaultRule {
                edns: lab::EdnsManner::Silent,
                ..FaultRule::of(Fault::DropsEdns)
            },
            vec!["E09_ONLY_WITHOUT_EDNS question=good.test SOA trouble=timeout"],
        ),
        (
            FaultRule {
                edns: lab::EdnsManner::Formerr,
                ..FaultRule::of(Fault::DropsEdns)
            },
            vec!["E09_ONLY_WITHOUT_EDNS question=good.test SOA trouble=FORMERR"],
        ),
        (
            FaultRule {
                qtype: Some(measure::Rtype::DNSKEY),
                ..FaultRule::of(Fault::Silent)
            },
            vec!["E09_ONLY_OTHER_TYPES question=good.test DNSKEY trouble=timeout"],
        ),
        (
            FaultRule {
                qtype: Some(measure::Rtype::DNSKEY),
                ..FaultRule::of(Fault::Servfail)
            },
            vec!["E09_ONLY_OTHER_TYPES question=good.test DNSKEY trouble=SERVFAIL"],
        ),
        // the whole server is at fault, which other cases tell
        (FaultRule::of(Fault::Servfail), vec![]),
        (FaultRule::of(Fault::Refused), vec![]),
        (FaultRule::of(Fault::Silent), vec![]),
        (FaultRule::of(Fault::Truncates), vec![]),
    ] {
        let lab = pocket().await;
        rule(&lab, fault.clone());
        assert_eq!(said_of(&lab, "good.test", "edns09").await, lines, "{fault:?}");
    }
}

#[tokio::test]
async fn deep_cases_run_when_they_are_asked_for_and_not_else() {
    let lab = pocket().await;
    let inquiry = internet(&lab).inquiry();
    let findings = check(&inquiry, &CheckPlan::of(name("good.test")), noon())
        .await
        .findings;
    let ran = |case: &str| findings.iter().any(|(_, finding)| finding.case == case);
    for case in measure::cases::all().filter(|case| case.id.starts_with("edns")) {
        assert!(!case.deep || !ran(case.id), "{}", case.id);
    }
    assert!(ran("edns03") && ran("edns07"));
    assert!(!report(&inquiry, "good.test", "edns01").await.findings.is_empty());
}

#[tokio::test]
async fn a_default_check_of_a_sound_server_pays_one_question_for_all_of_this() {
    let questions = async |without: &[&str]| {
        let lab = pocket().await;
        let inquiry = internet(&lab).inquiry();
        let cases = measure::cases::all().filter(|case| !case.deep && !without.contains(&case.id));
        let plan = CheckPlan {
            cases: Some(cases.map(|case| case.id.to_owned()).collect()),
            profile: Profile::default(),
            ..CheckPlan::of(name("good.test"))
        };
        check(&inquiry, &plan, noon()).await;
        inquiry.exchanges().len()
    };
    let (with, without) = (
        questions(&[]).await,
        questions(&["edns03", "edns07", "edns08", "edns09", "edns10"]).await,
    );
    assert!(
        with - without <= 2,
        "{with} questions with them, {without} without, for two servers"
    );
}

#[tokio::test]
async fn odd_questions_are_judged_again_offline() {
    let lab = pocket().await;
    odd(&lab, OddManner::EchoesHeaderFlags);
    odd(&lab, OddManner::DropsOptions);
    let inquiry = internet(&lab).inquiry();
    for case in ["edns01", "edns02", "edns04", "edns09"] {
        let seen = report(&inquiry, "good.test", case).await;
        let restored = Inquiry::restore(&inquiry.save()).unwrap();
        let again = report(&restored, "good.test", case).await;
        let findings = |report: &Report| {
            report
                .findings
                .iter()
                .map(|(_, finding)| finding.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(findings(&again), findings(&seen), "{case}");
    }
}

/// A check of a zone whose only server is a scripted one.
async fn told_of(server: &Scripted, case: &str) -> Vec<String> {
    let plan = CheckPlan {
        undelegated: Some(Undelegated {
            ns: vec![(name("ns.example.test"), Some(HERE))],
            ds: Vec::new(),
        }),
        cases: Some(vec![case.to_owned()]),
        ..CheckPlan::of(name("example.test"))
    };
    let findings = check(&server.internet().inquiry(), &plan, noon()).await.findings;
    let told = findings.into_iter().filter(|(_, finding)| finding.level > Level::Info);
    told.map(|(_, finding)| finding.tag).collect()
}

#[tokio::test]
async fn a_version_with_a_known_weakness_is_told_unless_a_distribution_may_have_mended_it() {
    for (version, tags) in [
        ("9.20.17", vec!["E08_KNOWN_WEAKNESS"; 2]),
        ("9.16.50-Debian", vec![]),
        ("NSD 4.13.0", vec!["E08_KNOWN_WEAKNESS"]),
        ("go away", vec![]),
    ] {
        let server = Scripted::start(move |question| vec![Reply::FromHere(text_answer(question, version))]).await;
        assert_eq!(told_of(&server, "edns08").await, tags, "{version}");
    }
}

/// An answer with one TXT record in the class of the question.
fn text_answer(question: &[u8], text: &str) -> Vec<u8> {
    let end = name_end(question);
    let mut octets = question[..end + 4].to_vec();
    octets[2] = 0x84;
    octets[7] = 1;
    octets[11] = 0;
    octets.extend([0xc0, 12, 0, 16, 0, question[end + 3], 0, 0, 0, 0]);
    octets.extend([0, text.len() as u8 + 1, text.len() as u8]);
    octets.extend(text.as_bytes());
    octets
}

#[tokio::test]
async fn what_fails_once_and_then_works_is_told_as_chance() {
    let react = |question: &[u8]| {
        let room = name_end(question) + 4 + 3;
        match has_edns(question) && question[room..room + 2] == [2, 0] {
            true => Vec::new(),
            false => vec![Reply::FromHere(answer(question, [192, 0, 2, 1]))],
        }
    };
    let server = Scripted::start(react).await;
    assert_eq!(told_of(&server, "edns09").await, ["E09_INTERMITTENT"]);
}

#[tokio::test]
async fn a_server_that_answers_over_tcp_alone_is_told_so() {
    let lab = pocket().await;
    rule(&lab, FaultRule::odd(OddManner::DropsUdp));
    assert_eq!(
        said_of(&lab, "good.test", "edns09").await,
        ["E09_ONLY_OVER_TCP question=good.test SOA trouble=timeout"]
    );
}
