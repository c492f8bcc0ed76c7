//! ZONEMD: the digest of a whole zone (RFC 8976).

use domain::base::rdata::ComposeRecordData as _;
use domain::base::{CanonicalOrd as _, ToName as _};
use model::Name;
use model::zonemd::ZoneDigest;
pub use model::zonemd::{Integrity, Zonemd, ZonemdFault, faults};

use super::rrset::Signable;
use crate::record::Data;

/// Reads record data of type ZONEMD; `None` when it does not have the form.
pub fn zonemd(data: &Data) -> Option<Zonemd> {
    let Data::Zonemd(zonemd) = data else { return None };
    Some(Zonemd {
        serial: zonemd.serial().into_int(),
        scheme: zonemd.scheme().to_int(),
        algorithm: zonemd.algorithm().to_int(),
        digest: zonemd.digest().clone(),
    })
}

/// Compares all records of a zone, as transferred, with its ZONEMD (RFC 8976 §4).
///
/// Whether the ZONEMD records are signed is judged apart.
pub fn verify(apex: &Name, records: &[Signable]) -> Integrity {
    let at_apex = |record: &&Signable| record.owner().name_eq(apex.as_wire());
    let serial = records.iter().filter(at_apex).find_map(|record| match record.data() {
        Data::Soa(soa) => Some(soa.serial().into_int()),
        _ => None,
    });
    let digests: Vec<Zonemd> = records
        .iter()
        .filter(at_apex)
        .filter_map(|record| zonemd(record.data()))
        .collect();
    let algorithms = digests.iter().map(|zonemd| zonemd.algorithm);
    digested(apex, records, algorithms).compare(&digests, serial)
}

/// The digest of a zone by scheme SIMPLE (RFC 8976 §3.3.1); `None` for an algorithm that cannot be computed here.
pub fn digest(apex: &Name, records: &[Signable], algorithm: u8) -> Option<Vec<u8>> {
    digested(apex, records, [algorithm]).digests().remove(&algorithm)
}

fn digested(apex: &Name, records: &[Signable], algorithms: impl IntoIterator<Item = u8>) -> ZoneDigest {
    let mut sorted: Vec<&Signable> = records.iter().collect();
    sorted.sort_by(|a, b| {
        a.owner()
            .name_cmp(b.owner())
            .then_with(|| a.rtype().to_int().cmp(&b.rtype().to_int()))
            .then_with(|| a.data().canonical_cmp(b.data()))
    });
    let mut digest = ZoneDigest::new(apex, algorithms);
    for record in sorted {
        let mut rdata = Vec::new();
        let Ok(()) = record.data().compose_canonical_rdata(&mut rdata);
        let owner = Name::from_wire(record.owner());
        digest.push(&owner, record.rtype(), record.ttl().as_secs(), &rdata);
    }
    digest
}

#[cfg(test)]
mod tests {
    use domain::base::Ttl;
    use domain::base::iana::Class;
    use domain::rdata::{A, Aaaa, Ns, Soa};
    use proptest::prelude::*;

    use super::*;
    use crate::record::OwnedName;

    fn name(text: &str) -> OwnedName {
        text.parse().unwrap()
    }

    fn record(owner: &str, ttl: u32, data: Data) -> Signable {
        Signable::new(name(owner), Class::IN, Ttl::from_secs(ttl), data)
    }

    fn zonemd(serial: u32, digest: &[u8]) -> Data {
        Data::Zonemd(domain::rdata::Zonemd::new(
            serial.into(),
            1.into(),
            1.into(),
            digest.to_vec(),
        ))
    }

    /// The simple zone of RFC 8976, appendix A.1.
    fn example() -> (Name, Vec<Signable>) {
        let digest = "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c";
        let digest: Vec<u8> = (0..digest.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digest[at..at + 2], 16).unwrap())
            .collect();
        let soa = Soa::new(
            name("ns1.example."),
            name("admin.example."),
            2_018_031_900.into(),
            Ttl::from_secs(1800),
            Ttl::from_secs(900),
            Ttl::from_secs(604_800),
            Ttl::from_secs(86_400),
        );
        let records = vec![
            record("example.", 86_400, Data::Soa(soa)),
            record("example.", 86_400, Data::Ns(Ns::new(name("ns1.example.")))),
            record("example.", 86_400, Data::Ns(Ns::new(name("ns2.example.")))),
            record("example.", 86_400, zonemd(2_018_031_900, &digest)),
            record("ns1.example.", 3_600, Data::A(A::from_octets(203, 0, 113, 63))),
            record(
                "ns2.example.",
                3_600,
                Data::Aaaa(Aaaa::new("2001:db8::63".parse().unwrap())),
            ),
        ];
        ("example".parse().unwrap(), records)
    }

    #[test]
    fn the_example_of_the_standard_is_whole_in_any_order() {
        let (apex, mut records) = example();
        assert_eq!(verify(&apex, &records), Integrity::Whole);
        records.reverse();
        // a record that is there twice counts once, as in any RRset
        records.push(records[0].clone());
        assert_eq!(verify(&apex, &records), Integrity::Whole);
    }

    #[test]
    fn a_record_more_less_or_changed_breaks_the_zone() {
        let (apex, records) = example();
        let mut less = records.clone();
        less.pop();
        assert_eq!(verify(&apex, &less), Integrity::Broken);
        let mut more = records.clone();
        more.push(record("ns3.example.", 3_600, Data::A(A::from_octets(203, 0, 113, 64))));
        assert_eq!(verify(&apex, &more), Integrity::Broken);
        let mut changed = records.clone();
        changed[4].set_ttl(Ttl::from_secs(7));
        assert_eq!(verify(&apex, &changed), Integrity::Broken);
        let outside = record("www.other.", 60, Data::A(A::from_octets(203, 0, 113, 65)));
        let with_outside: Vec<_> = records.into_iter().chain([outside]).collect();
        assert_eq!(verify(&apex, &with_outside), Integrity::Whole);
    }

    #[test]
    fn a_digest_of_another_serial_or_twice_does_not_count() {
        let (apex, mut records) = example();
        let right = records[3].clone();
        records[3] = record("example.", 86_400, zonemd(7, &[1; 48]));
        assert_eq!(verify(&apex, &records), Integrity::OtherSerial(7));
        records[3] = right;
        records.push(record("example.", 86_400, zonemd(2_018_031_900, &[1; 48])));
        assert_eq!(verify(&apex, &records), Integrity::Twice(1));
        assert_eq!(verify(&apex, &[]), Integrity::Unknown);
    }

    proptest! {
        #[test]
        fn any_records_are_compared_without_panic(
            rows in prop::collection::vec((prop::sample::select(vec!["example.", "a.example.", "b."]), any::<u8>(), any::<u32>()), 0..12),
        ) {
            let records: Vec<Signable> = rows.iter().map(|(owner, octet, ttl)| {
                record(owner, *ttl, match octet % 3 {
                    0 => zonemd(*ttl, &[*octet; 48]),
                    1 => Data::A(A::from_octets(192, 0, 2, *octet)),
                    _ => Data::Ns(Ns::new(name("ns.example."))),
                })
            }).collect();
            prop_assert_ne!(verify(&"example".parse().unwrap(), &records), Integrity::Whole);
        }
    }
}
