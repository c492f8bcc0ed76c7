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

/// Which records the type list at a zone's apex must and must not name, seen from a proof that `absent` is not there.
///
/// An apex has SOA, NS and DNSKEY, the list names its own kind where it is NSEC, and it cannot name what it
/// proves absent.
pub fn apex_types_are_sound(types: &RtypeBitmap<Vec<u8>>, must: &[Rtype], must_not: &[Rtype]) -> bool {
    must.iter().all(|rtype| types.contains(*rtype)) && !must_not.iter().any(|rtype| types.contains(*rtype))
}
