//! Everything that is wrong with a signature over an RRset, not only what a resolver would stumble over first.

use model::{Name, Timestamp};

use super::key::{has_zone_flag, is_revoked, tagged};
use super::rrset::{Rrset, Signature};
use super::signature::{self, Proof, Validity, signed_labels};
use super::{Algorithm, Dnskey, Rrsig, key};

/// How far clocks of resolvers are taken to be wrong, in seconds. Chosen by us, as Kerberos does (RFC 4120 §10): a
/// signature that begins or ends closer to now already fails somewhere. More would warn of zones that are run well.
pub const CLOCK_SKEW_SECS: i64 = 300;

/// One thing that is wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureFault {
    /// The signer is not the zone that holds the RRset (RFC 4035 §5.3.1).
    SignerNotZone,
    /// More labels than the owner has (RFC 4035 §5.3.1).
    LabelsExceedOwner,
    /// The RRset's TTL is above the original TTL (RFC 4035 §2.2).
    OriginalTtlExceeded,
    /// The RRSIG's own TTL is above the original TTL.
    OwnTtlExceedsOriginal,
    /// The RRSIG's own TTL is not the RRset's (RFC 4034 §3).
    TtlDiffers,
    /// Caches may keep the RRset for longer than the signature is valid.
    TtlBeyondExpiration,
    /// The expiration lies before the inception.
    EndsBeforeItBegins,
    /// It is over.
    Expired,
    /// It has not begun.
    NotYetValid,
    /// It ends so soon that some clocks say it is over.
    EndsWithinClockSkew,
    /// It began so lately that some clocks say it has not.
    BeganWithinClockSkew,
    /// No signature of its algorithm and key has this length.
    BadLength,
    /// The key with its tag has another algorithm.
    AlgorithmDiffers,
    /// Its algorithm, or a key of this size, cannot be verified here.
    NotSupported,
    /// The zone has no key with its tag.
    NoKey,
    /// The key is no zone key (RFC 4034 §2.1.1).
    NotByZoneKey,
    /// The key is revoked (RFC 5011 §2.1).
    ByRevokedKey,
    /// The key did not make it, or the records were changed since (RFC 4035 §5.3.3).
    DoesNotVerify,
}

/// A signature as judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// All that is wrong with it.
    pub faults: Vec<SignatureFault>,
    /// Whether a resolver accepts it: all conditions of RFC 4035 §5.3 hold. Some faults do not prevent that.
    pub is_valid: bool,
}

/// Judges one signature over an RRset of `zone`, made by one of `keys`.
pub fn judge(set: &Rrset, signature: &Signature, zone: &Name, keys: &[Dnskey], now: Timestamp) -> Judged {
    use SignatureFault::*;
    let rrsig = &signature.rrsig;
    let mut faults = Vec::new();
    if Name::from_wire(rrsig.signer_name()) != *zone || !set.owner.is_at_or_below(zone) {
        faults.push(SignerNotZone);
    }
    if usize::from(rrsig.labels()) > signed_labels(&set.owner) {
        faults.push(LabelsExceedOwner);
    }
    let (by, is_made_by_key) = maker(set, signature, keys);
    faults.extend(by);
    let is_timely = judge_times(rrsig, now, &mut faults);
    let is_valid =
        is_timely && is_made_by_key && !faults.contains(&SignerNotZone) && !faults.contains(&LabelsExceedOwner);
    let original = rrsig.original_ttl().as_secs();
    if set.ttl > original {
        faults.push(OriginalTtlExceeded);
    }
    if signature.ttl > original {
        faults.push(OwnTtlExceedsOriginal);
    }
    if signature.ttl != set.ttl {
        faults.push(TtlDiffers);
    }
    if is_timely && i64::from(set.ttl) > signature::remaining_secs(rrsig, now) {
        faults.push(TtlBeyondExpiration);
    }
    Judged { faults, is_valid }
}

fn judge_times(rrsig: &Rrsig, now: Timestamp, faults: &mut Vec<SignatureFault>) -> bool {
    if signature::duration_secs(rrsig) < 0 {
        faults.push(SignatureFault::EndsBeforeItBegins);
    }
    match signature::validity(rrsig, now) {
        Validity::Expired => faults.push(SignatureFault::Expired),
        Validity::NotYetValid => faults.push(SignatureFault::NotYetValid),
        Validity::Valid => {
            let remaining = signature::remaining_secs(rrsig, now);
            if remaining < CLOCK_SKEW_SECS {
                faults.push(SignatureFault::EndsWithinClockSkew);
            }
            if signature::duration_secs(rrsig) - remaining < CLOCK_SKEW_SECS {
                faults.push(SignatureFault::BeganWithinClockSkew);
            }
            return true;
        }
    }
    false
}

/// What is wrong with how the signature was made, and whether one of the keys, fit for it, made it.
fn maker(set: &Rrset, signature: &Signature, keys: &[Dnskey]) -> (Vec<SignatureFault>, bool) {
    use SignatureFault::*;
    let rrsig = &signature.rrsig;
    let mut candidates = tagged(keys, rrsig.key_tag()).peekable();
    if candidates.peek().is_none() {
        return (vec![NoKey], false);
    }
    let mut same: Vec<&Dnskey> = candidates.filter(|key| key.algorithm() == rrsig.algorithm()).collect();
    if same.is_empty() {
        return (vec![AlgorithmDiffers], false);
    }
    let mut faults = Vec::new();
    if same
        .iter()
        .all(|key| signature_octets(key).is_some_and(|octets| octets != rrsig.signature().len()))
    {
        faults.push(BadLength);
    }
    // of several keys with one tag the one that made it counts, else one that may have
    let proof = |key: &&Dnskey| match signature::verify(&set.records, rrsig, key) {
        Proof::Holds => 0,
        Proof::NotSupported => 1,
        Proof::Fails => 2,
    };
    same.sort_by_cached_key(proof);
    let key = same[0];
    let outcome = proof(&key);
    match outcome {
        0 => {}
        1 => faults.push(NotSupported),
        _ => faults.push(DoesNotVerify),
    }
    if !has_zone_flag(key) {
        faults.push(NotByZoneKey);
    }
    let revoked = is_revoked(key);
    // a revoked key signs the key set to say so itself (RFC 5011 §2.1); it does not make the set trusted
    if revoked && set.rtype != domain::base::Rtype::DNSKEY {
        faults.push(ByRevokedKey);
    }
    (faults, outcome == 0 && has_zone_flag(key) && !revoked)
}

/// How long signatures of a key are, in octets; `None` where the algorithm does not fix it.
fn signature_octets(key: &Dnskey) -> Option<usize> {
    let algorithm = Algorithm::of(key.algorithm().to_int());
    match algorithm.number {
        // RFC 6605 §4, RFC 8080 §4, RFC 5933 §5.2
        12 | 13 | 15 => Some(64),
        14 => Some(96),
        16 => Some(114),
        _ if algorithm.is_rsa() => Some(key::rsa_bits(key)?.div_ceil(8)),
        _ => None,
    }
}

/// The name of the wildcard that an RRset was made from, by the labels that a signature counts (RFC 4035 §5.3.2).
///
/// `None` where the owner is the name that was signed.
pub fn expanded_from(set: &Rrset, rrsig: &Rrsig) -> Option<Name> {
    let labels = usize::from(rrsig.labels());
    if labels >= signed_labels(&set.owner) {
        return None;
    }
    let mut up = std::iter::successors(Some(set.owner.clone()), Name::parent);
    up.find(|name| name.label_count() == labels)?.child("*").ok()
}

#[cfg(test)]
mod tests {
    use domain::base::iana::{Class, Rtype, SecurityAlgorithm};
    use domain::base::rdata::UnknownRecordData;
    use domain::base::{Record, Ttl};
    use domain::crypto::sign::{GenerateParams, KeyPair, generate};
    use domain::dnssec::sign::keys::SigningKey;
    use domain::dnssec::sign::signatures::rrsigs::sign_rrset;
    use domain::rdata::dnssec::ProtoRrsig;
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Data, OwnedName};

    fn wire(text: &str) -> OwnedName {
        text.parse().unwrap()
    }

    fn example(rrsig: Rrsig) -> (Rrset, Signature) {
        let data = Data::Unknown(UnknownRecordData::from_octets(Rtype::from_int(65_280), vec![1]).unwrap());
        let record = Record::new(wire("a.b.example."), Class::IN, Ttl::from_secs(60), data);
        let set = Rrset {
            owner: "a.b.example".parse().unwrap(),
            rtype: Rtype::from_int(65_280),
            ttl: 60,
            records: vec![record],
            signatures: Vec::new(),
        };
        (set, Signature { ttl: 60, rrsig })
    }

    fn rrsig(labels: u8, octets: Vec<u8>) -> Rrsig {
        let proto = ProtoRrsig::new(
            Rtype::from_int(65_280),
            SecurityAlgorithm::ED25519,
            labels,
            Ttl::from_secs(60),
            2_000_000.into(),
            1_000_000.into(),
            7,
            wire("example."),
        );
        proto.into_rrsig(octets).unwrap()
    }

    #[test]
    fn an_expanded_wildcard_is_known_by_its_labels() {
        for (labels, source) in [
            (1, Some("*.example")),
            (2, Some("*.b.example")),
            (3, None),
            (9, None),
            (0, Some("*")),
        ] {
            let (set, signature) = example(rrsig(labels, vec![0; 64]));
            let source = source.map(|source| source.parse().unwrap());
            assert_eq!(expanded_from(&set, &signature.rrsig), source, "{labels} labels");
        }
    }

    #[test]
    fn a_signature_that_is_known_to_hold_expires_all_the_same() {
        let (secret, public) = generate(&GenerateParams::EcdsaP256Sha256, 256).unwrap();
        let pair = KeyPair::from_bytes(&secret, &public).unwrap();
        let key = SigningKey::new(wire("example."), 256, pair);
        let (mut set, _) = example(rrsig(3, vec![0; 64]));
        let rrset = domain::dnssec::sign::records::Rrset::new_from_owned(&set.records).unwrap();
        let (inception, expiration) = (1_000_000, 2_000_000);
        let rrsig = sign_rrset(&key, &rrset, inception.into(), expiration.into()).unwrap();
        let signature = Signature {
            ttl: 60,
            rrsig: rrsig.into_data(),
        };
        let judged = |set: &Rrset, now: u32| {
            let now = Timestamp::from_second(i64::from(now)).unwrap();
            judge(set, &signature, &"example".parse().unwrap(), &[key.dnskey()], now)
        };
        assert_eq!(judged(&set, 1_500_000).faults, []);
        for (now, fault) in [
            (expiration + 1, SignatureFault::Expired),
            (inception - 1, SignatureFault::NotYetValid),
        ] {
            let judged = judged(&set, now);
            assert_eq!((judged.faults, judged.is_valid), (vec![fault], false));
        }
        assert!(judged(&set, 1_500_000).is_valid);
        set.records.clear();
        assert!(
            !judged(&set, 1_500_000).is_valid,
            "without the records that were signed"
        );
    }

    proptest! {
        #[test]
        fn no_signature_and_no_key_make_judging_panic(
            labels: u8, now in 0..4_000_000_i64, octets in prop::collection::vec(any::<u8>(), 0..130),
            keys in prop::collection::vec((any::<u16>(), any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..80)), 0..5),
        ) {
            let keys: Vec<Dnskey> = keys.into_iter().map(|(flags, protocol, algorithm, octets)| {
                Dnskey::new(flags, protocol, SecurityAlgorithm::from_int(algorithm), octets).unwrap()
            }).collect();
            let (set, signature) = example(rrsig(labels, octets));
            let now = Timestamp::from_second(now).unwrap();
            let judged = judge(&set, &signature, &"example".parse().unwrap(), &keys, now);
            prop_assert!(!judged.is_valid);
            prop_assert!(!judged.faults.is_empty());
            for key in &keys {
                let _ = key::faults(key);
            }
        }
    }
}
