//! Proofs against the examples of the standards, and against anything at all.

use std::collections::BTreeSet;

use domain::base::Ttl;
use domain::base::iana::{Class, Nsec3HashAlgorithm, Rtype};
use domain::rdata::dnssec::RtypeBitmap;
use domain::rdata::nsec3::{Nsec3Salt, OwnerHash};
use domain::rdata::{Nsec, Nsec3};
use model::{AbsenceKind, Name};
use proptest::prelude::*;

use super::{AbsenceFault, Claim, contradiction, judge};
use crate::dnssec::Rrset;
use crate::record::Data;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn types(list: &[Rtype]) -> RtypeBitmap<Vec<u8>> {
    let mut builder = RtypeBitmap::<Vec<u8>>::builder();
    list.iter().for_each(|rtype| builder.add(*rtype).unwrap());
    builder.finalize()
}

fn set(owner: &str, data: Data) -> Rrset {
    let owner = name(owner);
    let rtype = domain::base::RecordData::rtype(&data);
    let record = domain::base::Record::new(owner.as_wire().clone(), Class::IN, Ttl::HOUR, data);
    Rrset {
        owner,
        rtype,
        ttl: 3600,
        records: vec![record],
        signatures: Vec::new(),
    }
}

fn nsec(owner: &str, next: &str, list: &[Rtype]) -> Rrset {
    set(owner, Data::Nsec(Nsec::new(name(next).as_wire().clone(), types(list))))
}

fn nsec3(owner: &str, next: &str, opt_out: bool, list: &[Rtype]) -> Rrset {
    let next: Vec<u8> = domain::utils::base32::decode_hex(next).unwrap();
    let data = Nsec3::new(
        Nsec3HashAlgorithm::SHA1,
        u8::from(opt_out),
        12,
        Nsec3Salt::from_octets(vec![0xaa, 0xbb, 0xcc, 0xdd]).unwrap(),
        OwnerHash::from_octets(next).unwrap(),
        types(list),
    );
    set(&format!("{owner}.example"), Data::Nsec3(data))
}

fn found(kind: AbsenceKind, of: &str, rtype: Rtype, wildcard: Option<&str>, sets: &[Rrset]) -> Vec<AbsenceFault> {
    let wildcard = wildcard.map(name);
    let claim = Claim {
        zone: &name("example"),
        name: &name(of),
        rtype,
        kind,
        wildcard: wildcard.as_ref(),
    };
    let sets: Vec<&Rrset> = sets.iter().collect();
    judge(claim, &sets).into_iter().collect()
}

const NOTHING: [AbsenceFault; 0] = [];

#[test]
fn the_nsec_examples_of_the_standard_hold() {
    // RFC 4035 appendix B, by the names of its sections.
    let name_error = [
        nsec("b.example", "ns1.example", &[Rtype::NS, Rtype::RRSIG, Rtype::NSEC]),
        nsec("example", "a.example", &[Rtype::NS, Rtype::SOA, Rtype::MX]),
    ];
    assert_eq!(
        found(AbsenceKind::NoName, "ml.example", Rtype::A, None, &name_error),
        NOTHING
    );
    let no_data = [nsec(
        "ns1.example",
        "ns2.example",
        &[Rtype::A, Rtype::RRSIG, Rtype::NSEC],
    )];
    assert_eq!(
        found(AbsenceKind::NoType, "ns1.example", Rtype::MX, None, &no_data),
        NOTHING
    );
    let unsigned = [nsec(
        "b.example",
        "ns1.example",
        &[Rtype::NS, Rtype::RRSIG, Rtype::NSEC],
    )];
    assert_eq!(
        found(AbsenceKind::NoDs, "b.example", Rtype::DS, None, &unsigned),
        NOTHING
    );
    let expansion = [nsec(
        "x.y.w.example",
        "xx.example",
        &[Rtype::MX, Rtype::RRSIG, Rtype::NSEC],
    )];
    assert_eq!(
        found(
            AbsenceKind::Wildcard,
            "a.z.w.example",
            Rtype::MX,
            Some("*.w.example"),
            &expansion
        ),
        NOTHING
    );
    let no_data_at_wildcard = [
        expansion[0].clone(),
        nsec("*.w.example", "x.w.example", &[Rtype::MX, Rtype::RRSIG, Rtype::NSEC]),
    ];
    assert_eq!(
        found(
            AbsenceKind::NoType,
            "a.z.w.example",
            Rtype::AAAA,
            None,
            &no_data_at_wildcard
        ),
        NOTHING
    );
    assert_eq!(
        found(
            AbsenceKind::NoType,
            "a.z.w.example",
            Rtype::MX,
            None,
            &no_data_at_wildcard
        ),
        [AbsenceFault::TypeListed]
    );
}

#[test]
fn the_nsec3_examples_of_the_standard_hold() {
    // RFC 5155 appendix B, by the names of its sections; the zone of appendix A.
    let apex = nsec3(
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
        "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
        true,
        &[Rtype::NS, Rtype::SOA, Rtype::MX, Rtype::DNSKEY, Rtype::NSEC3PARAM],
    );
    let name_error = [
        apex.clone(),
        nsec3(
            "b4um86eghhds6nea196smvmlo4ors995",
            "gjeqe526plbf1g8mklp59enfd789njgi",
            true,
            &[Rtype::MX, Rtype::RRSIG],
        ),
        nsec3(
            "35mthgpgcu1qg68fab165klnsnk3dpvl",
            "b4um86eghhds6nea196smvmlo4ors995",
            true,
            &[Rtype::NS, Rtype::DS, Rtype::RRSIG],
        ),
    ];
    assert_eq!(
        found(AbsenceKind::NoName, "a.c.x.w.example", Rtype::A, None, &name_error),
        NOTHING
    );
    let no_data = [nsec3(
        "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
        "2vptu5timamqttgl4luu9kg21e0aor3s",
        true,
        &[Rtype::A, Rtype::RRSIG],
    )];
    assert_eq!(
        found(AbsenceKind::NoType, "ns1.example", Rtype::MX, None, &no_data),
        NOTHING
    );
    let opt_out = [
        nsec3(
            "35mthgpgcu1qg68fab165klnsnk3dpvl",
            "b4um86eghhds6nea196smvmlo4ors995",
            true,
            &[Rtype::NS, Rtype::DS, Rtype::RRSIG],
        ),
        apex,
    ];
    assert_eq!(
        found(AbsenceKind::NoDs, "c.example", Rtype::DS, None, &opt_out),
        NOTHING
    );
    let expansion = [nsec3(
        "q04jkcevqvmu85r014c7dkba38o0ji5r",
        "r53bq7cc2uvmubfu5ocmm6pers9tk9en",
        true,
        &[Rtype::A, Rtype::RRSIG],
    )];
    assert_eq!(
        found(
            AbsenceKind::Wildcard,
            "a.z.w.example",
            Rtype::MX,
            Some("*.w.example"),
            &expansion
        ),
        NOTHING
    );
}

#[test]
fn an_empty_non_terminal_is_proven_by_what_is_below_it() {
    let sets = [nsec("a.example", "x.between.example", &[Rtype::A])];
    assert_eq!(
        found(AbsenceKind::NoType, "between.example", Rtype::A, None, &sets),
        NOTHING
    );
    let refs: Vec<&Rrset> = sets.iter().collect();
    assert_eq!(
        contradiction(&name("example"), &name("between.example"), Rtype::A, &refs),
        None
    );
}

#[test]
fn what_stands_above_a_cut_proves_nothing_of_what_is_below() {
    // RFC 6840 §4.1: an NSEC of a delegation or of a DNAME.
    for list in [&[Rtype::NS][..], &[Rtype::DNAME]] {
        let sets = [nsec("b.example", "z.example", list)];
        assert_eq!(
            found(AbsenceKind::NoName, "x.b.example", Rtype::A, None, &sets),
            [AbsenceFault::NameNotCovered]
        );
    }
}

fn rtypes() -> impl Strategy<Value = Vec<Rtype>> {
    let known = vec![Rtype::NS, Rtype::SOA, Rtype::DS, Rtype::A, Rtype::CNAME, Rtype::DNAME];
    prop::collection::vec(prop::sample::select(known), 0..4)
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        ".",
        "example",
        "a.example",
        "*.example",
        "b.a.example",
        "z.example",
        "other",
        "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example",
    ])
}

proptest! {
    #[test]
    fn any_records_prove_something_or_nothing_without_panic(
        of in names(), rtype in prop::sample::select(vec![Rtype::A, Rtype::DS, Rtype::SOA]),
        kind in prop::sample::select(vec![AbsenceKind::NoName, AbsenceKind::NoType, AbsenceKind::Wildcard, AbsenceKind::NoDs]),
        wildcard in prop::option::of(names()),
        plain in prop::collection::vec((names(), names(), rtypes()), 0..4),
        hashed in prop::collection::vec((names(), prop::collection::vec(any::<u8>(), 0..24), any::<u8>(), 0..200_u16, rtypes()), 0..4),
    ) {
        let mut sets: Vec<Rrset> = plain.iter().map(|(owner, next, list)| nsec(owner, next, list)).collect();
        sets.extend(hashed.iter().map(|(owner, next, algorithm, iterations, list)| {
            let data = Nsec3::new(
                Nsec3HashAlgorithm::from_int(algorithm % 3), *algorithm, *iterations,
                Nsec3Salt::from_octets(vec![*algorithm]).unwrap(),
                OwnerHash::from_octets(next.clone()).unwrap(), types(list),
            );
            set(owner, Data::Nsec3(data))
        }));
        let faults = found(kind, of, rtype, wildcard, &sets);
        prop_assert!(!sets.is_empty() || faults == [AbsenceFault::NoProof]);
        let refs: Vec<&Rrset> = sets.iter().collect();
        let _ = contradiction(&name("example"), &name(of), rtype, &refs);
    }

    /// A sound proof of one name never proves the absence of the names at the ends of its spans.
    #[test]
    fn no_proof_denies_its_own_owner(owner in names(), next in names(), list in rtypes()) {
        let sets = [nsec(owner, next, &list)];
        let faults: BTreeSet<_> = found(AbsenceKind::NoName, owner, Rtype::A, None, &sets).into_iter().collect();
        prop_assert!(faults.contains(&AbsenceFault::NameNotCovered));
    }
}
