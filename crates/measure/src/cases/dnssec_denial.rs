//! Proofs of absence: dnssec10 (NSEC or NSEC3, one of them and sound), dnssec03 (the settings of NSEC3).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::Rtype;
use domain::rdata::{Nsec3, Nsec3param};
use model::{Name, Timestamp};

use super::Emission;
use super::dnssec::{MAX_SIGNATURES, Seen, children, has_keys, key_set, named, note, sound, with_servers};
use crate::dnssec::{Algorithm, Dnskey, Proof, Rrsig, Validity, denial, signature};
use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;
use crate::server::Server;

/// How the messages of dnssec10 are called that exist for both kinds of proof.
struct Kind {
    rtype: Rtype,
    several: &'static str,
    soa_missing: &'static str,
    soa_wrong: &'static str,
    not_apex: &'static str,
    types_wrong: &'static str,
    unsigned: &'static str,
    no_key: &'static str,
    expired: &'static str,
    not_yet_valid: &'static str,
    not_valid: &'static str,
    none_valid: &'static str,
    /// Types that the list at the apex must hold, and must not.
    must: [Rtype; 5],
    must_not: [Rtype; 2],
}

static NSEC: Kind = Kind {
    rtype: Rtype::NSEC,
    several: "DS10_ERR_MULT_NSEC",
    soa_missing: "DS10_NSEC_NODATA_MISSING_SOA",
    soa_wrong: "DS10_NSEC_NODATA_WRONG_SOA",
    not_apex: "DS10_NSEC_MISMATCHES_APEX",
    types_wrong: "DS10_NSEC_ERR_TYPE_LIST",
    unsigned: "DS10_NSEC_MISSING_SIGNATURE",
    no_key: "DS10_NSEC_RRSIG_NO_DNSKEY",
    expired: "DS10_NSEC_RRSIG_EXPIRED",
    not_yet_valid: "DS10_NSEC_RRSIG_NOT_YET_VALID",
    not_valid: "DS10_NSEC_RRSIG_VERIFY_ERROR",
    none_valid: "DS10_NSEC_NO_VERIFIED_SIGNATURE",
    must: [Rtype::SOA, Rtype::NS, Rtype::DNSKEY, Rtype::NSEC, Rtype::RRSIG],
    must_not: [Rtype::NSEC3PARAM, Rtype::NSEC3],
};

static NSEC3: Kind = Kind {
    rtype: Rtype::NSEC3,
    several: "DS10_ERR_MULT_NSEC3",
    soa_missing: "DS10_NSEC3_NODATA_MISSING_SOA",
    soa_wrong: "DS10_NSEC3_NODATA_WRONG_SOA",
    not_apex: "DS10_NSEC3_MISMATCHES_APEX",
    types_wrong: "DS10_NSEC3_ERR_TYPE_LIST",
    unsigned: "DS10_NSEC3_MISSING_SIGNATURE",
    no_key: "DS10_NSEC3_RRSIG_NO_DNSKEY",
    expired: "DS10_NSEC3_RRSIG_EXPIRED",
    not_yet_valid: "DS10_NSEC3_RRSIG_NOT_YET_VALID",
    not_valid: "DS10_NSEC3_RRSIG_VERIFY_ERROR",
    none_valid: "DS10_NSEC3_NO_VERIFIED_SIGNATURE",
    must: [Rtype::SOA, Rtype::NS, Rtype::DNSKEY, Rtype::NSEC3PARAM, Rtype::RRSIG],
    must_not: [Rtype::NSEC, Rtype::NSEC3],
};

/// What the servers of a zone say about what is not there.
#[derive(Default)]
struct Absence {
    /// Servers by message.
    servers: Seen<&'static str>,
    /// Servers by message and key tag.
    tagged: Seen<(&'static str, u16)>,
    /// Servers by message and owner of a wrong SOA.
    owners: Seen<(&'static str, Name)>,
    not_supported: Seen<(u8, u16)>,
    nsec_in_answer: BTreeSet<IpAddr>,
    nsec_in_proof: BTreeSet<IpAddr>,
    param_in_answer: BTreeSet<IpAddr>,
    nsec3_in_proof: BTreeSet<IpAddr>,
    with_keys: BTreeSet<IpAddr>,
    without_keys: BTreeSet<IpAddr>,
}

/// dnssec10: does every server prove absence, with NSEC or NSEC3 alone, and rightly signed?
pub(super) async fn dnssec10(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let servers = children(run).await;
    let mut absence = Absence::default();
    let mut keys: BTreeMap<IpAddr, Vec<Dnskey>> = BTreeMap::new();
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::dnssec(zone, Rtype::DNSKEY))
        .await
    {
        let Some(response) = sound(&exchange) else { continue };
        if has_keys(response, zone) {
            absence.with_keys.insert(address);
            keys.insert(
                address,
                key_set(address, response, zone).map(|set| set.keys).unwrap_or_default(),
            );
        } else {
            absence.without_keys.insert(address);
        }
    }
    let [for_nsec, for_param] = [Rtype::NSEC, Rtype::NSEC3PARAM].map(|rtype| Question::dnssec(zone, rtype));
    let (nsec, param) = tokio::join!(
        run.ask_all(keys.keys().copied(), &for_nsec),
        run.ask_all(keys.keys().copied(), &for_param)
    );
    for (address, exchange) in &nsec {
        absence.judge_nsec(*address, exchange, zone, &keys[address], run.now());
    }
    for (address, exchange) in &param {
        absence.judge_param(*address, exchange, zone, &keys[address], run.now());
    }
    absence.emit(&servers)
}

impl Absence {
    fn say(&mut self, tag: &'static str, address: IpAddr) {
        note(&mut self.servers, tag, address);
    }

    /// Judges the answer to the question for NSEC: a zone with NSEC gives the record, one with NSEC3 a proof.
    fn judge_nsec(&mut self, address: IpAddr, exchange: &Exchange, zone: &Name, keys: &[Dnskey], now: Timestamp) {
        let Some(response) = sound(exchange) else {
            return self.say("DS10_NSEC_QUERY_RESPONSE_ERR", address);
        };
        let found: Vec<&Record> = response.answer_type(Rtype::NSEC).collect();
        if let Some(first) = found.first() {
            self.nsec_in_answer.insert(address);
            if found.len() > 1 {
                self.say("DS10_ERR_MULT_NSEC", address);
            } else if first.owner != *zone {
                self.say("DS10_NSEC_MISMATCHES_APEX", address);
            }
        } else if !response.answer.is_empty() {
            self.say("DS10_NSEC_GIVES_ERR_ANSWER", address);
        } else if in_authority(response, Rtype::NSEC3).next().is_some() {
            self.nsec3_in_proof.insert(address);
            self.judge_proof(&NSEC3, address, response, zone, keys, now);
        }
    }

    /// Judges the answer to the question for NSEC3PARAM: a zone with NSEC3 gives the record, one with NSEC a proof.
    fn judge_param(&mut self, address: IpAddr, exchange: &Exchange, zone: &Name, keys: &[Dnskey], now: Timestamp) {
        let Some(response) = sound(exchange) else {
            return self.say("DS10_NSEC3PARAM_QUERY_RESPONSE_ERR", address);
        };
        let found: Vec<&Record> = response.answer_type(Rtype::NSEC3PARAM).collect();
        if let Some(first) = found.first() {
            self.param_in_answer.insert(address);
            if found.len() > 1 {
                self.say("DS10_ERR_MULT_NSEC3PARAM", address);
            } else if first.owner != *zone {
                self.say("DS10_NSEC3PARAM_MISMATCHES_APEX", address);
            }
        } else if !response.answer.is_empty() {
            self.say("DS10_NSEC3PARAM_GIVES_ERR_ANSWER", address);
        } else if in_authority(response, Rtype::NSEC).next().is_some() {
            self.nsec_in_proof.insert(address);
            self.judge_proof(&NSEC, address, response, zone, keys, now);
        }
    }

    /// Judges the proof in an empty answer: its SOA, its one record, that record's type list and signatures.
    fn judge_proof(
        &mut self,
        kind: &'static Kind,
        address: IpAddr,
        response: &Response,
        zone: &Name,
        keys: &[Dnskey],
        now: Timestamp,
    ) {
        match in_authority(response, Rtype::SOA).next() {
            None => self.say(kind.soa_missing, address),
            Some(soa) if soa.owner != *zone => note(&mut self.owners, (kind.soa_wrong, soa.owner.clone()), address),
            Some(_) => {}
        }
        let proofs: Vec<&Record> = in_authority(response, kind.rtype).collect();
        let [proof] = proofs[..] else {
            return self.say(kind.several, address);
        };
        if !is_at_apex(proof, zone) {
            self.say(kind.not_apex, address);
        } else if !has_sound_types(kind, proof) {
            self.say(kind.types_wrong, address);
        }
        let signatures = response
            .authority_signatures(&proof.owner, kind.rtype)
            .take(MAX_SIGNATURES);
        let signatures: Vec<&Rrsig> = signatures.map(|(_, rrsig)| rrsig).collect();
        if signatures.is_empty() {
            return self.say(kind.unsigned, address);
        }
        let (mut is_verified, mut is_faulty) = (false, false);
        for rrsig in signatures {
            match judge_signature(kind, proof, rrsig, keys, now) {
                Judgement::Verified => is_verified = true,
                Judgement::NotSupported => {
                    note(
                        &mut self.not_supported,
                        (rrsig.algorithm().to_int(), rrsig.key_tag()),
                        address,
                    );
                }
                Judgement::Faulty(tag) => {
                    is_faulty = true;
                    note(&mut self.tagged, (tag, rrsig.key_tag()), address);
                }
            }
        }
        if is_faulty && !is_verified {
            self.say(kind.none_valid, address);
        }
    }

    fn emit(mut self, servers: &BTreeMap<IpAddr, Vec<Server>>) -> Vec<Emission> {
        let nsec: BTreeSet<IpAddr> = &self.nsec_in_answer | &self.nsec_in_proof;
        let nsec3: BTreeSet<IpAddr> = &self.param_in_answer | &self.nsec3_in_proof;
        let mut sets = vec![
            (
                "DS10_INCONSISTENT_NSEC",
                &(&self.nsec_in_answer ^ &self.nsec_in_proof) - &nsec3,
            ),
            (
                "DS10_INCONSISTENT_NSEC3",
                &(&self.param_in_answer ^ &self.nsec3_in_proof) - &nsec,
            ),
            ("DS10_MIXED_NSEC_NSEC3", &nsec & &nsec3),
            ("DS10_EXPECTED_NSEC_NSEC3_MISSING", &(&self.with_keys - &nsec) - &nsec3),
        ];
        if nsec3.is_empty() {
            sets.push(("DS10_HAS_NSEC", nsec.clone()));
        }
        if nsec.is_empty() {
            sets.push(("DS10_HAS_NSEC3", nsec3.clone()));
        }
        let unsigned = std::mem::take(&mut self.without_keys);
        let is_signed_somewhere = !self.with_keys.is_empty();
        sets.push((
            if is_signed_somewhere {
                "DS10_SERVER_NO_DNSSEC"
            } else {
                "DS10_ZONE_NO_DNSSEC"
            },
            unsigned,
        ));
        sets.extend(self.servers);

        let mut emitted: Vec<Emission> = sets
            .iter()
            .filter_map(|(tag, addresses)| with_servers(tag, servers, addresses))
            .collect();
        let (only_nsec, only_nsec3) = (&nsec - &nsec3, &nsec3 - &nsec);
        if !only_nsec.is_empty() && !only_nsec3.is_empty() {
            let emission = Emission::new("DS10_INCONSISTENT_NSEC_NSEC3");
            let emission = emission.list("ns_list_nsec", named(servers, &only_nsec));
            emitted.push(emission.list("ns_list_nsec3", named(servers, &only_nsec3)));
        }
        for ((tag, key_tag), addresses) in &self.tagged {
            emitted.extend(with_servers(tag, servers, addresses).map(|emission| emission.arg("keytag", key_tag)));
        }
        for ((tag, owner), addresses) in &self.owners {
            emitted.extend(with_servers(tag, servers, addresses).map(|emission| emission.arg("domain", owner)));
        }
        for ((algorithm, key_tag), addresses) in &self.not_supported {
            let emission = with_servers("DS10_ALGO_NOT_SUPPORTED_BY_ZM", servers, addresses);
            emitted.extend(emission.map(|emission| {
                let mnemonic = Algorithm::of(*algorithm).mnemonic;
                emission
                    .arg("algo_num", algorithm)
                    .arg("algo_mnemo", mnemonic)
                    .arg("keytag", key_tag)
            }));
        }
        emitted
    }
}

fn in_authority(response: &Response, rtype: Rtype) -> impl Iterator<Item = &Record> {
    response.authority.iter().filter(move |record| record.rtype() == rtype)
}

/// Whether a record of a proof belongs to the apex of the zone: by its name, or its name's hash.
fn is_at_apex(proof: &Record, zone: &Name) -> bool {
    match proof.nsec3() {
        Some(nsec3) => denial::nsec3_owner(zone, zone, &settings(nsec3)).is_some_and(|owner| owner == proof.owner),
        None => proof.owner == *zone,
    }
}

/// The settings by which an NSEC3 record was hashed.
fn settings(nsec3: &Nsec3<Vec<u8>>) -> Nsec3param<Vec<u8>> {
    Nsec3param::new(
        nsec3.hash_algorithm(),
        nsec3.flags(),
        nsec3.iterations(),
        nsec3.salt().clone(),
    )
}

fn has_sound_types(kind: &Kind, proof: &Record) -> bool {
    let types = match (proof.nsec(), proof.nsec3()) {
        (Some(nsec), _) => nsec.types(),
        (_, Some(nsec3)) => nsec3.types(),
        // A record that cannot be read lists nothing.
        (None, None) => return false,
    };
    denial::lists(types, &kind.must, &kind.must_not)
}

enum Judgement {
    Verified,
    NotSupported,
    Faulty(&'static str),
}

fn judge_signature(kind: &Kind, proof: &Record, rrsig: &Rrsig, keys: &[Dnskey], now: Timestamp) -> Judgement {
    if !keys.iter().any(|key| key.key_tag() == rrsig.key_tag()) {
        return Judgement::Faulty(kind.no_key);
    }
    match signature::validity(rrsig, now) {
        Validity::Expired => return Judgement::Faulty(kind.expired),
        Validity::NotYetValid => return Judgement::Faulty(kind.not_yet_valid),
        Validity::Valid => {}
    }
    match signature::verify_by_any(&[proof.to_wire()], rrsig, keys) {
        Some(Proof::Holds) => Judgement::Verified,
        Some(Proof::NotSupported) => Judgement::NotSupported,
        Some(Proof::Fails) | None => Judgement::Faulty(kind.not_valid),
    }
}

/// What the servers say of NSEC3.
#[derive(Default)]
struct Nsec3Settings {
    without_keys: BTreeSet<IpAddr>,
    with_keys: BTreeSet<IpAddr>,
    without: BTreeSet<IpAddr>,
    several: BTreeSet<IpAddr>,
    silent: BTreeSet<IpAddr>,
    in_error: BTreeSet<IpAddr>,
    hashes: Seen<u8>,
    flags: Seen<u8>,
    iterations: Seen<u16>,
    salts: Seen<usize>,
}

/// dnssec03: are the settings of NSEC3 those that are advised (RFC 9276), and the same everywhere?
pub(super) async fn dnssec03(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let servers = children(run).await;
    let mut seen = Nsec3Settings::default();
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::dnssec(zone, Rtype::DNSKEY))
        .await
    {
        if let Some(response) = sound(&exchange) {
            let of = if has_keys(response, zone) {
                &mut seen.with_keys
            } else {
                &mut seen.without_keys
            };
            of.insert(address);
        }
    }
    for (address, exchange) in run
        .ask_all(seen.with_keys.clone(), &Question::dnssec(zone, Rtype::NSEC))
        .await
    {
        if exchange.response().is_none() {
            seen.silent.insert(address);
            continue;
        }
        let Some(response) = sound(&exchange) else {
            seen.in_error.insert(address);
            continue;
        };
        let found: Vec<&Nsec3<Vec<u8>>> = in_authority(response, Rtype::NSEC3).filter_map(Record::nsec3).collect();
        let Some(nsec3) = found.first() else {
            seen.without.insert(address);
            continue;
        };
        if found.len() > 1 {
            seen.several.insert(address);
        }
        note(&mut seen.hashes, nsec3.hash_algorithm().to_int(), address);
        note(&mut seen.flags, nsec3.flags(), address);
        note(&mut seen.iterations, nsec3.iterations(), address);
        note(&mut seen.salts, nsec3.salt().as_slice().len(), address);
    }
    emit_settings(&seen, zone, &servers)
}

fn emit_settings(seen: &Nsec3Settings, zone: &Name, servers: &BTreeMap<IpAddr, Vec<Server>>) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let tag = if seen.with_keys.is_empty() {
        "DS03_NO_DNSSEC_SUPPORT"
    } else {
        "DS03_SERVER_NO_DNSSEC_SUPPORT"
    };
    emitted.extend(with_servers(tag, servers, &seen.without_keys));
    let tag = if seen.hashes.is_empty() {
        "DS03_NO_NSEC3"
    } else {
        "DS03_SERVER_NO_NSEC3"
    };
    emitted.extend(with_servers(tag, servers, &seen.without));
    emitted.extend(with_servers("DS03_ERR_MULT_NSEC3", servers, &seen.several));
    emitted.extend(with_servers("DS03_NO_RESPONSE_NSEC_QUERY", servers, &seen.silent));
    emitted.extend(with_servers("DS03_ERROR_RESPONSE_NSEC_QUERY", servers, &seen.in_error));

    if seen.hashes.len() > 1 {
        emitted.push(Emission::new("DS03_INCONSISTENT_HASH_ALGO"));
    }
    for (algorithm, addresses) in &seen.hashes {
        emitted.extend(match algorithm {
            1 => with_servers("DS03_LEGAL_HASH_ALGO", servers, addresses),
            _ => with_servers("DS03_ILLEGAL_HASH_ALGO", servers, addresses)
                .map(|emission| emission.arg("algo_num", algorithm)),
        });
    }
    if seen.flags.len() > 1 {
        emitted.push(Emission::new("DS03_INCONSISTENT_NSEC3_FLAGS"));
    }
    // Bits are counted from the left: 7 is the last one, opt-out (RFC 5155 §11).
    for bit in 0..7_u8 {
        let set = seen.flags.iter().filter(|(flags, _)| **flags & (0x80 >> bit) != 0);
        let addresses: BTreeSet<IpAddr> = set.flat_map(|(_, addresses)| addresses).copied().collect();
        let emission = with_servers("DS03_UNASSIGNED_FLAG_USED", servers, &addresses);
        emitted.extend(emission.map(|emission| emission.arg("int", bit)));
    }
    let (opted_out, others): (Vec<_>, Vec<_>) = seen.flags.iter().partition(|(flags, _)| **flags & 1 != 0);
    let union = |sets: Vec<(&u8, &BTreeSet<IpAddr>)>| sets.into_iter().flat_map(|(_, set)| set).copied().collect();
    let (opted_out, others): (BTreeSet<IpAddr>, BTreeSet<IpAddr>) = (union(opted_out), union(others));
    let tag = if is_registry(zone) {
        "DS03_NSEC3_OPT_OUT_ENABLED_TLD"
    } else {
        "DS03_NSEC3_OPT_OUT_ENABLED_NON_TLD"
    };
    emitted.extend(with_servers(tag, servers, &opted_out));
    emitted.extend(with_servers("DS03_NSEC3_OPT_OUT_DISABLED", servers, &others));

    if seen.iterations.len() > 1 {
        emitted.push(Emission::new("DS03_INCONSISTENT_ITERATION"));
    }
    for (iterations, addresses) in &seen.iterations {
        emitted.extend(match iterations {
            0 => with_servers("DS03_LEGAL_ITERATION_VALUE", servers, addresses),
            _ => with_servers("DS03_ILLEGAL_ITERATION_VALUE", servers, addresses)
                .map(|emission| emission.arg("int", iterations)),
        });
    }
    if seen.salts.len() > 1 {
        emitted.push(Emission::new("DS03_INCONSISTENT_SALT_LENGTH"));
    }
    for (octets, addresses) in &seen.salts {
        emitted.extend(match octets {
            0 => with_servers("DS03_LEGAL_EMPTY_SALT", servers, addresses),
            _ => {
                with_servers("DS03_ILLEGAL_SALT_LENGTH", servers, addresses).map(|emission| emission.arg("int", octets))
            }
        });
    }
    emitted
}

/// Whether a zone mostly delegates, so that opt-out is in place: the root and top-level domains.
///
/// Registries lower down, which the Public Suffix List names, are not known here and get the notice for other zones.
fn is_registry(zone: &Name) -> bool {
    zone.label_count() <= 1
}
