//! Proofs of absence: NSEC3 owner hashes (RFC 5155 §5) and the type lists at a zone's apex.

use domain::base::Rtype;
use domain::base::iana::Nsec3HashAlgorithm;
use domain::dnssec::common::nsec3_hash;
use domain::rdata::Nsec3param;
use domain::rdata::dnssec::RtypeBitmap;
use domain::rdata::nsec3::OwnerHash;
use model::Name;

/// The owner name of the NSEC3 record that belongs to `name` in `zone`.
///
/// `None` when the hash algorithm is unknown (only SHA-1 has a number) or the name would become too long.
/// The cost grows with the iterations of `param`, at most 65,535 rounds of SHA-1.
pub fn nsec3_owner(name: &Name, zone: &Name, param: &Nsec3param<Vec<u8>>) -> Option<Name> {
    if param.hash_algorithm() != Nsec3HashAlgorithm::SHA1 {
        return None;
    }
    let hash: OwnerHash<Vec<u8>> =
        nsec3_hash(name.as_wire(), param.hash_algorithm(), param.iterations(), param.salt()).ok()?;
    zone.child(&hash.to_string().to_ascii_lowercase()).ok()
}

/// Whether a type list holds all of `must` and none of `must_not`.
pub fn lists(types: &RtypeBitmap<Vec<u8>>, must: &[Rtype], must_not: &[Rtype]) -> bool {
    must.iter().all(|rtype| types.contains(*rtype)) && !must_not.iter().any(|rtype| types.contains(*rtype))
}

#[cfg(test)]
mod tests {
    use domain::rdata::nsec3::Nsec3Salt;
    use proptest::prelude::*;

    use super::*;

    fn param(algorithm: u8, iterations: u16, salt: &[u8]) -> Nsec3param<Vec<u8>> {
        let salt = Nsec3Salt::from_octets(salt.to_vec()).unwrap();
        Nsec3param::new(Nsec3HashAlgorithm::from_int(algorithm), 0, iterations, salt)
    }

    #[test]
    fn the_hash_of_a_name_is_the_one_another_program_finds() {
        // Made with dnspython 2.3: dns.dnssec.nsec3_hash("example.", "AABBCCDD", 12, 1) and ("a.example.", None, 0, 1).
        let name = |text: &str| text.parse::<Name>().unwrap();
        let salted = param(1, 12, &[0xaa, 0xbb, 0xcc, 0xdd]);
        assert_eq!(
            nsec3_owner(&name("example"), &name("example"), &salted),
            Some(name("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example"))
        );
        assert_eq!(
            nsec3_owner(&name("A.example"), &name("example"), &param(1, 0, &[])),
            Some(name("6cd522290vma0nr8lqu1ivtcofj94rga.example"))
        );
        assert_eq!(nsec3_owner(&name("example"), &name("example"), &param(2, 0, &[])), None);
    }

    #[test]
    fn a_type_list_is_read_both_ways() {
        let mut builder = RtypeBitmap::<Vec<u8>>::builder();
        builder.add(Rtype::SOA).unwrap();
        builder.add(Rtype::NSEC).unwrap();
        let types = builder.finalize();
        assert!(lists(&types, &[Rtype::SOA], &[Rtype::NSEC3]));
        assert!(!lists(&types, &[Rtype::SOA, Rtype::NS], &[]));
        assert!(!lists(&types, &[Rtype::SOA], &[Rtype::NSEC]));
    }

    proptest! {
        #[test]
        fn any_settings_hash_or_do_not(algorithm: u8, iterations in 0..600_u16, salt in prop::collection::vec(any::<u8>(), 0..255)) {
            let zone: Name = "example".parse().unwrap();
            let owner = nsec3_owner(&zone, &zone, &param(algorithm, iterations, &salt));
            prop_assert_eq!(owner.is_some(), algorithm == 1);
        }
    }
}
