//! Signatures at the top of the zone: dnssec04 (how long they last), dnssec08 (over the keys), dnssec09 (over the SOA).

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::Timestamp;

use super::Emission;
use super::dnssec::{Seen, Signable, key_sets, not_supported, note, per_key_tag, signatures, sound, with_addresses};
use crate::dnssec::{Algorithm, Dnskey, Proof, Rrsig, Validity, signature};
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;
use crate::server::Server;

/// dnssec04: do the signatures over keys and SOA end too soon, or last too long?
pub(super) async fn dnssec04(run: &Run) -> Vec<Emission> {
    let limits = run.limits();
    let mut emitted = Vec::new();
    for rtype in [Rtype::DNSKEY, Rtype::SOA] {
        let (servers, signatures) = first_signatures(run, rtype).await;
        for rrsig in signatures {
            let expiration = signature::expiration(&rrsig, run.now()).to_string();
            let remaining = signature::remaining_secs(&rrsig, run.now());
            let duration = signature::duration_secs(&rrsig);
            let say = |tag| {
                Emission::new(tag)
                    .arg("keytag", rrsig.key_tag())
                    .arg("types", rrsig.type_covered())
                    .list("ns_list", &servers)
            };
            emitted.push(say("RRSIG_EXPIRATION").arg("date", &expiration));
            let before = emitted.len();
            if remaining < 0 {
                emitted.push(say("RRSIG_EXPIRED").arg("expiration", &expiration));
            } else if remaining < limits.signature_remaining_min_secs {
                emitted.push(say("REMAINING_SHORT").arg("duration", remaining));
            } else if remaining > limits.signature_remaining_max_secs {
                emitted.push(say("REMAINING_LONG").arg("duration", remaining));
            }
            if duration > limits.signature_duration_max_secs {
                emitted.push(say("DURATION_LONG").arg("duration", duration));
            }
            if emitted.len() == before {
                emitted.push(say("DURATION_OK").arg("duration", duration));
            }
        }
    }
    emitted
}

/// The signatures over a type from the first server that answers well, or else from the first that answers at all, and the names
/// of that server.
async fn first_signatures(run: &Run, rtype: Rtype) -> (Vec<Server>, Vec<Rrsig>) {
    let addresses = run.child_addresses().await.keys().copied();
    let asked = run.ask_all(addresses, &Question::dnssec(run.zone(), rtype)).await;
    let well = asked
        .iter()
        .find_map(|(address, exchange)| Some((address, sound(exchange)?)));
    let any = || {
        asked
            .iter()
            .find_map(|(address, exchange)| Some((address, exchange.response()?)))
    };
    well.or_else(any)
        .map(|(address, response)| (run.servers_at(*address), signatures(response, run.zone(), rtype)))
        .unwrap_or_default()
}

/// What is wrong with the signatures over one RRset, by server.
#[derive(Default)]
struct Faults {
    missing: BTreeSet<IpAddr>,
    not_yet_valid: Seen<u16>,
    expired: Seen<u16>,
    no_key: Seen<u16>,
    not_valid: Seen<u16>,
    not_supported: Seen<(u8, u16)>,
}

impl Faults {
    /// Judges each signature of one server over `records`; none at all is a fault too.
    fn judge(&mut self, address: IpAddr, records: &[Signable], found: &[Rrsig], keys: &[Dnskey], now: Timestamp) {
        if found.is_empty() {
            self.missing.insert(address);
        }
        for rrsig in found {
            let (tag, algorithm) = (rrsig.key_tag(), rrsig.algorithm().to_int());
            match signature::validity(rrsig, now) {
                Validity::NotYetValid => note(&mut self.not_yet_valid, tag, address),
                Validity::Expired => note(&mut self.expired, tag, address),
                Validity::Valid if !Algorithm::of(algorithm).is_supported() => {
                    note(&mut self.not_supported, (algorithm, tag), address);
                }
                Validity::Valid => match signature::verify_by_any(records, rrsig, keys) {
                    None => note(&mut self.no_key, tag, address),
                    Some(Proof::Fails) => note(&mut self.not_valid, tag, address),
                    Some(Proof::NotSupported) => note(&mut self.not_supported, (algorithm, tag), address),
                    Some(Proof::Holds) => {}
                },
            }
        }
    }

    fn emit(&self, tags: &Tags) -> Vec<Emission> {
        let mut emitted: Vec<Emission> = with_addresses(tags.missing, &self.missing).into_iter().collect();
        emitted.extend(per_key_tag(tags.not_yet_valid, &self.not_yet_valid));
        emitted.extend(per_key_tag(tags.expired, &self.expired));
        emitted.extend(per_key_tag(tags.no_key, &self.no_key));
        emitted.extend(per_key_tag(tags.not_valid, &self.not_valid));
        emitted.extend(not_supported(tags.not_supported, &self.not_supported));
        emitted
    }
}

/// What the faults are called in a case.
struct Tags {
    missing: &'static str,
    not_yet_valid: &'static str,
    expired: &'static str,
    no_key: &'static str,
    not_valid: &'static str,
    not_supported: &'static str,
}

/// dnssec08: are the keys of the zone signed by one of them?
pub(super) async fn dnssec08(run: &Run) -> Vec<Emission> {
    let mut faults = Faults::default();
    for set in key_sets(run).await {
        faults.judge(set.address, &set.records, &set.signatures, &set.keys, run.now());
    }
    faults.emit(&Tags {
        missing: "DS08_MISSING_RRSIG_IN_RESPONSE",
        not_yet_valid: "DS08_DNSKEY_RRSIG_NOT_YET_VALID",
        expired: "DS08_DNSKEY_RRSIG_EXPIRED",
        no_key: "DS08_NO_MATCHING_DNSKEY",
        not_valid: "DS08_RRSIG_NOT_VALID_BY_DNSKEY",
        not_supported: "DS08_ALGO_NOT_SUPPORTED_BY_ZM",
    })
}

/// dnssec09: is the SOA record of a zone with keys signed by one of them?
pub(super) async fn dnssec09(run: &Run) -> Vec<Emission> {
    let mut faults = Faults::default();
    let sets = key_sets(run).await;
    let addresses = sets.iter().map(|set| set.address);
    let asked = run.ask_all(addresses, &Question::dnssec(run.zone(), Rtype::SOA)).await;
    for (set, (_, exchange)) in sets.iter().zip(&asked) {
        let Some(response) = sound(exchange) else { continue };
        let Some(soa) = response.answers(run.zone(), Rtype::SOA).next().map(Record::to_wire) else {
            continue;
        };
        let found = signatures(response, run.zone(), Rtype::SOA);
        faults.judge(set.address, std::slice::from_ref(&soa), &found, &set.keys, run.now());
    }
    faults.emit(&Tags {
        missing: "DS09_MISSING_RRSIG_IN_RESPONSE",
        not_yet_valid: "DS09_SOA_RRSIG_NOT_YET_VALID",
        expired: "DS09_SOA_RRSIG_EXPIRED",
        no_key: "DS09_NO_MATCHING_DNSKEY",
        not_valid: "DS09_RRSIG_NOT_VALID_BY_DNSKEY",
        not_supported: "DS09_ALGO_NOT_SUPPORTED_BY_ZM",
    })
}
