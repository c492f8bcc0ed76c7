//! The settings of NSEC3: dnssec03.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::Rtype;
use domain::rdata::Nsec3;
use model::Name;

use super::Emission;
use super::dnssec::{Seen, children, has_keys, note, sound, with_servers};
use super::dnssec_denial::in_authority;
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;
use crate::server::Server;

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
