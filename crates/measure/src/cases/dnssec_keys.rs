//! The keys of the zone: dnssec05 (their algorithms), dnssec06 (signatures sent along), dnssec13 (each algorithm signs),
//! dnssec14 (sizes of RSA keys).

use std::collections::BTreeSet;

use domain::base::iana::Rtype;

use super::dnssec::{Seen, children, key_sets, named, note, signatures, sound, with_servers};
use super::{Emission, reachable_servers};
use crate::dnssec::{Algorithm, KeyUse, Rrsig, key};
use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;

/// dnssec05: are the algorithms of the keys of a kind that may be used?
pub(super) async fn dnssec05(run: &Run) -> Vec<Emission> {
    let servers = children(run).await;
    let (mut ignored, mut without, mut with) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut seen: Seen<(KeyUse, u16, u8)> = Seen::new();
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::dnssec(run.zone(), Rtype::DNSKEY))
        .await
    {
        let Some(response) = sound(&exchange) else {
            ignored.insert(address);
            continue;
        };
        let keys: Vec<_> = response
            .answers(run.zone(), Rtype::DNSKEY)
            .filter_map(Record::dnskey)
            .collect();
        let of = if keys.is_empty() { &mut without } else { &mut with };
        of.insert(address);
        for key in keys {
            let algorithm = Algorithm::of(key.algorithm().to_int());
            note(&mut seen, (algorithm.signing, key.key_tag(), algorithm.number), address);
        }
    }
    let mut emitted = Vec::new();
    for ((usage, key_tag, number), addresses) in &seen {
        let (tag, is_described) = match usage {
            KeyUse::Ok => ("DS05_ALGO_OK", true),
            KeyUse::NotRecommended => ("DS05_ALGO_NOT_RECOMMENDED", true),
            KeyUse::Deprecated => ("DS05_ALGO_DEPRECATED", true),
            KeyUse::NotForZones => ("DS05_ALGO_NOT_ZONE_SIGN", true),
            KeyUse::Private => ("DS05_ALGO_PRIVATE", false),
            KeyUse::Reserved => ("DS05_ALGO_RESERVED", false),
            KeyUse::Unassigned => ("DS05_ALGO_UNASSIGNED", false),
        };
        let emission = with_servers(tag, &servers, addresses);
        emitted.extend(emission.map(|emission| {
            let emission = emission.arg("keytag", key_tag).arg("algo_num", number);
            let algorithm = Algorithm::of(*number);
            if is_described {
                emission
                    .arg("algo_descr", algorithm.description)
                    .arg("algo_mnemo", algorithm.mnemonic)
            } else {
                emission
            }
        }));
    }
    if with.is_empty() && without.is_empty() {
        emitted.extend(with_servers("DS05_NO_RESPONSE", &servers, &ignored));
    }
    let tag = if with.is_empty() {
        "DS05_ZONE_NO_DNSSEC"
    } else {
        "DS05_SERVER_NO_DNSSEC"
    };
    emitted.extend(with_servers(tag, &servers, &without));
    emitted
}

/// dnssec06: do the servers send signatures along with the keys?
pub(super) async fn dnssec06(run: &Run) -> Vec<Emission> {
    let servers = children(run).await;
    let mut emitted = Vec::new();
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::dnssec(run.zone(), Rtype::DNSKEY))
        .await
    {
        let Some(response) = exchange.response().filter(|response| response.is_noerror()) else {
            continue;
        };
        let keys = response.answers(run.zone(), Rtype::DNSKEY).count();
        let signatures = response.answer_type(Rtype::RRSIG).count();
        let tag = if keys > 0 && signatures > 0 {
            "EXTRA_PROCESSING_OK"
        } else {
            "EXTRA_PROCESSING_BROKEN"
        };
        let say = |server| {
            Emission::new(tag)
                .arg("ns", server)
                .arg("keys", keys)
                .arg("sigs", signatures)
        };
        emitted.extend(servers.get(&address).into_iter().flatten().map(say));
    }
    emitted
}

/// dnssec13: does each algorithm among the keys sign keys, SOA and NS?
pub(super) async fn dnssec13(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let sets = key_sets(run).await;
    let signed: Vec<_> = sets.iter().filter(|set| !set.signatures.is_empty()).collect();
    let addresses = || signed.iter().map(|set| set.address);
    let [for_soa, for_ns] = [Rtype::SOA, Rtype::NS].map(|rtype| Question::dnssec(zone, rtype));
    let (soa, ns) = tokio::join!(run.ask_all(addresses(), &for_soa), run.ask_all(addresses(), &for_ns));
    let mut lacking: Seen<(&'static str, u8)> = Seen::new();
    for ((set, soa), ns) in signed.iter().zip(&soa).zip(&ns) {
        let algorithms: BTreeSet<u8> = set.keys.iter().map(|key| key.algorithm().to_int()).collect();
        let mut compare = |tag, found: &[Rrsig]| {
            let signing: BTreeSet<u8> = found.iter().map(|rrsig| rrsig.algorithm().to_int()).collect();
            for algorithm in algorithms.difference(&signing) {
                note(&mut lacking, (tag, *algorithm), set.address);
            }
        };
        compare("DS13_ALGO_NOT_SIGNED_DNSKEY", &set.signatures);
        // A server that does not show a signed SOA is not asked about its NS.
        let Some(of_soa) = signed_set(&soa.1, run, Rtype::SOA) else {
            continue;
        };
        compare("DS13_ALGO_NOT_SIGNED_SOA", &of_soa);
        let Some(of_ns) = signed_set(&ns.1, run, Rtype::NS) else {
            continue;
        };
        compare("DS13_ALGO_NOT_SIGNED_NS", &of_ns);
    }
    let said = lacking.iter().map(|((tag, number), addresses)| {
        let emission = Emission::new(tag).list("ns_ip_list", addresses).arg("algo_num", number);
        emission.arg("algo_mnemo", Algorithm::of(*number).mnemonic)
    });
    said.collect()
}

/// The signatures over an RRset of the apex, where the answer is sound and has both.
fn signed_set(exchange: &Exchange, run: &Run, rtype: Rtype) -> Option<Vec<Rrsig>> {
    let response = sound(exchange)?;
    response.answers(run.zone(), rtype).next()?;
    Some(signatures(response, run.zone(), rtype)).filter(|found| !found.is_empty())
}

/// Smallest and largest RSA key of an algorithm in bits (RFC 3110 §2, RFC 5155, RFC 5702 §2).
fn size_range(algorithm: u8) -> Option<(usize, usize)> {
    match algorithm {
        5 | 7 | 8 => Some((512, 4096)),
        10 => Some((1024, 4096)),
        _ => None,
    }
}

/// Smallest RSA key that is advised, in bits (NIST SP 800-57 part 1 rev. 4, tables 2 and 4: 112 bits of strength).
const ADVISED_BITS: usize = 2048;

/// dnssec14: have RSA keys a size that is allowed, and one that is safe?
pub(super) async fn dnssec14(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::DNSKEY, &mut emitted).await;
    let mut seen: Seen<(u16, u8, usize)> = Seen::new();
    let (mut has_keys, mut has_complaint) = (false, false);
    for (address, exchange) in run
        .ask_all(servers.keys().copied(), &Question::dnssec(run.zone(), Rtype::DNSKEY))
        .await
    {
        let say = |tag| {
            servers
                .get(&address)
                .into_iter()
                .flatten()
                .map(move |server| Emission::new(tag).arg("ns", server))
        };
        let Some(response) = exchange.response() else {
            emitted.extend(say("NO_RESPONSE"));
            continue;
        };
        let keys: Vec<_> = response
            .answers(run.zone(), Rtype::DNSKEY)
            .filter_map(Record::dnskey)
            .collect();
        if keys.is_empty() {
            has_complaint = true;
            emitted.extend(say("NO_RESPONSE_DNSKEY"));
        }
        for key in keys {
            has_keys = true;
            if let Some(bits) = key::rsa_bits(key) {
                note(&mut seen, (key.key_tag(), key.algorithm().to_int(), bits), address);
            }
        }
    }
    for ((key_tag, number, bits), addresses) in &seen {
        let Some((smallest, largest)) = size_range(*number) else {
            continue;
        };
        let say = |tag| {
            let emission = Emission::new(tag)
                .arg("keytag", key_tag)
                .arg("keysize", bits)
                .arg("algo_num", number);
            emission
                .arg("algo_descr", Algorithm::of(*number).description)
                .list("ns_list", named(&servers, addresses))
        };
        let said = if *bits < smallest {
            say("DNSKEY_TOO_SMALL_FOR_ALGO").arg("keysizemin", smallest)
        } else if *bits < ADVISED_BITS {
            say("DNSKEY_SMALLER_THAN_REC").arg("keysizerec", ADVISED_BITS)
        } else if *bits > largest {
            say("DNSKEY_TOO_LARGE_FOR_ALGO").arg("keysizemax", largest)
        } else {
            continue;
        };
        has_complaint = true;
        emitted.push(said);
    }
    if has_keys && !has_complaint {
        emitted.push(Emission::new("KEY_SIZE_OK"));
    }
    emitted
}
