//! Signatures over RRsets: what they cover, when they hold, and whether a key made them.

use domain::base::iana::SecurityAlgorithm;
use domain::base::name::ToLabelIter;
use domain::base::rdata::ComposeRecordData;
use domain::base::{CanonicalOrd, Record, RecordData, Rtype, ToName};
use domain::crypto::common::{AlgorithmError, PublicKey, rsa_exponent_modulus};
use domain::dnssec::validator::base::RrsigExt;
use model::{Name, Timestamp};

use super::key::tagged;
use super::{Algorithm, Dnskey, Rrsig, ed448, proofs};

/// Where a moment lies in the life of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Before its inception.
    NotYetValid,
    /// From inception to expiration, both included.
    Valid,
    /// After its expiration.
    Expired,
}

/// Where `now` lies in the life of a signature (RFC 4034 §3.1.5, in the serial arithmetic of RFC 1982).
pub fn validity(rrsig: &Rrsig, now: Timestamp) -> Validity {
    let now = serial(now);
    if serial_difference(rrsig.inception().into_int(), now) > 0 {
        Validity::NotYetValid
    } else if serial_difference(rrsig.expiration().into_int(), now) < 0 {
        Validity::Expired
    } else {
        Validity::Valid
    }
}

/// Seconds from `now` to the expiration; negative once it is over. Right up to 68 years away.
pub fn remaining_secs(rrsig: &Rrsig, now: Timestamp) -> i64 {
    serial_difference(rrsig.expiration().into_int(), serial(now))
}

/// Seconds from inception to expiration; negative when they are the wrong way round. Right up to 68 years.
pub fn duration_secs(rrsig: &Rrsig) -> i64 {
    serial_difference(rrsig.expiration().into_int(), rrsig.inception().into_int())
}

/// The moment of expiration, taken as the one that lies nearest to `now`.
pub fn expiration(rrsig: &Rrsig, now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second().saturating_add(remaining_secs(rrsig, now))).unwrap_or(Timestamp::MAX)
}

/// The moment of inception, taken as the one that lies nearest to `now`.
pub fn inception(rrsig: &Rrsig, now: Timestamp) -> Timestamp {
    let since = serial_difference(rrsig.inception().into_int(), serial(now));
    Timestamp::from_second(now.as_second().saturating_add(since)).unwrap_or(Timestamp::MIN)
}

/// The last 32 bits of the seconds since 1970, the clock of RRSIG.
fn serial(time: Timestamp) -> u32 {
    time.as_second() as u32
}

/// `a - b` on a clock of 32 bits, as the shorter way round.
fn serial_difference(a: u32, b: u32) -> i64 {
    i64::from(a.wrapping_sub(b) as i32)
}

/// Whether a signature at `owner` is one over the RRset of that name and type in `zone`.
///
/// The first four conditions of RFC 4035 §5.3.1: owner, signer, type, and number of labels. Times and the
/// signature itself are not looked at.
pub fn covers(rrsig: &Rrsig, owner: &Name, rtype: Rtype, zone: &Name) -> bool {
    rrsig.type_covered() == rtype
        && Name::from_wire(rrsig.signer_name()) == *zone
        && owner.is_at_or_below(zone)
        && usize::from(rrsig.labels()) <= signed_labels(owner)
}

/// Labels that count in the labels field: neither the root's nor a leading `*` (RFC 4034 §3.1.3).
pub(super) fn signed_labels(owner: &Name) -> usize {
    let wildcard = owner
        .as_wire()
        .iter_labels()
        .next()
        .is_some_and(|label| label.is_wildcard());
    owner.label_count() - usize::from(wildcard)
}

/// What a key proves of a signature, its times apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The key made this signature over these records.
    Holds,
    /// It did not, or records or signature were changed since.
    Fails,
    /// The algorithm, or a key of this size, cannot be verified here.
    NotSupported,
}

/// Verifies a signature over an RRset with a key (RFC 4035 §5.3.2, §5.3.3), times apart.
///
/// The records must be of one owner, class and type. Order, letter case, TTLs and repeats do not matter:
/// the signed form has the original TTL, each record once, and `*.` where a wildcard was expanded.
pub fn verify<N, D>(records: &[Record<N, D>], rrsig: &Rrsig, key: &Dnskey) -> Proof
where
    N: ToName,
    D: RecordData + CanonicalOrd + ComposeRecordData,
{
    if !Algorithm::of(rrsig.algorithm().to_int()).is_supported() || has_oversized_exponent(key) {
        return Proof::NotSupported;
    }
    let Some(first) = records.first() else {
        return Proof::Fails;
    };
    if first.data().rtype() != rrsig.type_covered() || key.protocol() != 3 {
        return Proof::Fails;
    }
    let mut set: Vec<&Record<N, D>> = records.iter().collect();
    set.sort_by(|a, b| a.data().canonical_cmp(b.data()));
    set.dedup_by(|a, b| a.data().canonical_cmp(b.data()).is_eq());
    let mut signed = Vec::new();
    let Ok(()) = rrsig.signed_data(&mut signed, &mut set);
    proofs::remembered(key, &signed, rrsig.signature(), || work_out(key, rrsig, &signed))
}

fn work_out(key: &Dnskey, rrsig: &Rrsig, signed: &[u8]) -> Proof {
    if rrsig.algorithm() == SecurityAlgorithm::ED448 && key.algorithm() == rrsig.algorithm() {
        return ed448::verify(key.public_key(), signed, rrsig.signature());
    }
    let verified = PublicKey::from_dnskey(key)
        .and_then(|public| {
            if key.algorithm() == rrsig.algorithm() {
                Ok(public)
            } else {
                Err(AlgorithmError::InvalidData)
            }
        })
        .and_then(|public| public.verify(signed, rrsig.signature()));
    match verified {
        Ok(()) => Proof::Holds,
        Err(AlgorithmError::Unsupported) => Proof::NotSupported,
        Err(AlgorithmError::BadSig | AlgorithmError::InvalidData) => Proof::Fails,
    }
}

/// Whether a key has an RSA exponent beyond 33 bits, which `ring` refuses whatever the signature.
fn has_oversized_exponent(key: &Dnskey) -> bool {
    Algorithm::of(key.algorithm().to_int()).is_rsa()
        && rsa_exponent_modulus(key, 0).is_ok_and(|(exponent, _)| {
            let bits = exponent.len() * 8 - exponent.first().map_or(0, |octet| octet.leading_zeros() as usize);
            bits > 33
        })
}

/// Verifies with each key that has the signature's key tag (at most eight of them); the best outcome counts.
///
/// `None` when no key of `keys` has that tag. A key of another algorithm cannot have made the signature.
pub fn verify_by_any<'k, N, D>(
    records: &[Record<N, D>],
    rrsig: &Rrsig,
    keys: impl IntoIterator<Item = &'k Dnskey>,
) -> Option<Proof>
where
    N: ToName,
    D: RecordData + CanonicalOrd + ComposeRecordData,
{
    let mut best = None;
    for key in tagged(keys, rrsig.key_tag()) {
        match verify(records, rrsig, key) {
            Proof::Holds => return Some(Proof::Holds),
            Proof::NotSupported => best = Some(Proof::NotSupported),
            Proof::Fails => best = best.or(Some(Proof::Fails)),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use domain::base::iana::Class;
    use domain::base::name::Name as Wire;
    use domain::base::rdata::UnknownRecordData;
    use domain::base::{Record as WireRecord, Serial, Ttl};
    use domain::crypto::sign::{GenerateParams, KeyPair, generate};
    use domain::dnssec::sign::keys::SigningKey;
    use domain::dnssec::sign::records::Rrset;
    use domain::dnssec::sign::signatures::rrsigs::sign_rrset;
    use domain::rdata::dnssec::ProtoRrsig;
    use domain::rdata::{A, AllRecordData, Mx};
    use proptest::prelude::*;

    use super::*;

    type Data = AllRecordData<Vec<u8>, Wire<Vec<u8>>>;
    type Rr = WireRecord<Wire<Vec<u8>>, Data>;

    const INCEPTION: u32 = 1_700_000_000;
    const EXPIRATION: u32 = 1_702_000_000;

    fn wire(text: &str) -> Wire<Vec<u8>> {
        text.parse().unwrap()
    }

    fn addresses(owner: &str, last: &[u8]) -> Vec<Rr> {
        last.iter()
            .map(|last| {
                let data = Data::A(A::from_octets(192, 0, 2, *last));
                Rr::new(wire(owner), Class::IN, Ttl::from_secs(300), data)
            })
            .collect()
    }

    /// A key of the zone `example.` and its signature over `records`.
    fn signed(params: &GenerateParams, records: &[Rr]) -> (Dnskey, Rrsig) {
        let (secret, public) = generate(params, 256).unwrap();
        let pair = KeyPair::from_bytes(&secret, &public).unwrap();
        let key = SigningKey::new(wire("example."), 256, pair);
        let rrset = Rrset::new_from_owned(records).unwrap();
        let signature = sign_rrset(&key, &rrset, INCEPTION.into(), EXPIRATION.into()).unwrap();
        (key.dnskey(), signature.into_data())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn rrsig(inception: u32, expiration: u32, labels: u8) -> Rrsig {
        ProtoRrsig::new(
            Rtype::A,
            SecurityAlgorithm::ED25519,
            labels,
            Ttl::from_secs(300),
            expiration.into(),
            inception.into(),
            1,
            wire("example."),
        )
        .into_rrsig(vec![0; 64])
        .unwrap()
    }

    #[test]
    fn each_algorithm_that_can_sign_here_is_verified() {
        let records = addresses("www.example.", &[1, 2]);
        for params in [
            GenerateParams::EcdsaP256Sha256,
            GenerateParams::EcdsaP384Sha384,
            GenerateParams::Ed25519,
        ] {
            let (key, rrsig) = signed(&params, &records);
            assert_eq!(verify(&records, &rrsig, &key), Proof::Holds, "{params:?}");
            assert!(covers(
                &rrsig,
                &"www.example".parse().unwrap(),
                Rtype::A,
                &"example".parse().unwrap()
            ));
        }
    }

    // RSA, which is only verified here: algorithm, key tag, key and signature made by dnspython 2.3 for
    // `www.example. 3600 MX 1 mail.example., 20 b.example.`, inception 1767225600, expiration 1798761600.
    const RSA: [(u8, u16, &str, &str); 3] = [
        (
            5,
            12_055,
            "AwEAAeublMt93CsyrpFQ2APGjONEyiPVmNKvvPjibMFDd+VVsPOyIT33wb0zOKTwkdAXoy6OO6laffMwxqCnDxXD4LgynN1ChTQyadgYwFQ3yQgKp8P8zyE0N2eoa5JnKStS1F6TdgIPNoAAwjFDgOIWq+0v9xMywayxmRB4ib+XR/s7",
            "jJefA8vSBejo7SFzMOSunKZtoCL8NsBOVE1gxFvFsvkua5Qtl4sXBsQxQCETUcw56FkY/xqjg/0+7nElvI0NafECg2Lh9TjrVIaeoWQ8q4InIkonC1sYAZg8Y54zthXbiiW/EbvDcIlH8Ypx1EmcgNC4ymAvpkRy8DzYo+bagLM=",
        ),
        (
            8,
            15_295,
            "AwEAAbJd6SjWRmn7xvMQKdts2P6dI46W1pjn8Ml3t9Zl8wsJ+2bFBKu4gtyne8DCWGBVVo8B0FPH/DNRajgwrR77MiB2cmVJQwhS+0m+tmCM4iBTNvEn7+SI0mDs7bItM6pKN9Xji0oBx/CnnGLsfLXBOnB1c0QLN3HEUsgZoMYIia5reNq+zBFXvGcpkhxSB08Jj2irU4WS3izSH9qUx9lHimgy6SipzuQZKRY0N89uMBiaLdGNCNafKOLnm85qPqIc4eTrebDvxOE8Srs7qUxdeHF+e94K7CZQyEZs9elkwgyvY8eI93SPlsheEZY29LToSUXsm5T+yGQIaT0WRBH3e7E=",
            "P0ONqUrxairsoPAyP6HFxXmQzHrCqskg0juAcyax/b7rm6q2qJSzgyAsARVwzURHvm/DHP5VxLOMB4Ovi3f2a4t1kkTkcIhio0QSu610uOJTh40Xapoio/Eewp7+nC08eP2L/J7DJs3bVidgn97h5nwQvQZFotnoVFfIzseH75TVGY0Z0+kPPS/YUCQEkdO7SrVSofE99sl7APlnauetMK3ravHb/thaEkaq5lg4wtkSNIym/Y5d0GAk3aI6RSBDRLSgwHP5xCPuBg3I50RBMsbLj0ToPRkWCrajoFSDWHTm6wFDx/SmBZQeaKSxXBpc0+MXXwx5dkL+iWX7MW7RxA==",
        ),
        (
            10,
            35_246,
            "AwEAAeUajg122LzFJHl6yypUwetVxFb4rGLyktP7Zg8ceTaZdBvu5dhZDp/bCVqtKwa+8SMrOgSnZK+TsDy8Rvc6VTmr0toGP/IpqFvZozBwZ7tKwJLkMke4T0Ka9BV7iV3E/FNUUKbJ73bPlsYw/Wb9cw5miVBYEzQxH/cFG9exBus0I2O6cPCarcXgASQ0O1VdaMOmXCGBOZOjQMilnCjHvjM=",
            "NU5f9bGrwpnkFVTK5grOcDHigzEEPdFX8hTRrND6Vmduiey3QP7lBtTkgeQvVnU6ti6Qn6NOR0EBDpjiPl9/fvzUu54nBU1hUczerhYcQnZj2xWDjzPAXC6N/qdbepYLFuByUX+HbpWM8IxzbPzjlPq9i2KDp/QdYhP3tRbdHbOWBiUeIACF7R7OAvtXlsNbZnzhRBHP7YfYSExz9daiXQ==",
        ),
    ];

    fn octets(base64: &str) -> Vec<u8> {
        domain::utils::base64::decode(base64).unwrap()
    }

    #[test]
    fn rsa_signatures_of_another_program_are_verified() {
        let mx = |preference, exchange| {
            let data = Data::Mx(Mx::new(preference, wire(exchange)));
            Rr::new(wire("WWW.example."), Class::IN, Ttl::from_secs(7), data)
        };
        let records = [mx(20, "b.example."), mx(1, "mail.Example.")];
        for (algorithm, key_tag, key, signature) in RSA {
            let algorithm = SecurityAlgorithm::from_int(algorithm);
            let key = Dnskey::new(256, 3, algorithm, octets(key)).unwrap();
            assert_eq!(key.key_tag(), key_tag);
            let rrsig = ProtoRrsig::new(
                Rtype::MX,
                algorithm,
                2,
                Ttl::from_secs(3600),
                1_798_761_600.into(),
                1_767_225_600.into(),
                key_tag,
                wire("example."),
            )
            .into_rrsig(octets(signature))
            .unwrap();
            assert_eq!(verify(&records, &rrsig, &key), Proof::Holds, "{algorithm}");
            assert_eq!(verify(&records[..1], &rrsig, &key), Proof::Fails, "{algorithm}");
        }
    }

    #[test]
    fn the_key_is_found_by_its_tag() {
        let records = addresses("www.example.", &[1]);
        let (key, rrsig) = signed(&GenerateParams::Ed25519, &records);
        let (stranger, _) = signed(&GenerateParams::Ed25519, &records);
        assert_eq!(verify_by_any(&records, &rrsig, [&stranger, &key]), Some(Proof::Holds));
        let other = Dnskey::new(256, 3, SecurityAlgorithm::ED448, key.public_key().clone()).unwrap();
        assert_eq!(verify_by_any(&records, &rrsig, [&other]), None);
        let none: [&Dnskey; 0] = [];
        assert_eq!(verify_by_any(&records, &rrsig, none), None);
    }

    #[test]
    fn keys_made_to_share_one_tag_cost_only_a_few_verifications() {
        let records = addresses("www.example.", &[1]);
        let (key, rrsig) = signed(&GenerateParams::Ed25519, &records);
        // Swapping two octets at even distance keeps the key tag.
        let twins = (0..30).map(|at| {
            let mut octets = key.public_key().clone();
            octets.swap(at, at + 2);
            Dnskey::new(256, 3, key.algorithm(), octets).unwrap()
        });
        let mut keys: Vec<Dnskey> = twins.filter(|twin| *twin != key).collect();
        assert!(keys.len() > 8 && keys.iter().all(|twin| twin.key_tag() == key.key_tag()));
        keys.push(key);
        assert_eq!(verify_by_any(&records, &rrsig, &keys), Some(Proof::Fails));
        assert_eq!(verify_by_any(&records, &rrsig, keys.iter().rev()), Some(Proof::Holds));
    }

    #[test]
    fn an_expanded_wildcard_is_verified_as_the_wildcard_that_was_signed() {
        let (key, rrsig) = signed(&GenerateParams::EcdsaP256Sha256, &addresses("*.w.example.", &[1]));
        assert_eq!(rrsig.labels(), 2);
        assert_eq!(verify(&addresses("a.z.w.example.", &[1]), &rrsig, &key), Proof::Holds);
        assert_eq!(verify(&addresses("*.w.example.", &[1]), &rrsig, &key), Proof::Holds);
        assert_eq!(verify(&addresses("a.z.v.example.", &[1]), &rrsig, &key), Proof::Fails);
        assert!(covers(
            &rrsig,
            &"a.z.w.example".parse().unwrap(),
            Rtype::A,
            &"example".parse().unwrap()
        ));
    }

    #[test]
    fn order_repeats_letter_case_and_ttl_do_not_matter() {
        let records = addresses("www.example.", &[3, 1, 2]);
        let (key, rrsig) = signed(&GenerateParams::Ed25519, &records);
        let mut other = addresses("WWW.Example.", &[2, 2, 3, 1]);
        other[0].set_ttl(Ttl::from_secs(5));
        assert_eq!(verify(&other, &rrsig, &key), Proof::Holds);
    }

    #[test]
    fn whatever_is_tampered_with_fails() {
        let records = addresses("www.example.", &[1, 2]);
        let (key, rrsig) = signed(&GenerateParams::EcdsaP256Sha256, &records);
        assert_eq!(
            verify(&addresses("www.example.", &[1, 3]), &rrsig, &key),
            Proof::Fails,
            "other data"
        );
        assert_eq!(
            verify(&addresses("www.example.", &[1]), &rrsig, &key),
            Proof::Fails,
            "a record is missing"
        );
        assert_eq!(
            verify(&addresses("web.example.", &[1, 2]), &rrsig, &key),
            Proof::Fails,
            "another owner"
        );
        assert_eq!(
            verify::<Wire<Vec<u8>>, Data>(&[], &rrsig, &key),
            Proof::Fails,
            "no record"
        );
        let mut bent = rrsig.clone();
        let mut signature = bent.signature().clone();
        signature[5] ^= 1;
        bent.set_signature(signature);
        assert_eq!(verify(&records, &bent, &key), Proof::Fails, "another signature");
        let (stranger, _) = signed(&GenerateParams::EcdsaP256Sha256, &records);
        assert_eq!(verify(&records, &rrsig, &stranger), Proof::Fails, "another key");
    }

    #[test]
    fn what_was_proven_once_proves_nothing_near_it() {
        let records = addresses("www.example.", &[7, 8]);
        let (key, rrsig) = signed(&GenerateParams::EcdsaP256Sha256, &records);
        let (stranger, _) = signed(&GenerateParams::EcdsaP256Sha256, &records);
        let mut bent = rrsig.clone();
        let mut signature = bent.signature().clone();
        signature[5] ^= 1;
        bent.set_signature(signature);
        let longer = ProtoRrsig::new(
            rrsig.type_covered(),
            rrsig.algorithm(),
            rrsig.labels(),
            rrsig.original_ttl(),
            (EXPIRATION + 1).into(),
            rrsig.inception(),
            rrsig.key_tag(),
            rrsig.signer_name().clone(),
        );
        let longer = longer.into_rrsig(rrsig.signature().clone()).unwrap();
        let other_algorithm =
            Dnskey::new(256, 3, SecurityAlgorithm::ECDSAP384SHA384, key.public_key().clone()).unwrap();
        // the second time each of them is remembered
        for _ in 0..2 {
            assert_eq!(verify(&records, &rrsig, &key), Proof::Holds);
            assert_eq!(verify(&records, &bent, &key), Proof::Fails, "another signature");
            assert_eq!(verify(&records, &longer, &key), Proof::Fails, "another expiration");
            assert_eq!(verify(&records, &rrsig, &stranger), Proof::Fails, "another key");
            assert_eq!(
                verify(&records, &rrsig, &other_algorithm),
                Proof::Fails,
                "another algorithm"
            );
            assert_eq!(verify(&records[..1], &rrsig, &key), Proof::Fails, "fewer records");
        }
    }

    #[test]
    fn what_cannot_be_verified_here_is_said_not_guessed() {
        let records = addresses("www.example.", &[1]);
        let (key, rrsig) = signed(&GenerateParams::Ed25519, &records);
        let with = |algorithm: u8| {
            ProtoRrsig::new(
                rrsig.type_covered(),
                SecurityAlgorithm::from_int(algorithm),
                rrsig.labels(),
                rrsig.original_ttl(),
                rrsig.expiration(),
                rrsig.inception(),
                rrsig.key_tag(),
                rrsig.signer_name().clone(),
            )
            .into_rrsig(rrsig.signature().clone())
            .unwrap()
        };
        for algorithm in [3, 12, 17, 23, 200, 253] {
            assert_eq!(
                verify(&records, &with(algorithm), &key),
                Proof::NotSupported,
                "algorithm {algorithm}"
            );
        }
        let small = Dnskey::new(
            256,
            3,
            SecurityAlgorithm::RSASHA256,
            [vec![1, 3], vec![0xff; 64]].concat(),
        )
        .unwrap();
        assert_eq!(verify(&records, &with(8), &small), Proof::NotSupported);
        let exponent = [vec![9], vec![0xff; 9], vec![0xff; 256]].concat();
        let odd = Dnskey::new(256, 3, SecurityAlgorithm::RSASHA256, exponent).unwrap();
        assert_eq!(verify(&records, &with(8), &odd), Proof::NotSupported);
    }

    #[test]
    fn the_life_of_a_signature_includes_its_first_and_last_second() {
        let rrsig = rrsig(INCEPTION, EXPIRATION, 2);
        let (first, last) = (i64::from(INCEPTION), i64::from(EXPIRATION));
        assert_eq!(validity(&rrsig, at(first - 1)), Validity::NotYetValid);
        assert_eq!(validity(&rrsig, at(first)), Validity::Valid);
        assert_eq!(validity(&rrsig, at(last)), Validity::Valid);
        assert_eq!(validity(&rrsig, at(last + 1)), Validity::Expired);
        assert_eq!(remaining_secs(&rrsig, at(last - 60)), 60);
        assert_eq!(remaining_secs(&rrsig, at(last + 60)), -60);
        assert_eq!(duration_secs(&rrsig), 2_000_000);
        assert_eq!(expiration(&rrsig, at(last + 60)), at(last));
    }

    #[test]
    fn times_wrap_around_in_2106() {
        // 2106-02-07 06:28:16 is where 32 bits of seconds begin again.
        let turn = 1_i64 << 32;
        let rrsig = rrsig(u32::MAX - 999, 1_000, 2);
        assert_eq!(validity(&rrsig, at(turn - 1_001)), Validity::NotYetValid);
        assert_eq!(validity(&rrsig, at(turn)), Validity::Valid);
        assert_eq!(validity(&rrsig, at(turn + 1_001)), Validity::Expired);
        assert_eq!(duration_secs(&rrsig), 2_000);
        assert_eq!(expiration(&rrsig, at(turn)), at(turn + 1_000));
        assert_eq!(Serial(1_000).into_int(), rrsig.expiration().into_int());
    }

    #[test]
    fn a_signature_covers_only_its_own_name_type_and_zone() {
        let zone: Name = "example".parse().unwrap();
        let name = |text: &str| text.parse::<Name>().unwrap();
        assert!(covers(&rrsig(1, 2, 2), &name("www.example"), Rtype::A, &zone));
        assert!(covers(&rrsig(1, 2, 1), &name("*.example"), Rtype::A, &zone));
        assert!(
            !covers(&rrsig(1, 2, 2), &name("*.example"), Rtype::A, &zone),
            "more labels than were signed"
        );
        assert!(
            !covers(&rrsig(1, 2, 3), &name("www.example"), Rtype::A, &zone),
            "more labels than the owner"
        );
        assert!(
            !covers(&rrsig(1, 2, 2), &name("www.example"), Rtype::AAAA, &zone),
            "another type"
        );
        assert!(
            !covers(&rrsig(1, 2, 2), &name("www.example"), Rtype::A, &name("www.example")),
            "another signer"
        );
        assert!(
            !covers(&rrsig(1, 2, 2), &name("www.other"), Rtype::A, &zone),
            "outside the zone"
        );
    }

    proptest! {
        #[test]
        fn no_octets_make_verifying_panic(
            algorithm: u8, rtype: u16, labels: u8,
            data in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..6),
            key in prop::collection::vec(any::<u8>(), 0..300),
            signature in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            // 10 is NULL, which has no form of its own: keep to types read as plain octets.
            let rtype = Rtype::from_int(rtype | 0x8000);
            let records: Vec<Rr> = data.into_iter().map(|octets| {
                let data = Data::Unknown(UnknownRecordData::from_octets(rtype, octets).unwrap());
                Rr::new(wire("a.b.example."), Class::IN, Ttl::from_secs(1), data)
            }).collect();
            let rrsig = ProtoRrsig::new(
                rtype, SecurityAlgorithm::from_int(algorithm), labels, Ttl::from_secs(1),
                2.into(), 1.into(), 7, wire("example."),
            ).into_rrsig(signature).unwrap();
            let key = Dnskey::new(257, 3, SecurityAlgorithm::from_int(algorithm), key).unwrap();
            prop_assert_ne!(verify(&records, &rrsig, &key), Proof::Holds);
        }
    }
}
