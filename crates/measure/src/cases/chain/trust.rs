//! From zone to zone: what hands trust down, and whether the keys below take it up.

use std::collections::BTreeSet;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::base::iana::Rtype;
use model::{AbsenceKind, Ds, KeyState, Link, Name, Security, Trust};

use super::absence;
use super::ask::{Asked, usable};
use super::faults::{Fault, Faults};
use super::zone::{Version, Zone, add_state, versions_of};
use crate::dnssec::{Algorithm, DigestType, Dnskey, DsMatch, KeyFault, Rrset, key, signed};
use crate::record::{Data, Record};

/// What hands trust to a zone from outside its parent.
pub(super) struct Given {
    /// Anchors of the zone.
    pub anchors: Vec<Ds>,
    /// The DS records given for a test, in place of the parent's.
    pub instead: Option<Vec<Ds>>,
}

/// Judges one zone of the chain; `above` is the zone before it.
pub(super) fn link(
    asked: &Asked,
    above: Option<&Zone>,
    above_link: Option<&mut Link>,
    given: Given,
    now: jiff::Timestamp,
    faults: &mut Faults,
) -> (Link, Zone) {
    let name = &asked.zone;
    let mut trust = Vec::new();
    if !given.anchors.is_empty() {
        trust.push(Trust {
            state: Security::Secure,
            ds: given.anchors.iter().cloned().collect(),
            servers: BTreeSet::new(),
        });
    }
    if let Some(instead) = given.instead {
        trust.push(Trust {
            state: Security::Secure,
            ds: instead.into_iter().collect(),
            servers: BTreeSet::new(),
        });
    } else if let (Some(above), Some(link)) = (above, above_link) {
        trust.extend(from_parent(asked, above, link, faults));
    }
    let mut reasons = BTreeSet::new();
    let versions = versions_of(&asked.keys, name, Rtype::DNSKEY);
    let trusted: BTreeSet<Ds> = secure(&trust).flat_map(|trust| trust.ds.iter().cloned()).collect();
    judge_ds(name, &trust, &versions, faults);
    let state = match secure(&trust).next() {
        Some(_) if trusted.is_empty() => {
            reasons.insert("CH01_INSECURE".to_owned());
            Security::Insecure
        }
        Some(_) => by_keys(asked, &trusted, &versions, now, faults, &mut reasons),
        None => trust
            .iter()
            .map(|trust| trust.state)
            .min()
            .unwrap_or(Security::Indeterminate),
    };
    let is_trusted_version =
        |version: &&Version| state != Security::Secure || is_vouched_by(&version.set, name, &trusted, now);
    let zone = Zone {
        name: name.clone(),
        state,
        keys: keys_of(versions.iter().filter(is_trusted_version)),
        ds_algorithms: trusted
            .iter()
            .filter(|_| state == Security::Secure)
            .map(|ds| ds.algorithm)
            .collect(),
        now,
    };
    let mut link = Link {
        zone: name.clone(),
        state,
        reasons,
        trust,
        keys: key_states(&zone, asked, &versions, &trusted, faults),
        rrsets: Vec::new(),
        absences: Vec::new(),
    };
    for version in &versions {
        let mut judged = zone.judge(version, faults);
        // the key set is trusted by a key that the DS means, not by any key of the zone
        if judged.state == Security::Secure && !is_vouched_by(&version.set, name, &trusted, now) {
            judged.state = Security::Bogus;
            let fault = Fault::new("CH01_RRSET_BOGUS", name).rrset(name, Rtype::DNSKEY);
            faults.note(fault, &version.servers);
        }
        add_state(&mut link.rrsets, judged);
    }
    (link, zone)
}

fn secure(trust: &[Trust]) -> impl Iterator<Item = &Trust> {
    trust.iter().filter(|trust| trust.state == Security::Secure)
}

/// What the parent's servers say of the DS, each version of its own.
fn from_parent(asked: &Asked, above: &Zone, link: &mut Link, faults: &mut Faults) -> Vec<Trust> {
    let mut trust: Vec<Trust> = Vec::new();
    let mut add = |state: Security, ds: BTreeSet<Ds>, servers: &BTreeSet<IpAddr>| {
        let known = trust.iter_mut().find(|known| known.state == state && known.ds == ds);
        match known {
            Some(known) => known.servers.extend(servers),
            None => trust.push(Trust {
                state,
                ds,
                servers: servers.clone(),
            }),
        }
    };
    let with_ds = versions_of(&asked.ds, &asked.zone, Rtype::DS);
    for version in &with_ds {
        let judged = above.judge(version, faults);
        let records = version.set.records.iter().filter_map(|record| match record.data() {
            Data::Ds(ds) => Some(Ds {
                key_tag: ds.key_tag(),
                algorithm: ds.algorithm().to_int(),
                digest_type: ds.digest_type().to_int(),
                digest: ds.digest().clone(),
            }),
            _ => None,
        });
        add(judged.state, records.collect(), &version.servers);
        add_state(&mut link.rrsets, judged);
    }
    for (address, response) in usable(&asked.ds) {
        let servers = BTreeSet::from([address]);
        if response.answers(&asked.zone, Rtype::DS).next().is_some() {
            continue;
        }
        if !response.authoritative {
            if response.is_referral() && above.name != asked.zone {
                let fault = Fault::new("CH04_REFERRAL_FOR_DS", &above.name).arg("domain", &asked.zone);
                faults.note(fault, &servers);
            }
            continue;
        }
        if response.is_nxdomain() {
            let fault = Fault::new("CH04_NO_SUCH_DELEGATION", &above.name).arg("domain", &asked.zone);
            faults.note(fault, &servers);
        }
        let question = (&asked.zone, Rtype::DS);
        let state = absence::judge_response(above, question, AbsenceKind::NoDs, address, response, link, faults);
        add(state, BTreeSet::new(), &servers);
    }
    judge_referrals(asked, above, faults);
    trust
}

/// Notes referrals of a signed parent that carry neither a DS nor a proof that there is none (RFC 4035 §3.1.4).
fn judge_referrals(asked: &Asked, above: &Zone, faults: &mut Faults) {
    if above.keys.is_empty() {
        return;
    }
    for (address, response) in usable(&asked.referral) {
        let is_referral = response.referral().is_some_and(|(zone, _)| zone == asked.zone);
        let decides = |record: &Record| matches!(record.rtype(), Rtype::DS | Rtype::NSEC | Rtype::NSEC3);
        if is_referral && response.edns.is_some() && !response.authority.iter().any(decides) {
            let fault = Fault::new("CH04_REFERRAL_WITHOUT_DS", &above.name).arg("domain", &asked.zone);
            faults.note(fault, [&address]);
        }
    }
}

/// The state of a zone that has trusted DS records.
fn by_keys(
    asked: &Asked,
    trusted: &BTreeSet<Ds>,
    versions: &[Version],
    now: jiff::Timestamp,
    faults: &mut Faults,
    reasons: &mut BTreeSet<String>,
) -> Security {
    let name = &asked.zone;
    let can_be_checked =
        |ds: &&Ds| Algorithm::of(ds.algorithm).is_supported() && DigestType::of(ds.digest_type).is_supported();
    if !trusted.iter().any(|ds| can_be_checked(&ds)) {
        reasons.insert("CH01_ALGORITHMS_NOT_SUPPORTED".to_owned());
        let algorithms = trusted.iter().map(|ds| ds.algorithm.to_string());
        let algorithms: Vec<String> = algorithms.collect::<BTreeSet<_>>().into_iter().collect();
        let fault = Fault::new("CH01_ALGORITHMS_NOT_SUPPORTED", name).arg("algo_num", algorithms.join(";"));
        faults.note(fault, []);
        return Security::Insecure;
    }
    let heard: BTreeSet<IpAddr> = usable(&asked.keys).map(|(address, _)| address).collect();
    if heard.is_empty() {
        return Security::Indeterminate;
    }
    let vouched: BTreeSet<u8> = versions
        .iter()
        .flat_map(|version| voucher(&version.set, name, trusted, now))
        .map(|key| key.algorithm().to_int())
        .collect();
    if vouched.is_empty() {
        reasons.insert("CH01_NO_ENTRY_POINT".to_owned());
        faults.note(Fault::new("CH01_NO_ENTRY_POINT", name), &heard);
        return Security::Bogus;
    }
    for ds in trusted.iter().filter(can_be_checked) {
        if !vouched.contains(&ds.algorithm) {
            let fault = Fault::new("CH01_ALGORITHM_WITHOUT_ENTRY_POINT", name)
                .arg("algo_num", ds.algorithm)
                .arg("algo_mnemo", Algorithm::of(ds.algorithm).mnemonic);
            faults.note(fault, &heard);
        }
    }
    Security::Secure
}

/// The keys of a set that a trusted DS means and that sign the set (RFC 4035 §5.2).
fn voucher<'s>(set: &'s Rrset, zone: &Name, trusted: &BTreeSet<Ds>, now: jiff::Timestamp) -> Vec<&'s Dnskey> {
    let is_meant = |key: &&Dnskey| {
        let means = |ds: &Ds| ds.key_tag == key.key_tag() && key::compare_ds(ds, zone, key) == DsMatch::Matches;
        trusted.iter().any(means)
    };
    let signs = |key: &&Dnskey| {
        let alone = std::slice::from_ref(*key);
        set.signatures
            .iter()
            .any(|signature| signed::judge(set, signature, zone, alone, now).is_valid)
    };
    keys_in(set).filter(is_meant).filter(signs).collect()
}

/// Whether a key that one of the DS records means signs the key set.
pub(super) fn is_vouched_by(set: &Rrset, zone: &Name, trusted: &BTreeSet<Ds>, now: jiff::Timestamp) -> bool {
    !voucher(set, zone, trusted, now).is_empty()
}

fn keys_in(set: &Rrset) -> impl Iterator<Item = &Dnskey> {
    set.records.iter().filter_map(|record| match record.data() {
        Data::Dnskey(key) => Some(key),
        _ => None,
    })
}

/// How many keys of one zone are looked at. Chosen by us: large enough for any rollover with several providers; more
/// make validators busy (CVE-2023-50387).
const MAX_KEYS: usize = 64;

fn keys_of<'v>(versions: impl Iterator<Item = &'v Version>) -> Vec<Dnskey> {
    let mut keys: Vec<Dnskey> = Vec::new();
    for key in versions.flat_map(|version| keys_in(&version.set)) {
        if keys.len() < MAX_KEYS && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

/// The keys of a zone with the servers that have them, and what is wrong with each.
fn key_states(
    zone: &Zone,
    asked: &Asked,
    versions: &[Version],
    trusted: &BTreeSet<Ds>,
    faults: &mut Faults,
) -> Vec<KeyState> {
    let sound: BTreeSet<IpAddr> = usable(&asked.keys)
        .filter(|(_, response)| response.authoritative && response.is_noerror())
        .map(|(address, _)| address)
        .collect();
    for (address, response) in usable(&asked.keys) {
        let elsewhere = response
            .answer_type(Rtype::DNSKEY)
            .filter(|record| record.owner != zone.name);
        for owner in elsewhere.map(|record: &Record| &record.owner) {
            faults.note(
                Fault::new("CH03_NOT_AT_APEX", &zone.name).arg("domain", owner),
                [&address],
            );
        }
    }
    let state = |key: &Dnskey| -> KeyState {
        let having = versions
            .iter()
            .filter(|version| keys_in(&version.set).any(|known| known == key));
        let servers: BTreeSet<IpAddr> = having.clone().flat_map(|version| version.servers.clone()).collect();
        let mut reasons = BTreeSet::new();
        let mut note = |tag: &'static str, servers: &BTreeSet<IpAddr>| {
            reasons.insert(tag.to_owned());
            let fault = Fault::new(tag, &zone.name)
                .arg("keytag", key.key_tag())
                .arg("algo_num", key.algorithm().to_int());
            faults.note(fault, servers);
        };
        for fault in key::faults(key) {
            let tag = match fault {
                KeyFault::NoZoneFlag => "CH03_NO_ZONE_KEY_FLAG",
                KeyFault::WrongProtocol => "CH03_WRONG_PROTOCOL",
                KeyFault::Empty => "CH03_EMPTY",
                KeyFault::BadLength => "CH03_BAD_LENGTH",
            };
            note(tag, &servers);
        }
        if key::is_revoked(key) {
            let is_signing = |set: &Rrset| set.signatures.iter().any(|one| one.rrsig.key_tag() == key.key_tag());
            if having.clone().all(|version| is_signing(&version.set)) {
                note("CH03_REVOKED", &servers);
            } else {
                note("CH03_REVOKED_NOT_SIGNING", &servers);
            }
        }
        let without: BTreeSet<IpAddr> = &sound - &servers;
        if !without.is_empty() {
            note("CH03_MISSING_FROM_SERVERS", &without);
        }
        let means = |ds: &&Ds| ds.key_tag == key.key_tag() && key::compare_ds(ds, &zone.name, key) == DsMatch::Matches;
        let is_vouched = having
            .clone()
            .any(|version| is_vouched_by(&version.set, &zone.name, trusted, zone.now));
        KeyState {
            key_tag: key.key_tag(),
            algorithm: key.algorithm().to_int(),
            flags: key.flags(),
            public_key: BASE64.encode(key.public_key()),
            state: match zone.state {
                Security::Secure if !is_vouched => Security::Bogus,
                other => other,
            },
            is_trusted: trusted.iter().any(|ds| means(&ds)),
            servers,
            reasons,
        }
    };
    keys_of(versions.iter()).iter().map(state).collect()
}

/// Notes what is wrong with the DS records themselves.
fn judge_ds(zone: &Name, trust: &[Trust], versions: &[Version], faults: &mut Faults) {
    let keys = keys_of(versions.iter());
    for trust in trust {
        for ds in &trust.ds {
            let mut note = |tag: &'static str| {
                let digest = DigestType::of(ds.digest_type);
                let fault = Fault::new(tag, zone)
                    .arg("keytag", ds.key_tag)
                    .arg("ds_algo_num", ds.digest_type)
                    .arg("ds_algo_descr", digest.description);
                faults.note(fault, &trust.servers);
            };
            if !DigestType::of(ds.digest_type).is_supported() {
                note("CH04_DIGEST_NOT_SUPPORTED");
            }
            if !Algorithm::of(ds.algorithm).is_supported() {
                note("CH04_ALGORITHM_NOT_SUPPORTED");
            }
            let has_sha256 = |other: &Ds| {
                (other.key_tag, other.algorithm) == (ds.key_tag, ds.algorithm) && [2, 4].contains(&other.digest_type)
            };
            if ds.digest_type == 1 && trust.ds.iter().any(has_sha256) {
                note("CH04_SHA1_BESIDE_SHA256");
            }
            let Some(key) = key::pointed_at(ds, zone, &keys) else {
                continue;
            };
            let same_algorithm = key.algorithm().to_int() == ds.algorithm;
            if key::compare_ds(ds, zone, key) == DsMatch::Differs && same_algorithm {
                note("CH04_DIGEST_INVALID");
            }
            if key::is_revoked(key) && key::compare_ds(ds, zone, key) == DsMatch::Matches {
                note("CH04_POINTS_AT_REVOKED_KEY");
            }
        }
    }
}
