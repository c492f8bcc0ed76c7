//! How a zone is signed: by one key that signs everything, or by keys each with a part of its own, right or wrong.

use domain::base::iana::{Rtype, SecurityAlgorithm};
use model::Ds;
use serde::{Deserialize, Serialize};

use crate::span::Span;

/// Flags of a zone key that is also the secure entry point (RFC 4034 §2.1.1).
const ENTRY_POINT: u16 = 257;

/// How a zone is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signing {
    /// Algorithm of its one key.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Its keys, where it has others than one that signs everything.
    #[serde(default)]
    pub keys: Vec<Key>,
    /// How it proves that names do not exist.
    #[serde(default)]
    pub denial: Denial,
    /// Inception of its signatures, counted from the lab's start. One hour before by default (clocks differ).
    #[serde(default = "an_hour_before")]
    pub signed_at: Span,
    /// From inception to expiration; 14 days by default.
    #[serde(default = "fourteen_days")]
    pub validity: Span,
    /// Whether the parent gets a DS.
    #[serde(default)]
    pub ds: ParentDs,
    /// The CDS records at its top (RFC 7344 §3.1); those of the zone file stand beside them.
    #[serde(default)]
    pub cds: Vec<Wish>,
    /// The CDNSKEY records at its top (RFC 7344 §3.2).
    #[serde(default)]
    pub cdnskey: Vec<Wish>,
}

fn an_hour_before() -> Span {
    Span::seconds(-3_600)
}

fn fourteen_days() -> Span {
    Span::seconds(14 * 86_400)
}

/// One key of a zone, and what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Name by which wishes and tests mean it. It is the same key in every edition of the zone that has a key of this
    /// name, algorithm and flags.
    pub name: String,
    /// Algorithm.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Instead of a whole key, only the public half of one, which signs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_only: Option<PublicOnly>,
    /// Flags (RFC 4034 §2.1.1); 257 by default.
    #[serde(default = "entry_point")]
    pub flags: u16,
    /// Whether it stands in the zone's DNSKEY RRset.
    #[serde(default = "yes")]
    pub published: bool,
    /// Types of the RRsets that it signs; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs: Option<Vec<Rtype>>,
    /// Types of RRsets that it leaves out.
    #[serde(default)]
    pub spares: Vec<Rtype>,
    /// Whether the parent's DS set points at it; by default when it is flagged as an entry point and published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ds: Option<bool>,
}

fn entry_point() -> u16 {
    ENTRY_POINT
}

fn yes() -> bool {
    true
}

/// The public half of a key that nobody has: octets of a size, under an algorithm's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicOnly {
    /// The algorithm (IANA DNSSEC algorithm numbers).
    pub algorithm: u8,
    /// Size in bits: of an RSA key the modulus (RFC 3110 §2), of any other all its octets. 8 to 8192.
    pub bits: u16,
}

impl PublicOnly {
    /// Numbers of the algorithms whose keys are exponent and modulus (RSA).
    const RSA: [u8; 5] = [1, 5, 7, 8, 10];

    pub(crate) fn is_rsa(self) -> bool {
        Self::RSA.contains(&self.algorithm)
    }
}

impl Key {
    /// The one key of a zone that names none: it signs everything.
    fn sole(algorithm: Algorithm) -> Self {
        Self {
            name: String::new(),
            algorithm,
            public_only: None,
            flags: ENTRY_POINT,
            published: true,
            signs: None,
            spares: Vec::new(),
            ds: None,
        }
    }

    pub(crate) fn signs(&self, rtype: Rtype) -> bool {
        let is_meant = self.signs.as_ref().is_none_or(|types| types.contains(&rtype));
        self.public_only.is_none() && is_meant && !self.spares.contains(&rtype)
    }

    pub(crate) fn has_ds(&self) -> bool {
        self.ds
            .unwrap_or(self.published && self.flags & ENTRY_POINT == ENTRY_POINT)
    }
}

/// What a zone asks of its parent by one CDS or CDNSKEY record: the name of one of its keys; `delete` (RFC 8078 §4); or, for
/// CDS alone, a DS as it is written elsewhere (`12345,13,2,aabb..`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wish(pub String);

impl Wish {
    pub(crate) fn is_delete(&self) -> bool {
        self.0 == "delete"
    }

    pub(crate) fn as_ds(&self) -> Option<Ds> {
        self.0.parse().ok()
    }
}

impl Signing {
    /// The keys, of which there is at least one.
    pub(crate) fn key_list(&self) -> Vec<Key> {
        if self.keys.is_empty() {
            vec![Key::sole(self.algorithm)]
        } else {
            self.keys.clone()
        }
    }

    /// Says what about it does not fit, if anything.
    pub(crate) fn contradiction(&self) -> Option<String> {
        let mut names: Vec<&str> = self.keys.iter().map(|key| key.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Some(format!("two keys have the name `{}`", twice[0]));
        }
        let sizes = self.keys.iter().filter_map(|key| key.public_only);
        if let Some(wrong) = sizes.map(|half| half.bits).find(|bits| !(8..=8192).contains(bits)) {
            return Some(format!("a key of {wrong} bits is not between 8 and 8192"));
        }
        let is_known = |wish: &Wish| wish.is_delete() || names.contains(&wish.0.as_str());
        let stranger = |wishes: &[Wish], is_ds: bool| {
            let mut wrong = wishes
                .iter()
                .filter(|wish| !(is_known(wish) || is_ds && wish.as_ds().is_some()));
            wrong.next().map(|wish| wish.0.clone())
        };
        let wish = stranger(&self.cds, true).or_else(|| stranger(&self.cdnskey, false))?;
        Some(format!("`{wish}` is neither the name of a key nor `delete`"))
    }
}

/// Signature algorithms of the lab (RFC 8624 lets all be used).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// ECDSA P-256 with SHA-256 (13).
    #[default]
    EcdsaP256,
    /// ECDSA P-384 with SHA-384 (14).
    EcdsaP384,
    /// Ed25519 (15).
    Ed25519,
}

impl Algorithm {
    /// The algorithm's number (IANA DNSSEC algorithm numbers).
    pub fn number(self) -> u8 {
        match self {
            Algorithm::EcdsaP256 => SecurityAlgorithm::ECDSAP256SHA256.to_int(),
            Algorithm::EcdsaP384 => SecurityAlgorithm::ECDSAP384SHA384.to_int(),
            Algorithm::Ed25519 => SecurityAlgorithm::ED25519.to_int(),
        }
    }
}

/// Ways to prove that a name does not exist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// NSEC (RFC 4034 §4).
    Nsec,
    /// NSEC3 with no extra iterations and an empty salt (RFC 9276 §3.1).
    #[default]
    Nsec3,
}

/// Whether the parent of a signed zone carries a DS for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParentDs {
    /// The DS of the zone's keys (SHA-256) is put in.
    #[default]
    Auto,
    /// None is put in.
    None,
}
