//! One zone of the chain, with which its RRsets are judged.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};
use jiff::Timestamp;
use model::{Name, RrsetState, Security, SignatureState};

use super::faults::{Fault, Faults};
use crate::dnssec::{Algorithm, Dnskey, Rrset, SignatureFault, signature, signed};

/// A zone whose state is known.
pub(super) struct Zone {
    pub name: Name,
    pub state: Security,
    /// The keys of its trusted key sets; of all its key sets where none is trusted.
    pub keys: Vec<Dnskey>,
    /// Algorithms of the DS records that point at it: each must sign everything (RFC 6840 §5.11).
    pub ds_algorithms: BTreeSet<u8>,
    pub now: Timestamp,
}

/// An RRset as some servers give it.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub set: Rrset,
    pub servers: BTreeSet<IpAddr>,
    /// Whether these servers answered without EDNS, so that no signatures can be expected.
    pub without_edns: bool,
}

/// Adds what one server gave to the versions seen so far.
pub(super) fn add_version(versions: &mut Vec<Version>, set: Rrset, server: IpAddr, without_edns: bool) {
    let known = versions
        .iter_mut()
        .find(|version| version.without_edns == without_edns && version.set == set);
    match known {
        Some(version) => {
            version.servers.insert(server);
        }
        None => versions.push(Version {
            set,
            servers: BTreeSet::from([server]),
            without_edns,
        }),
    }
}

impl Zone {
    /// Judges one version of an RRset of this zone, and notes all that is wrong with it.
    pub fn judge(&self, version: &Version, faults: &mut Faults) -> RrsetState {
        let set = &version.set;
        let mut reasons = BTreeSet::new();
        let mut note = |fault: Fault, tag: &'static str, servers: &BTreeSet<IpAddr>| {
            reasons.insert(tag.to_owned());
            faults.note(fault, servers);
        };
        let mut signatures = Vec::new();
        for one in &set.signatures {
            let judged = signed::judge(set, one, &self.name, &self.keys, self.now);
            for fault in judged.faults.iter().filter(|_| !self.keys.is_empty()) {
                let tag = tag_of(*fault);
                let fault = Fault::new(tag, &self.name)
                    .arg("keytag", one.rrsig.key_tag())
                    .arg("algo_num", one.rrsig.algorithm().to_int())
                    .rrset(&set.owner, set.rtype);
                note(fault, tag, &version.servers);
            }
            signatures.push(SignatureState {
                key_tag: one.rrsig.key_tag(),
                algorithm: one.rrsig.algorithm().to_int(),
                signer: Name::from_wire(one.rrsig.signer_name()),
                inception: signature::inception(&one.rrsig, self.now),
                expiration: signature::expiration(&one.rrsig, self.now),
                is_valid: judged.is_valid,
            });
        }
        if set.signatures.is_empty() && !self.keys.is_empty() {
            let tag = if version.without_edns {
                "CH02_SERVER_WITHOUT_DNSSEC"
            } else {
                "CH02_RRSIG_MISSING"
            };
            note(
                Fault::new(tag, &self.name).rrset(&set.owner, set.rtype),
                tag,
                &version.servers,
            );
        } else {
            for algorithm in self.unsigned_algorithms(set) {
                let tag = "CH02_ALGORITHM_OF_DS_MISSING";
                let fault = Fault::new(tag, &self.name)
                    .arg("algo_num", algorithm)
                    .arg("algo_mnemo", Algorithm::of(algorithm).mnemonic)
                    .rrset(&set.owner, set.rtype);
                note(fault, tag, &version.servers);
            }
        }
        let state = match self.state {
            Security::Secure if signatures.iter().any(|signature| signature.is_valid) => Security::Secure,
            Security::Secure => Security::Bogus,
            other => other,
        };
        if state == Security::Bogus && self.state == Security::Secure {
            let fault = Fault::new("CH01_RRSET_BOGUS", &self.name).rrset(&set.owner, set.rtype);
            faults.note(fault, &version.servers);
        }
        RrsetState {
            owner: set.owner.clone(),
            rtype: set.rtype.to_int(),
            state,
            records: set.records.iter().map(|record| record.data().to_string()).collect(),
            signatures,
            servers: version.servers.clone(),
            reasons,
        }
    }

    /// Algorithms that the DS set promises and no signature over the set has.
    fn unsigned_algorithms(&self, set: &Rrset) -> Vec<u8> {
        let has = |algorithm: u8| {
            set.signatures
                .iter()
                .any(|signature| signature.rrsig.algorithm().to_int() == algorithm)
        };
        let wanted = self.ds_algorithms.iter().copied();
        wanted
            .filter(|algorithm| !self.keys.is_empty() && !has(*algorithm))
            .collect()
    }
}

fn tag_of(fault: SignatureFault) -> &'static str {
    match fault {
        SignatureFault::SignerNotZone => "CH02_SIGNER_NOT_ZONE",
        SignatureFault::LabelsExceedOwner => "CH02_LABELS_EXCEED_OWNER",
        SignatureFault::OriginalTtlExceeded => "CH02_ORIGINAL_TTL_EXCEEDED",
        SignatureFault::OwnTtlExceedsOriginal => "CH02_RRSIG_TTL_EXCEEDS_ORIGINAL",
        SignatureFault::TtlDiffers => "CH02_RRSIG_TTL_DIFFERS",
        SignatureFault::TtlBeyondExpiration => "CH02_TTL_BEYOND_EXPIRATION",
        SignatureFault::EndsBeforeItBegins => "CH02_EXPIRATION_BEFORE_INCEPTION",
        SignatureFault::Expired => "CH02_EXPIRED",
        SignatureFault::NotYetValid => "CH02_NOT_YET_VALID",
        SignatureFault::EndsWithinClockSkew => "CH02_EXPIRES_WITHIN_CLOCK_SKEW",
        SignatureFault::BeganWithinClockSkew => "CH02_BEGAN_WITHIN_CLOCK_SKEW",
        SignatureFault::BadLength => "CH02_BAD_LENGTH",
        SignatureFault::AlgorithmDiffers => "CH02_ALGORITHM_DIFFERS_FROM_KEY",
        SignatureFault::NotSupported => "CH02_ALGORITHM_NOT_SUPPORTED",
        SignatureFault::NoKey => "CH02_NO_KEY",
        SignatureFault::NotByZoneKey => "CH02_NOT_BY_ZONE_KEY",
        SignatureFault::ByRevokedKey => "CH02_BY_REVOKED_KEY",
        SignatureFault::DoesNotVerify => "CH02_DOES_NOT_VERIFY",
    }
}

/// Adds a state, or the servers and signatures of one that is the same otherwise.
pub(super) fn add_state(states: &mut Vec<RrsetState>, new: RrsetState) {
    let same = |known: &&mut RrsetState| {
        (&known.owner, known.rtype, known.state) == (&new.owner, new.rtype, new.state)
            && known.records == new.records
            && known.reasons == new.reasons
    };
    match states.iter_mut().find(same) {
        Some(known) => {
            known.servers.extend(&new.servers);
            known.signatures.extend(new.signatures);
            known.signatures.sort();
            known.signatures.dedup();
        }
        None => states.push(new),
    }
}

/// The versions of an RRset in the answers of a zone's servers.
pub(super) fn versions_of(answers: &super::ask::Answers, owner: &Name, rtype: Rtype) -> Vec<Version> {
    let mut versions = Vec::new();
    for (address, response) in super::ask::usable(answers).filter(|(_, response)| response.authoritative) {
        let section: Vec<_> = response
            .answer
            .iter()
            .filter(|record| record.owner == *owner && record.class == Class::IN)
            .cloned()
            .collect();
        let sets = crate::dnssec::rrsets(&section).into_iter();
        for set in sets.filter(|set| set.rtype == rtype) {
            add_version(&mut versions, set, address, response.edns.is_none());
        }
    }
    versions
}
