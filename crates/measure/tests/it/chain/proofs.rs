//! chain05: each thing that can be wrong with a proof of absence, really signed, at one server alone.

use domain::base::iana::{OptRcode, Rtype};
use domain::rdata::{A, ZoneRecordData};
use lab::{Answer, Forger, Record};
use model::{AbsenceKind, Security};

use super::forge::{Proof, SECOND, change, forger, no_such_name, nsec, record, renamed, replace_proofs, sign, signed};
use super::{chain, said};
use crate::case_in_lab::pocket;

const AT_SECOND: &str = "ns_list=ns2.good.test/127.10.3.2";

/// What a test puts in place of the proofs in an answer.
type Proofs = fn() -> Vec<Record>;

/// Gives the second server other proofs for a question in `zone`, and looks for these tags and no others of chain05.
async fn follow(zone: &'static str, question: (&str, Rtype), proofs: Proofs, tags: &[&str]) {
    follow_change(
        zone,
        question,
        move |key, answer| {
            let proofs = proofs().into_iter().map(|proof| signed(key, vec![proof]));
            replace_proofs(answer, proofs.collect());
        },
        tags,
    )
    .await;
}

async fn follow_change(
    zone: &'static str,
    question: (&str, Rtype),
    how: impl Fn(&Forger, &mut Answer) + Send + Sync + 'static,
    tags: &[&str],
) {
    let lab = pocket().await;
    let key = forger(&lab, zone);
    change(&lab, SECOND, question, move |answer| how(&key, answer));
    let lines = said(&lab, zone).await;
    let found: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("CH05_"))
        .map(|line| {
            assert!(line.contains(AT_SECOND), "{line}");
            line.split(' ').next().unwrap()
        })
        .collect();
    assert_eq!(found, tags, "{question:?}: {lines:?}");
    // who proves wrongly is refused; who proves rightly, as the other server does, is not
    let chain = chain(&lab, zone).await;
    assert_eq!(chain.state, Security::Secure);
    let absences = &chain.links[2].absences;
    let at_second = |absence: &&model::AbsenceState| absence.servers.contains(&SECOND.parse().unwrap());
    let asked = absences
        .iter()
        .filter(|absence| absence.name.to_string() == question.0 && absence.rtype == question.1.to_int());
    for absence in asked.filter(at_second) {
        let mild = ["CH05_LAST_NSEC_NOT_TO_APEX", "CH05_SOA_MISSING", "CH05_SOA_NOT_OF_ZONE"];
        let expected = match tags {
            [] => Security::Secure,
            [tag] if mild.contains(tag) => Security::Secure,
            [tag] if tag.starts_with("CH05_EXISTING") => continue,
            ["CH05_NSEC3_HASH_UNKNOWN" | "CH05_NSEC3_TOO_MANY_ITERATIONS"] => Security::Insecure,
            _ => Security::Bogus,
        };
        assert_eq!(absence.state, expected, "{tags:?}");
    }
}

#[tokio::test]
async fn nsec_that_does_not_prove_that_a_name_is_absent_is_named() {
    let name = no_such_name("shop.example");
    let question = (name.as_str(), Rtype::A);
    let zone = "shop.example";
    follow(zone, question, Vec::new, &["CH05_NO_PROOF_FOR_NXDOMAIN"]).await;
    follow(
        zone,
        question,
        || {
            vec![nsec(
                "www.shop.example",
                "shop.example",
                &[Rtype::A, Rtype::RRSIG, Rtype::NSEC],
            )]
        },
        &["CH05_NAME_NOT_COVERED"],
    )
    .await;
    follow(
        zone,
        question,
        || vec![nsec("a.shop.example", "z.shop.example", &[Rtype::A])],
        &["CH05_WILDCARD_NOT_COVERED"],
    )
    .await;
    follow(
        zone,
        question,
        || {
            vec![
                nsec("shop.example", "deep.below.here.shop.example", APEX),
                nsec("www.shop.example", "a.shop.example", &[Rtype::A]),
            ]
        },
        &["CH05_LAST_NSEC_NOT_TO_APEX"],
    )
    .await;
}

/// The types at the apex of shop.example.
const APEX: &[Rtype] = &[Rtype::NS, Rtype::SOA, Rtype::RRSIG, Rtype::NSEC, Rtype::DNSKEY];

#[tokio::test]
async fn nsec_that_does_not_prove_that_a_type_is_absent_is_named() {
    let question = ("shop.example", Rtype::MX);
    let zone = "shop.example";
    follow(zone, question, Vec::new, &["CH05_NO_PROOF_FOR_NODATA"]).await;
    follow(
        zone,
        question,
        || vec![nsec("www.shop.example", "shop.example", &[Rtype::A])],
        &["CH05_NO_MATCH_FOR_NAME"],
    )
    .await;
    follow(
        zone,
        question,
        || {
            vec![nsec(
                "shop.example",
                "deep.below.here.shop.example",
                &[APEX, &[Rtype::MX]].concat(),
            )]
        },
        &["CH05_TYPE_IN_BITMAP"],
    )
    .await;
    // the name is denied, and the answer only denies the type
    let name = no_such_name("shop.example");
    follow_change(
        zone,
        (name.as_str(), Rtype::A),
        |_, answer| answer.rcode = OptRcode::NOERROR,
        &["CH05_NAME_COVERED"],
    )
    .await;
}

#[tokio::test]
async fn a_proof_that_denies_what_exists_is_named() {
    let without_ns = || vec![nsec("shop.example", "deep.below.here.shop.example", &APEX[1..])];
    follow(
        "shop.example",
        ("shop.example", Rtype::MX),
        without_ns,
        &["CH05_EXISTING_TYPE_NOT_IN_BITMAP"],
    )
    .await;
    follow_change(
        "good.test",
        ("good.test", Rtype::CAA),
        |key, answer| {
            let covering = Proof::over("good.test", "good.test").record();
            answer.authority.extend(signed(key, vec![covering]));
        },
        &["CH05_EXISTING_NAME_COVERED"],
    )
    .await;
}

#[tokio::test]
async fn a_negative_answer_without_its_soa_is_named() {
    let name = no_such_name("shop.example");
    let is_soa = |record: &Record| record.rtype() == Rtype::SOA || is_over(record, Rtype::SOA);
    for question in [("shop.example", Rtype::MX), (name.as_str(), Rtype::A)] {
        follow_change(
            "shop.example",
            question,
            move |_, answer| answer.authority.retain(|record| !is_soa(record)),
            &["CH05_SOA_MISSING"],
        )
        .await;
        follow_change(
            "shop.example",
            question,
            move |key, answer| {
                let soa = answer.authority.iter().find(|record| record.rtype() == Rtype::SOA);
                let foreign = renamed(soa.unwrap(), "www.shop.example");
                answer.authority.retain(|record| !is_soa(record));
                answer.authority.extend(signed(key, vec![foreign]));
            },
            &["CH05_SOA_NOT_OF_ZONE"],
        )
        .await;
    }
}

fn is_over(record: &Record, rtype: Rtype) -> bool {
    matches!(record.data(), ZoneRecordData::Rrsig(rrsig) if rrsig.type_covered() == rtype)
}

/// Answers a name that does not exist from a wildcard at the apex, with these proofs.
async fn expand(proofs: Proofs, tags: &[&str]) {
    let name = no_such_name("shop.example");
    let asked = name.clone();
    follow_change(
        "shop.example",
        (name.as_str(), Rtype::A),
        move |key, answer| {
            let data = ZoneRecordData::A(A::new([127, 10, 3, 9].into()));
            let source = record("*.shop.example", 3600, data);
            let signature = sign(key, std::slice::from_ref(&source));
            answer.rcode = OptRcode::NOERROR;
            answer.answer = vec![renamed(&source, &asked), renamed(&signature, &asked)];
            answer.authority = proofs()
                .into_iter()
                .flat_map(|proof| signed(key, vec![proof]))
                .collect();
        },
        tags,
    )
    .await;
}

#[tokio::test]
async fn an_answer_from_a_wildcard_needs_the_right_proof() {
    expand(|| vec![nsec("a.shop.example", "z.shop.example", &[Rtype::A])], &[]).await;
    expand(Vec::new, &["CH05_NO_PROOF_FOR_WILDCARD"]).await;
    expand(
        || vec![nsec("www.shop.example", "shop.example", &[Rtype::A])],
        &["CH05_NAME_NOT_COVERED"],
    )
    .await;
    expand(
        || vec![nsec("%.shop.example", "z.shop.example", &[Rtype::A])],
        &["CH05_WILDCARD_COVERED"],
    )
    .await;
    expand(
        || {
            vec![nsec(
                "a.shop.example",
                "x.dnscert-no-such-name.shop.example",
                &[Rtype::A],
            )]
        },
        &["CH05_WILDCARD_EXPANSION_INVALID"],
    )
    .await;
}

/// The types at the apex of good.test.
const GOOD: &[Rtype] = &[
    Rtype::NS,
    Rtype::SOA,
    Rtype::MX,
    Rtype::RRSIG,
    Rtype::DNSKEY,
    Rtype::NSEC3PARAM,
];

#[tokio::test]
async fn nsec3_that_does_not_prove_that_a_name_is_absent_is_named() {
    let name = no_such_name("good.test");
    let question = (name.as_str(), Rtype::A);
    follow(
        "good.test",
        question,
        || vec![over("dnscert-no-such-name.good.test"), over("*.good.test")],
        &["CH05_NO_CLOSEST_ENCLOSER"],
    )
    .await;
    follow(
        "good.test",
        question,
        || vec![at_apex(), over("*.good.test")],
        &["CH05_NEXT_CLOSER_NOT_COVERED"],
    )
    .await;
    follow(
        "good.test",
        question,
        || vec![at_apex(), over("dnscert-no-such-name.good.test")],
        &["CH05_WILDCARD_NOT_COVERED"],
    )
    .await;
    follow(
        "good.test",
        question,
        || vec![at_apex(), over("dnscert-no-such-name.good.test"), over("*.good.test")],
        &[],
    )
    .await;
}

#[tokio::test]
async fn nsec3_that_does_not_prove_that_a_type_is_absent_is_named() {
    let question = ("good.test", Rtype::CAA);
    follow("good.test", question, Vec::new, &["CH05_NO_PROOF_FOR_NODATA"]).await;
    follow(
        "good.test",
        question,
        || vec![over("*.good.test")],
        &["CH05_NO_MATCH_FOR_NAME"],
    )
    .await;
    follow(
        "good.test",
        question,
        || vec![Proof::at("good.test", "good.test", &[GOOD, &[Rtype::CAA]].concat()).record()],
        &["CH05_TYPE_IN_BITMAP"],
    )
    .await;
}

fn over(name: &str) -> Record {
    Proof::over("good.test", name).record()
}

fn at_apex() -> Record {
    Proof::at("good.test", "good.test", GOOD).record()
}

#[tokio::test]
async fn nsec3_that_is_not_well_formed_is_named() {
    let question = ("good.test", Rtype::CAA);
    let zone = "good.test";
    follow(
        zone,
        question,
        || {
            let mut proof = Proof::at("good.test", "good.test", GOOD);
            proof.span.1.pop();
            vec![at_apex(), proof.record()]
        },
        &["CH05_NSEC3_HASH_INVALID"],
    )
    .await;
    follow(
        zone,
        question,
        || vec![at_apex(), renamed(&at_apex(), "no-hash.good.test")],
        &["CH05_NSEC3_OWNER_INVALID"],
    )
    .await;
    follow(
        zone,
        question,
        || {
            let proof = Proof {
                algorithm: 2,
                ..Proof::at("good.test", "good.test", GOOD)
            };
            vec![proof.record()]
        },
        &["CH05_NSEC3_HASH_UNKNOWN"],
    )
    .await;
    follow(
        zone,
        question,
        || {
            let proof = Proof {
                iterations: 151,
                ..Proof::at("good.test", "good.test", GOOD)
            };
            vec![proof.record()]
        },
        &["CH05_NSEC3_TOO_MANY_ITERATIONS"],
    )
    .await;
}

/// Gives the second server of `test` other proofs that plain.test has no DS.
async fn no_ds(proofs: Proofs, tag: Option<&str>, state: Security) {
    let lab = pocket().await;
    for server in ["127.10.1.1", "127.10.1.2"] {
        let key = forger(&lab, "test");
        change(&lab, server, ("plain.test", Rtype::DS), move |answer| {
            let proofs = proofs().into_iter().map(|proof| signed(&key, vec![proof]));
            replace_proofs(answer, proofs.collect());
        });
    }
    let lines = said(&lab, "plain.test").await;
    let found: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("CH05_"))
        .map(String::as_str)
        .collect();
    let servers = "ns_list=ns1.nic.test/127.10.1.1;ns2.nic.test/127.10.1.2";
    let expected: Vec<String> = tag
        .map(|tag| format!("{tag} domain=plain.test {servers} rrtype=DS zone=test"))
        .into_iter()
        .collect();
    assert_eq!(found, expected, "{lines:?}");
    let chain = chain(&lab, "plain.test").await;
    assert_eq!(chain.state, state, "{tag:?}");
    assert!(
        chain.links[1]
            .absences
            .iter()
            .all(|absence| absence.kind == AbsenceKind::NoDs)
    );
}

#[tokio::test]
async fn an_unsigned_delegation_needs_the_right_proof() {
    no_ds(Vec::new, Some("CH05_NO_PROOF_FOR_NO_DS"), Security::Bogus).await;
    no_ds(
        || vec![Proof::at("test", "plain.test", &[Rtype::NS, Rtype::SOA]).record()],
        Some("CH05_DELEGATION_WITH_SOA"),
        Security::Bogus,
    )
    .await;
    no_ds(
        || vec![Proof::at("test", "plain.test", &[Rtype::NS, Rtype::DS]).record()],
        Some("CH05_DELEGATION_WITH_DS"),
        Security::Bogus,
    )
    .await;
    no_ds(
        || vec![Proof::at("test", "plain.test", &[Rtype::A]).record()],
        Some("CH05_DELEGATION_WITHOUT_NS"),
        Security::Bogus,
    )
    .await;
    no_ds(
        || {
            vec![
                Proof::at("test", "test", &[Rtype::NS, Rtype::SOA]).record(),
                Proof::over("test", "plain.test").record(),
            ]
        },
        Some("CH05_OPT_OUT_NOT_SET"),
        Security::Bogus,
    )
    .await;
    no_ds(
        || {
            let span = Proof {
                opt_out: true,
                ..Proof::over("test", "plain.test")
            };
            vec![
                Proof::at("test", "test", &[Rtype::NS, Rtype::SOA]).record(),
                span.record(),
            ]
        },
        None,
        Security::Insecure,
    )
    .await;
}
