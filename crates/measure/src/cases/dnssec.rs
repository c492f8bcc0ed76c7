//! Test cases on DNSSEC: what they share. The cases themselves stand in the files beside this one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::{Ds, Name};

use super::{Case, Emission, case};
use crate::dnssec::{Algorithm, Dnskey, Rrsig, signature};
use crate::exchange::Exchange;
use crate::question::Question;
use crate::record::Record;
use crate::response::Response;
use crate::run::Run;
use crate::server::Server;

use super::dnssec_cds::{dnssec15, dnssec16, dnssec17, dnssec18};
use super::dnssec_denial::dnssec10;
use super::dnssec_ds::{dnssec01, dnssec02, dnssec07, dnssec11};
use super::dnssec_keys::{dnssec05, dnssec06, dnssec13, dnssec14};
use super::dnssec_nsec3::dnssec03;
use super::dnssec_signatures::{dnssec04, dnssec08, dnssec09};

/// The cases of this group.
pub const CASES: &[Case] = &[
    case!("dnssec01", dnssec01),
    case!("dnssec02", dnssec02),
    case!("dnssec03", dnssec03),
    case!("dnssec04", dnssec04),
    case!("dnssec05", dnssec05),
    case!("dnssec06", dnssec06),
    case!("dnssec07", dnssec07),
    case!("dnssec08", dnssec08),
    case!("dnssec09", dnssec09),
    case!("dnssec10", dnssec10),
    case!("dnssec11", dnssec11),
    case!("dnssec13", dnssec13),
    case!("dnssec14", dnssec14),
    case!("dnssec15", dnssec15),
    case!("dnssec16", dnssec16),
    case!("dnssec17", dnssec17),
    case!("dnssec18", dnssec18),
];

/// Addresses by what was seen at them, such as a key tag.
pub(super) type Seen<K> = BTreeMap<K, BTreeSet<IpAddr>>;

/// Notes that `key` was seen at `address`.
pub(super) fn note<K: Ord>(seen: &mut Seen<K>, key: K, address: IpAddr) {
    seen.entry(key).or_default().insert(address);
}

/// A message with the servers at `addresses` as `ns_list`, if there are any.
pub(super) fn with_servers(
    tag: &'static str,
    servers: &BTreeMap<IpAddr, Vec<Server>>,
    addresses: &BTreeSet<IpAddr>,
) -> Option<Emission> {
    (!addresses.is_empty()).then(|| Emission::new(tag).list("ns_list", named(servers, addresses)))
}

/// A message with `addresses` as `ns_ip_list`, if there are any.
pub(super) fn with_addresses(tag: &'static str, addresses: &BTreeSet<IpAddr>) -> Option<Emission> {
    (!addresses.is_empty()).then(|| Emission::new(tag).list("ns_ip_list", addresses))
}

/// One message for each key tag, with the addresses where it was seen.
pub(super) fn per_key_tag(tag: &'static str, seen: &Seen<u16>) -> impl Iterator<Item = Emission> {
    seen.iter()
        .map(move |(key_tag, addresses)| Emission::new(tag).arg("keytag", key_tag).list("ns_ip_list", addresses))
}

/// One message for each algorithm and key tag that cannot be verified here.
pub(super) fn not_supported(tag: &'static str, seen: &Seen<(u8, u16)>) -> impl Iterator<Item = Emission> {
    seen.iter().map(move |((algorithm, key_tag), addresses)| {
        Emission::new(tag)
            .arg("algo_num", algorithm)
            .arg("algo_mnemo", Algorithm::of(*algorithm).mnemonic)
            .arg("keytag", key_tag)
            .list("ns_ip_list", addresses)
    })
}

/// All names of the servers at `addresses`, each with its address.
pub(super) fn named<'a>(
    servers: &'a BTreeMap<IpAddr, Vec<Server>>,
    addresses: impl IntoIterator<Item = &'a IpAddr>,
) -> impl Iterator<Item = &'a Server> {
    addresses
        .into_iter()
        .filter_map(|address| servers.get(address))
        .flatten()
}

/// The parent's servers by address, without families that are off. Empty for the root, for undelegated zones, and
/// where the parent cannot be found.
pub(super) async fn parents(run: &Run) -> BTreeMap<IpAddr, Vec<Server>> {
    let mut parents: BTreeMap<IpAddr, Vec<Server>> = BTreeMap::new();
    for server in run.parent_servers().await.iter().flatten() {
        if run.inquiry().is_enabled(server.address) {
            parents.entry(server.address).or_default().push(server.clone());
        }
    }
    parents
}

/// The zone's servers by address, without families that are off.
pub(super) async fn children(run: &Run) -> BTreeMap<IpAddr, Vec<Server>> {
    let addresses = run.child_addresses().await.keys();
    addresses.map(|address| (*address, run.servers_at(*address))).collect()
}

/// The DS records given for the test.
pub(super) fn given_ds(run: &Run) -> &[Ds] {
    run.undelegated().map_or(&[], |given| &given.ds)
}

/// The answer, if it is an authoritative NOERROR.
pub(super) fn sound(exchange: &Exchange) -> Option<&Response> {
    exchange
        .response()
        .filter(|response| response.is_noerror() && response.authoritative)
}

/// The answer, if it is an authoritative NOERROR that knows of DNSSEC: with OPT and the DO bit.
pub(super) fn sound_dnssec(exchange: &Exchange) -> Option<&Response> {
    sound(exchange).filter(|response| response.edns.as_ref().is_some_and(|edns| edns.dnssec_ok))
}

/// The DS records in an answer of the parent.
pub(super) fn ds_records(response: &Response, zone: &Name) -> Vec<Ds> {
    let records = response.answers(zone, Rtype::DS).filter_map(Record::ds);
    let ds = records.map(|ds| Ds {
        key_tag: ds.key_tag(),
        algorithm: ds.algorithm().to_int(),
        digest_type: ds.digest_type().to_int(),
        digest: ds.digest().clone(),
    });
    ds.collect()
}

/// Whether an answer holds a key of the zone that can be read.
pub(super) fn has_keys(response: &Response, zone: &Name) -> bool {
    response
        .answers(zone, Rtype::DNSKEY)
        .any(|record| record.dnskey().is_some())
}

/// The answer of one server of the zone to the question for its keys.
pub(super) struct KeySet {
    pub address: IpAddr,
    /// The keys that can be read, at least one.
    pub keys: Vec<Dnskey>,
    /// All records of the set, as they are signed.
    pub records: Vec<Signable>,
    /// The signatures over the set.
    pub signatures: Vec<Rrsig>,
}

pub(super) use crate::dnssec::rrset::{MAX_SIGNATURES, Signable};

/// The keys of the zone and their signatures in an answer.
pub(super) fn key_set(address: IpAddr, response: &Response, zone: &Name) -> Option<KeySet> {
    let keys: Vec<Dnskey> = response
        .answers(zone, Rtype::DNSKEY)
        .filter_map(Record::dnskey)
        .cloned()
        .collect();
    (!keys.is_empty()).then(|| KeySet {
        address,
        keys,
        records: response.answers(zone, Rtype::DNSKEY).map(Record::to_wire).collect(),
        signatures: signatures(response, zone, Rtype::DNSKEY),
    })
}

/// The signatures in an answer over the zone's own records of a type.
pub(super) fn signatures(response: &Response, zone: &Name, covered: Rtype) -> Vec<Rrsig> {
    let signatures = response.signatures(zone, covered).take(MAX_SIGNATURES);
    signatures.map(|(_, rrsig)| rrsig.clone()).collect()
}

/// The key sets of all servers of the zone that give one with authority.
pub(super) async fn key_sets(run: &Run) -> Vec<KeySet> {
    let question = Question::dnssec(run.zone(), Rtype::DNSKEY);
    let asked = run
        .ask_all(run.child_addresses().await.keys().copied(), &question)
        .await;
    asked
        .iter()
        .filter_map(|(address, exchange)| key_set(*address, sound(exchange)?, run.zone()))
        .collect()
}

/// Whether an answer holds the zone's keys and a signature that covers them (RFC 4035 §5.3.1, first four points).
pub(super) fn has_signed_keys(response: &Response, zone: &Name) -> bool {
    has_keys(response, zone)
        && response
            .signatures(zone, Rtype::DNSKEY)
            .any(|(_, rrsig)| signature::covers(rrsig, zone, Rtype::DNSKEY, zone))
}

/// Whether an answer holds the DS of the zone and a signature of a zone above that covers it.
pub(super) fn has_signed_ds(response: &Response, zone: &Name) -> bool {
    let covered = |rrsig: &Rrsig| {
        let signer = Name::from_wire(rrsig.signer_name());
        signer != *zone && signature::covers(rrsig, zone, Rtype::DS, &signer)
    };
    !ds_records(response, zone).is_empty() && response.signatures(zone, Rtype::DS).any(|(_, rrsig)| covered(rrsig))
}
