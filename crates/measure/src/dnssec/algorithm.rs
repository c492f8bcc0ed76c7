//! The numbers of DNSSEC: key algorithms and DS digest types, with what they may be used for.
//!
//! Source: IANA "DNS Security Algorithm Numbers" and "DS RR Type Digest Algorithms", as they stood in
//! November 2025 (columns "Use for DNSSEC Signing" and "Use for DNSSEC Delegation", RFC 9904 with RFC 9905
//! for SHA-1 and RFC 9906 for GOST). The words of the judgement are Zonemaster's, of dnssec01 and dnssec05.

use domain::base::iana::{DigestAlgorithm, SecurityAlgorithm};

/// What the registry says of signing a zone with an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUse {
    /// Fit for signing zones.
    Ok,
    /// Allowed, but there is no reason to choose it.
    NotRecommended,
    /// No longer to be used for signing.
    Deprecated,
    /// Has a number, but not for signing zones.
    NotForZones,
    /// For private agreement, not for the public DNS.
    Private,
    /// Kept back by IANA.
    Reserved,
    /// Free: nobody can know what it means.
    Unassigned,
}

/// A key algorithm of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// Its number.
    pub number: u8,
    /// Its short name; `UNASSIGNED` or `RESERVED` where IANA gives none.
    pub mnemonic: &'static str,
    /// Its name for people.
    pub description: &'static str,
    /// What it may be used for.
    pub signing: KeyUse,
}

impl Algorithm {
    /// The row of the registry for `number`; every number has one.
    pub fn of(number: u8) -> Self {
        let (mnemonic, description, signing) = match number {
            0 => ("DELETE", "Delete DS", KeyUse::NotForZones),
            1 => ("RSAMD5", "RSA/MD5", KeyUse::Deprecated),
            2 => ("DH", "Diffie-Hellman", KeyUse::NotForZones),
            3 => ("DSA", "DSA/SHA1", KeyUse::Deprecated),
            5 => ("RSASHA1", "RSA/SHA-1", KeyUse::Deprecated),
            6 => ("DSA-NSEC3-SHA1", "DSA-NSEC3-SHA1", KeyUse::Deprecated),
            7 => ("RSASHA1-NSEC3-SHA1", "RSASHA1-NSEC3-SHA1", KeyUse::Deprecated),
            8 => ("RSASHA256", "RSA/SHA-256", KeyUse::Ok),
            10 => ("RSASHA512", "RSA/SHA-512", KeyUse::NotRecommended),
            12 => ("ECC-GOST", "GOST R 34.10-2001", KeyUse::Deprecated),
            13 => ("ECDSAP256SHA256", "ECDSA Curve P-256 with SHA-256", KeyUse::Ok),
            14 => ("ECDSAP384SHA384", "ECDSA Curve P-384 with SHA-384", KeyUse::Ok),
            15 => ("ED25519", "Ed25519", KeyUse::Ok),
            16 => ("ED448", "Ed448", KeyUse::Ok),
            17 => ("SM2SM3", "SM2 signing algorithm with SM3 hashing algorithm", KeyUse::Ok),
            23 => ("ECC-GOST12", "GOST R 34.10-2012", KeyUse::Ok),
            252 => ("INDIRECT", "Reserved for Indirect Keys", KeyUse::NotForZones),
            253 => ("PRIVATEDNS", "private algorithm", KeyUse::Private),
            254 => ("PRIVATEOID", "private algorithm OID", KeyUse::Private),
            18..=22 | 24..=122 => ("UNASSIGNED", "Unassigned", KeyUse::Unassigned),
            4 | 9 | 11 | 123..=251 | 255 => ("RESERVED", "Reserved", KeyUse::Reserved),
        };
        Self {
            number,
            mnemonic,
            description,
            signing,
        }
    }

    /// Whether signatures of this algorithm can be verified here (those of the `ring` library, and Ed448).
    pub fn is_supported(self) -> bool {
        matches!(
            SecurityAlgorithm::from_int(self.number),
            SecurityAlgorithm::RSASHA1
                | SecurityAlgorithm::RSASHA1_NSEC3_SHA1
                | SecurityAlgorithm::RSASHA256
                | SecurityAlgorithm::RSASHA512
                | SecurityAlgorithm::ECDSAP256SHA256
                | SecurityAlgorithm::ECDSAP384SHA384
                | SecurityAlgorithm::ED25519
                | SecurityAlgorithm::ED448
        )
    }

    /// Whether the key is an RSA key, whose size its owner chose.
    pub fn is_rsa(self) -> bool {
        matches!(self.number, 1 | 5 | 7 | 8 | 10)
    }
}

/// What the registry says of a digest type in a DS at the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestUse {
    /// Fit for DS records.
    Ok,
    /// No longer to be used for delegation.
    Deprecated,
    /// Not a digest at all: number 0, used to ask for the removal of a DS.
    NotForDs,
    /// For private agreement, not for the public DNS.
    Private,
    /// Kept back by IANA.
    Reserved,
    /// Free: nobody can know what it means.
    Unassigned,
}

/// A DS digest type of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestType {
    /// Its number.
    pub number: u8,
    /// Its name for people.
    pub description: &'static str,
    /// What it may be used for.
    pub delegation: DigestUse,
}

impl DigestType {
    /// The row of the registry for `number`; every number has one.
    pub fn of(number: u8) -> Self {
        let (description, delegation) = match number {
            0 => ("Reserved", DigestUse::NotForDs),
            1 => ("SHA-1", DigestUse::Deprecated),
            2 => ("SHA-256", DigestUse::Ok),
            3 => ("GOST R 34.11-94", DigestUse::Deprecated),
            4 => ("SHA-384", DigestUse::Ok),
            5 => ("GOST R 34.11-2012", DigestUse::Ok),
            6 => ("SM3", DigestUse::Ok),
            128..=252 => ("Reserved", DigestUse::Reserved),
            253..=254 => ("Reserved for Private Use", DigestUse::Private),
            7..=127 | 255 => ("Unassigned", DigestUse::Unassigned),
        };
        Self {
            number,
            description,
            delegation,
        }
    }

    /// Whether this digest can be computed here.
    pub fn is_supported(self) -> bool {
        matches!(
            DigestAlgorithm::from_int(self.number),
            DigestAlgorithm::SHA1 | DigestAlgorithm::SHA256 | DigestAlgorithm::SHA384
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_every_range_of_algorithms_fall_on_the_right_side() {
        use KeyUse::*;
        for (number, expected) in [
            (4, Reserved),
            (9, Reserved),
            (11, Reserved),
            (17, Ok),
            (18, Unassigned),
            (22, Unassigned),
            (23, Ok),
            (24, Unassigned),
            (122, Unassigned),
            (123, Reserved),
            (251, Reserved),
            (252, NotForZones),
            (253, Private),
            (254, Private),
            (255, Reserved),
        ] {
            assert_eq!(Algorithm::of(number).signing, expected, "algorithm {number}");
        }
    }

    #[test]
    fn the_edges_of_every_range_of_digests_fall_on_the_right_side() {
        use DigestUse::*;
        for (number, expected) in [
            (0, NotForDs),
            (6, Ok),
            (7, Unassigned),
            (127, Unassigned),
            (128, Reserved),
            (252, Reserved),
            (253, Private),
            (254, Private),
            (255, Unassigned),
        ] {
            assert_eq!(DigestType::of(number).delegation, expected, "digest {number}");
        }
    }

    #[test]
    fn what_can_be_verified_is_also_fit_or_was_once_fit_for_signing() {
        let supported: Vec<u8> = (0..=255)
            .filter(|number| Algorithm::of(*number).is_supported())
            .collect();
        assert_eq!(supported, [5, 7, 8, 10, 13, 14, 15, 16]);
        let digests: Vec<u8> = (0..=255)
            .filter(|number| DigestType::of(*number).is_supported())
            .collect();
        assert_eq!(digests, [1, 2, 4]);
    }
}
