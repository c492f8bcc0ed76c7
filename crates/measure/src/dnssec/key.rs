//! Keys: their flags and size, and whether a DS points at them.

use domain::base::iana::DigestAlgorithm;
use domain::dnssec::validator::base::DnskeyExt;
use model::{Ds, Name};

use super::{Algorithm, DigestType, Dnskey};

/// What a DS says of a key with its key tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DsMatch {
    /// Algorithm and digest are those of the key.
    Matches,
    /// Algorithm or digest belong to another key.
    Differs,
    /// The digest type cannot be computed here, so only the algorithm could be compared, and it agrees.
    NotSupported,
}

/// Compares a DS with a key at `owner` by algorithm and digest (RFC 4034 §5.1.4); the key tag is not looked at.
pub fn compare_ds(ds: &Ds, owner: &Name, key: &Dnskey) -> DsMatch {
    if ds.algorithm != key.algorithm().to_int() {
        return DsMatch::Differs;
    }
    if !DigestType::of(ds.digest_type).is_supported() {
        return DsMatch::NotSupported;
    }
    match digest(owner, key, ds.digest_type) {
        Some(digest) if digest == ds.digest => DsMatch::Matches,
        _ => DsMatch::Differs,
    }
}

/// The digest of a key at `owner` for a DS, or `None` for a digest type that cannot be computed here.
pub fn digest(owner: &Name, key: &Dnskey, digest_type: u8) -> Option<Vec<u8>> {
    let digest = key
        .digest(owner.as_wire(), DigestAlgorithm::from_int(digest_type))
        .ok()?;
    Some(digest.as_ref().to_vec())
}

/// The DS of a key at `owner`, or `None` for a digest type that cannot be computed here.
pub fn ds_of(owner: &Name, key: &Dnskey, digest_type: u8) -> Option<Ds> {
    Some(Ds {
        key_tag: key.key_tag(),
        algorithm: key.algorithm().to_int(),
        digest_type,
        digest: digest(owner, key, digest_type)?,
    })
}

/// How many keys with one key tag are looked at. Chosen by us: two happen by chance; a zone with hundreds is made to
/// keep validators busy (CVE-2023-50387, "KeyTrap"). More lets such a zone hold up the checks of others.
const MAX_KEYS_PER_TAG: usize = 8;

/// The keys with a key tag, in their order; at most eight.
pub fn tagged<'k>(keys: impl IntoIterator<Item = &'k Dnskey>, key_tag: u16) -> impl Iterator<Item = &'k Dnskey> {
    keys.into_iter()
        .filter(move |key| key.key_tag() == key_tag)
        .take(MAX_KEYS_PER_TAG)
}

/// The key among `keys` that a DS means: the one with its key tag, and of several the one whose digest agrees.
///
/// Two keys of a zone share a key tag now and then; then the digest decides, and where none agrees the
/// first with the right tag is what the DS is compared with.
pub fn pointed_at<'k>(ds: &Ds, owner: &Name, keys: &'k [Dnskey]) -> Option<&'k Dnskey> {
    let tagged = || tagged(keys, ds.key_tag);
    tagged()
        .find(|key| compare_ds(ds, owner, key) == DsMatch::Matches)
        .or_else(|| tagged().find(|key| compare_ds(ds, owner, key) == DsMatch::NotSupported))
        .or_else(|| tagged().next())
}

/// Whether the key may sign the data of zones (RFC 4034 §2.1.1).
pub fn has_zone_flag(key: &Dnskey) -> bool {
    key.flags() & 0x0100 != 0
}

/// Whether the key is revoked (RFC 5011 §2.1).
pub fn is_revoked(key: &Dnskey) -> bool {
    key.flags() & 0x0080 != 0
}

/// One thing that is wrong with a key by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyFault {
    /// It lacks the flag of zone keys (RFC 4034 §2.1.1).
    NoZoneFlag,
    /// Its protocol is not 3 (RFC 4034 §2.1.2).
    WrongProtocol,
    /// It has no octets.
    Empty,
    /// No key of its algorithm has this length.
    BadLength,
}

/// All that is wrong with a key by itself.
pub fn faults(key: &Dnskey) -> Vec<KeyFault> {
    let mut faults = Vec::new();
    if !has_zone_flag(key) {
        faults.push(KeyFault::NoZoneFlag);
    }
    if key.protocol() != 3 {
        faults.push(KeyFault::WrongProtocol);
    }
    let octets = key.public_key().len();
    // RFC 6605 §4, RFC 8080 §3, RFC 5933 §5.1
    let right = match key.algorithm().to_int() {
        12 | 13 => Some(64),
        14 => Some(96),
        15 => Some(32),
        16 => Some(57),
        _ => None,
    };
    let is_rsa = Algorithm::of(key.algorithm().to_int()).is_rsa();
    if octets == 0 {
        faults.push(KeyFault::Empty);
    } else if right.is_some_and(|right| right != octets) || is_rsa && rsa_bits(key).is_none() {
        faults.push(KeyFault::BadLength);
    }
    faults
}

/// Size of an RSA key in bits, counted from the highest set bit of the modulus.
///
/// `None` for other algorithms, whose size is fixed, and for octets that are no RSA key (RFC 3110 §2).
pub fn rsa_bits(key: &Dnskey) -> Option<usize> {
    if !Algorithm::of(key.algorithm().to_int()).is_rsa() {
        return None;
    }
    let modulus = rsa_modulus(key.public_key())?;
    let highest = modulus.iter().position(|octet| *octet != 0)?;
    let rest = &modulus[highest..];
    Some(rest.len() * 8 - rest[0].leading_zeros() as usize)
}

/// The modulus in the octets of an RSA key: what follows the exponent (RFC 3110 §2). Of any length: a key that is larger
/// than the standard allows has a size too.
fn rsa_modulus(octets: &[u8]) -> Option<&[u8]> {
    let (exponent, rest) = match octets {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] => (usize::from(*length), rest),
        _ => return None,
    };
    rest.get(exponent..).filter(|_| exponent > 0)
}

#[cfg(test)]
mod tests {
    use domain::base::iana::SecurityAlgorithm;
    use proptest::prelude::*;

    use super::*;

    // A key of 1024 bits and its DS records, made by dnspython 2.3 for `example.`.
    const KEY: &str = "AwEAAeublMt93CsyrpFQ2APGjONEyiPVmNKvvPjibMFDd+VVsPOyIT33wb0zOKTwkdAXoy6OO6laffMwxqCnDxXD4LgynN1ChTQyadgYwFQ3yQgKp8P8zyE0N2eoa5JnKStS1F6TdgIPNoAAwjFDgOIWq+0v9xMywayxmRB4ib+XR/s7";
    const SHA1: &str = "12055,5,1,d5809bf8ae326bab06f86699dfa8c245d0bd67e4";
    const SHA256: &str = "12055,5,2,1b19676d73c633daafc3ef6f184e8e7922af4a7347ae54a7ae76bcb78d2b33d8";
    const SHA384: &str =
        "12055,5,4,7a2d36f2039d43f8c545b445090a3c4a51825d5a088a6be2039bda5caec021abd231928622e75cc9ade95b481cf7bfe3";

    fn key(flags: u16, algorithm: u8, octets: Vec<u8>) -> Dnskey {
        Dnskey::new(flags, 3, SecurityAlgorithm::from_int(algorithm), octets).unwrap()
    }

    fn example() -> (Name, Dnskey) {
        let octets = domain::utils::base64::decode(KEY).unwrap();
        ("example".parse().unwrap(), key(256, 5, octets))
    }

    #[test]
    fn the_ds_records_of_another_program_match_their_key() {
        let (owner, key) = example();
        for text in [SHA1, SHA256, SHA384] {
            let ds: Ds = text.parse().unwrap();
            assert_eq!(compare_ds(&ds, &owner, &key), DsMatch::Matches, "{text}");
            assert_eq!(ds_of(&owner, &key, ds.digest_type), Some(ds));
        }
    }

    #[test]
    fn a_ds_of_another_name_algorithm_or_digest_differs() {
        let (owner, key) = example();
        let ds: Ds = SHA256.parse().unwrap();
        assert_eq!(compare_ds(&ds, &"www.example".parse().unwrap(), &key), DsMatch::Differs);
        assert_eq!(
            compare_ds(
                &Ds {
                    algorithm: 8,
                    ..ds.clone()
                },
                &owner,
                &key
            ),
            DsMatch::Differs
        );
        let mut short = ds.clone();
        short.digest.pop();
        assert_eq!(compare_ds(&short, &owner, &key), DsMatch::Differs);
        assert_eq!(
            compare_ds(&Ds { digest_type: 5, ..ds }, &owner, &key),
            DsMatch::NotSupported
        );
    }

    #[test]
    fn of_two_keys_with_one_tag_the_digest_chooses() {
        // Swapping two octets at even distance keeps the key tag.
        let (owner, right) = example();
        let mut octets = right.public_key().clone();
        octets.swap(10, 12);
        let twin = key(256, 5, octets);
        assert_eq!(twin.key_tag(), right.key_tag());
        let ds: Ds = SHA1.parse().unwrap();
        assert_eq!(pointed_at(&ds, &owner, &[twin.clone(), right.clone()]), Some(&right));
        assert_eq!(pointed_at(&ds, &owner, std::slice::from_ref(&twin)), Some(&twin));
        assert_eq!(pointed_at(&Ds { key_tag: 1, ..ds }, &owner, &[twin, right]), None);
    }

    #[test]
    fn the_size_of_an_rsa_key_counts_from_its_highest_bit() {
        let (_, example) = example();
        assert_eq!(rsa_bits(&example), Some(1024));
        assert_eq!(rsa_bits(&key(256, 8, vec![1, 3, 0x7f, 0xff])), Some(15));
        assert_eq!(rsa_bits(&key(256, 8, vec![0, 0, 1, 3, 0, 0, 1])), Some(1));
        assert_eq!(
            rsa_bits(&key(256, 8, [vec![1, 3], vec![0xff; 513]].concat())),
            Some(4104)
        );
        for none in [
            vec![],
            vec![0],
            vec![0, 0, 0],
            vec![0, 0, 0, 7],
            vec![3, 1, 0, 1],
            vec![3, 1, 0, 1, 0],
        ] {
            assert_eq!(rsa_bits(&key(256, 8, none)), None);
        }
        assert_eq!(rsa_bits(&key(256, 13, vec![0; 64])), None);
    }

    proptest! {
        #[test]
        fn no_octets_make_a_key_that_panics(
            algorithm: u8, digest_type: u8, octets in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let key = key(257, algorithm, octets);
            let owner: Name = "example".parse().unwrap();
            let _ = rsa_bits(&key);
            if let Some(ds) = ds_of(&owner, &key, digest_type) {
                prop_assert_eq!(compare_ds(&ds, &owner, &key), DsMatch::Matches);
            }
        }
    }
}
