//! Ed448 (RFC 8080, RFC 8032 §5.2), which the library that verifies all other signatures lacks.

use ed448_goldilocks::{Signature, VerifyingKey};

use super::Proof;

/// Verifies a signature over `signed` with a public key, both as DNSSEC writes them: 57 and 114 octets.
pub(super) fn verify(public_key: &[u8], signed: &[u8], signature: &[u8]) -> Proof {
    let verified = || {
        let key = VerifyingKey::from_bytes(public_key.try_into().ok()?).ok()?;
        let signature = Signature::from_slice(signature).ok()?;
        key.verify_raw(&signature, signed).ok()
    };
    match verified() {
        Some(()) => Proof::Holds,
        None => Proof::Fails,
    }
}

#[cfg(test)]
mod tests {
    use domain::base::iana::{Class, Rtype, SecurityAlgorithm};
    use domain::base::name::Name;
    use domain::base::{Record, Ttl};
    use domain::rdata::dnssec::ProtoRrsig;
    use domain::rdata::{AllRecordData, Mx};

    use crate::dnssec::{Dnskey, Proof, signature};

    #[test]
    fn the_example_of_the_standard_verifies_and_nothing_near_it_does() {
        // RFC 8080 §6.2, first example.
        let octets = |text: &str| -> Vec<u8> { domain::utils::base64::decode(text).unwrap() };
        let zone: Name<Vec<u8>> = "example.com.".parse().unwrap();
        let key = Dnskey::new(
            257,
            3,
            SecurityAlgorithm::ED448,
            octets("3kgROaDjrh0H2iuixWBrc8g2EpBBLCdGzHmn+G2MpTPhpj/OiBVHHSfPodx1FYYUcJKm1MDpJtIA"),
        )
        .unwrap();
        assert_eq!(key.key_tag(), 9713);
        let mx = |preference| {
            let data =
                AllRecordData::<Vec<u8>, Name<Vec<u8>>>::Mx(Mx::new(preference, "mail.example.com.".parse().unwrap()));
            [Record::new(zone.clone(), Class::IN, Ttl::from_secs(3600), data)]
        };
        let rrsig = |octets: Vec<u8>| {
            ProtoRrsig::new(
                Rtype::MX,
                SecurityAlgorithm::ED448,
                2,
                Ttl::from_secs(3600),
                1_440_021_600.into(),
                1_438_207_200.into(),
                9713,
                zone.clone(),
            )
            .into_rrsig(octets)
            .unwrap()
        };
        let right = octets(
            "3cPAHkmlnxcDHMyg7vFC34l0blBhuG1qpwLmjInI8w1CMB29FkEAIJUA0amxWndkmnBZ6SKiwZSAxGILn/NBtOXft0+Gj7FSvOKxE/07+4RQvE581N3Aj/JtIyaiYVdnYtyMWbSNyGEY2213WKsJlwEA",
        );
        assert_eq!(signature::verify(&mx(10), &rrsig(right.clone()), &key), Proof::Holds);
        assert_eq!(signature::verify(&mx(11), &rrsig(right.clone()), &key), Proof::Fails);
        for at in [0, 56, 57, 112] {
            let mut bent = right.clone();
            bent[at] ^= 1;
            assert_eq!(
                signature::verify(&mx(10), &rrsig(bent), &key),
                Proof::Fails,
                "octet {at}"
            );
        }
        assert_eq!(
            signature::verify(&mx(10), &rrsig(right[..113].to_vec()), &key),
            Proof::Fails
        );
        let short = Dnskey::new(257, 3, SecurityAlgorithm::ED448, key.public_key()[..56].to_vec()).unwrap();
        assert_eq!(signature::verify(&mx(10), &rrsig(right), &short), Proof::Fails);
    }
}
