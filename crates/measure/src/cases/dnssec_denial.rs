//! Proofs of absence: dnssec10 (NSEC or NSEC3, one of them, and sound).

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

pub(super) fn in_authority(response: &Response, rtype: Rtype) -> impl Iterator<Item = &Record> {
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

#[cfg(test)]
mod tests {
    use domain::base::iana::SecurityAlgorithm;
    use proptest::prelude::*;

    use super::super::dnssec::{ds_records, has_signed_ds, has_signed_keys};
    use super::*;

    /// An authoritative answer whose sections hold records of the zone `example` with these types and octets.
    fn answer(sections: [&[(u16, Vec<u8>)]; 2]) -> Vec<u8> {
        let mut wire = vec![0, 0, 0x84, 0, 0, 0];
        for records in sections {
            wire.extend((records.len() as u16).to_be_bytes());
        }
        wire.extend([0, 0]);
        for (rtype, octets) in sections.into_iter().flatten() {
            wire.extend(b"\x07example\x00");
            wire.extend(rtype.to_be_bytes());
            wire.extend([0, 1, 0, 0, 0, 60]);
            wire.extend((octets.len() as u16).to_be_bytes());
            wire.extend(octets);
        }
        wire
    }

    fn records() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
        let rtype = prop::sample::select(vec![6, 43, 46, 47, 48, 50, 51]);
        // Octets that begin like an RRSIG over NSEC3 or DNSKEY reach further than random ones.
        let rrsig = prop::sample::select(vec![0, 47, 48, 50]).prop_flat_map(|covered| {
            prop::collection::vec(any::<u8>(), 16..90).prop_map(move |mut octets| {
                octets[..2].copy_from_slice(&[0, covered]);
                octets.splice(18.min(octets.len()).., *b"\x07example\x00");
                octets
            })
        });
        let octets = prop_oneof![prop::collection::vec(any::<u8>(), 0..90), rrsig];
        prop::collection::vec((rtype, octets), 0..6)
    }

    proptest! {
        #[test]
        fn no_answer_makes_judging_panic(in_answer in records(), in_authority in records(), key in prop::collection::vec(any::<u8>(), 0..80)) {
            let wire = answer([&in_answer, &in_authority]);
            let response = Response::read(&wire, Rtype::NSEC).unwrap();
            let zone: Name = "example".parse().unwrap();
            let address: IpAddr = "192.0.2.1".parse().unwrap();
            let mut keys = key_set(address, &response, &zone).map(|set| set.keys).unwrap_or_default();
            keys.push(Dnskey::new(257, 3, SecurityAlgorithm::ED25519, key).unwrap());
            ds_records(&response, &zone);
            has_signed_keys(&response, &zone);
            has_signed_ds(&response, &zone);
            for kind in [&NSEC, &NSEC3] {
                let mut absence = Absence::default();
                absence.judge_proof(kind, address, &response, &zone, &keys, Timestamp::UNIX_EPOCH);
                absence.emit(&BTreeMap::new());
            }
        }
    }
}
