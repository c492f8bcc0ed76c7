//! The link from the parent: dnssec01 (digests of the DS), dnssec02 (DS and keys), dnssec07 (signed and secured),
//! dnssec11 (a DS needs a signed zone).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::Ds;

use super::Emission;
use super::dnssec::{
    KeySet, Seen, children, ds_records, given_ds, has_signed_ds, has_signed_keys, named, not_supported, note, parents,
    per_key_tag, sound, sound_dnssec, with_addresses, with_servers,
};
use crate::dnssec::{Algorithm, DigestType, DigestUse, Dnskey, DsMatch, Proof, key, signature};
use crate::question::Question;
use crate::run::Run;
use crate::server::Server;

/// How the source of DS records that were given for the test stands in lists of servers.
const GIVEN: &str = "-";

/// Where a DS was seen: at a server of the parent, or among the data given for the test.
type Source = Option<IpAddr>;

fn source_names(parents: &BTreeMap<IpAddr, Vec<Server>>, sources: &BTreeSet<Source>) -> Vec<String> {
    let named = |source: &Source| match source {
        None => vec![GIVEN.to_owned()],
        Some(address) => named(parents, [address]).map(Server::to_string).collect(),
    };
    sources.iter().flat_map(named).collect()
}

/// dnssec01: are the digests of the DS records of a kind that may be used?
pub(super) async fn dnssec01(run: &Run) -> Vec<Emission> {
    let given = given_ds(run);
    let parents = if given.is_empty() {
        parents(run).await
    } else {
        BTreeMap::new()
    };
    let question = Question::dnssec(run.zone(), Rtype::DS);
    let (mut ignored, mut without) = (BTreeSet::new(), BTreeSet::new());
    let mut seen: Vec<(Source, Vec<Ds>)> = Vec::new();
    for (address, exchange) in run.ask_all(parents.keys().copied(), &question).await {
        match sound_dnssec(&exchange).map(|response| ds_records(response, run.zone())) {
            None => _ = ignored.insert(address),
            Some(ds) if ds.is_empty() => _ = without.insert(address),
            Some(ds) => seen.push((Some(address), ds)),
        }
    }
    if !given.is_empty() {
        seen.push((None, given.to_vec()));
    }

    let mut digests: BTreeMap<(DigestUse, u16, u8), BTreeSet<Source>> = BTreeMap::new();
    let mut lacking: BTreeMap<u16, BTreeSet<Source>> = BTreeMap::new();
    for (source, set) in &seen {
        for ds in set {
            let digest = DigestType::of(ds.digest_type);
            digests
                .entry((digest.delegation, ds.key_tag, ds.digest_type))
                .or_default()
                .insert(*source);
            if !set
                .iter()
                .any(|other| other.key_tag == ds.key_tag && other.digest_type == 2)
            {
                lacking.entry(ds.key_tag).or_default().insert(*source);
            }
        }
    }
    let mut emitted = Vec::new();
    for ((usage, key_tag, number), sources) in &digests {
        let (tag, described) = match usage {
            DigestUse::Ok => ("DS01_DS_ALGO_OK", true),
            DigestUse::Deprecated => ("DS01_DS_ALGO_DEPRECATED", true),
            DigestUse::NotForDs => ("DS01_DS_ALGO_NOT_DS", true),
            DigestUse::Private => ("DS01_DS_ALGO_PRIVATE", false),
            DigestUse::Reserved => ("DS01_DS_ALGO_RESERVED", false),
            DigestUse::Unassigned => ("DS01_DS_ALGO_UNASSIGNED", false),
        };
        let emission = Emission::new(tag)
            .list("ns_list", source_names(&parents, sources))
            .arg("keytag", key_tag)
            .arg("ds_algo_num", number);
        emitted.push(if described {
            emission.arg("ds_algo_descr", DigestType::of(*number).description)
        } else {
            emission
        });
    }
    for (key_tag, sources) in &lacking {
        let emission = Emission::new("DS01_DS_ALGO_2_MISSING").arg("keytag", key_tag);
        emitted.push(emission.list("ns_list", source_names(&parents, sources)));
    }
    if seen.is_empty() && without.is_empty() {
        emitted.extend(with_servers("DS01_NO_RESPONSE", &parents, &ignored));
    }
    if given.is_empty() && run.zone().is_root() {
        emitted.push(Emission::new("DS01_ROOT_N_NO_UNDEL_DS"));
    } else if given.is_empty() && run.is_undelegated() {
        emitted.push(Emission::new("DS01_UNDEL_N_NO_UNDEL_DS"));
    }
    let tag = if seen.is_empty() {
        "DS01_PARENT_ZONE_NO_DS"
    } else {
        "DS01_PARENT_SERVER_NO_DS"
    };
    emitted.extend(with_servers(tag, &parents, &without));
    emitted
}

/// What the keys of the zone's servers say to the DS set.
#[derive(Default)]
struct Links {
    no_key: Seen<u16>,
    differs: Seen<u16>,
    not_zone_key: Seen<u16>,
    not_entry_point: Seen<u16>,
    no_signature: Seen<u16>,
    not_supported: Seen<(u8, u16)>,
    not_valid: Seen<u16>,
    answered: BTreeSet<IpAddr>,
    has_key: BTreeSet<IpAddr>,
    has_signature: BTreeSet<IpAddr>,
}

/// dnssec02: does each DS match a key, and has that key signed the keys?
pub(super) async fn dnssec02(run: &Run) -> Vec<Emission> {
    let given = given_ds(run);
    let ds: BTreeSet<Ds> = if given.is_empty() {
        let question = Question::dnssec(run.zone(), Rtype::DS);
        let asked = run.ask_all(parents(run).await.keys().copied(), &question).await;
        let sound = asked.iter().filter_map(|(_, exchange)| sound_dnssec(exchange));
        sound.flat_map(|response| ds_records(response, run.zone())).collect()
    } else {
        given.iter().cloned().collect()
    };
    if ds.is_empty() {
        return Vec::new();
    }
    let mut links = Links::default();
    let question = Question::dnssec(run.zone(), Rtype::DNSKEY);
    for (address, exchange) in run
        .ask_all(run.child_addresses().await.keys().copied(), &question)
        .await
    {
        let set = sound_dnssec(&exchange).and_then(|response| super::dnssec::key_set(address, response, run.zone()));
        if let Some(set) = set {
            follow(run, &ds, &set, &mut links);
        }
    }

    let mut emitted = Vec::new();
    emitted.extend(per_key_tag("DS02_NO_DNSKEY_FOR_DS", &links.no_key));
    emitted.extend(per_key_tag("DS02_NO_MATCH_DS_DNSKEY", &links.differs));
    emitted.extend(per_key_tag("DS02_DNSKEY_NOT_FOR_ZONE_SIGNING", &links.not_zone_key));
    emitted.extend(per_key_tag("DS02_DNSKEY_NOT_SEP", &links.not_entry_point));
    emitted.extend(per_key_tag("DS02_NO_MATCHING_DNSKEY_RRSIG", &links.no_signature));
    emitted.extend(not_supported("DS02_ALGO_NOT_SUPPORTED_BY_ZM", &links.not_supported));
    emitted.extend(per_key_tag("DS02_RRSIG_NOT_VALID_BY_DNSKEY", &links.not_valid));
    let keyless: BTreeSet<IpAddr> = links.answered.difference(&links.has_key).copied().collect();
    let unsigned: BTreeSet<IpAddr> = links.answered.difference(&links.has_signature).copied().collect();
    if keyless.is_empty() {
        emitted.extend(with_addresses("DS02_DNSKEY_NOT_SIGNED_BY_ANY_DS", &unsigned));
    } else {
        emitted.extend(with_addresses("DS02_NO_VALID_DNSKEY_FOR_ANY_DS", &keyless));
    }
    emitted
}

/// Follows each DS to its key in one server's key set, and from there to the key's signature over the set.
fn follow(run: &Run, ds: &BTreeSet<Ds>, set: &KeySet, links: &mut Links) {
    links.answered.insert(set.address);
    let mut matching: Vec<&Dnskey> = Vec::new();
    for ds in ds {
        let Some(key) = key::pointed_at(ds, run.zone(), &set.keys) else {
            note(&mut links.no_key, ds.key_tag, set.address);
            continue;
        };
        if key::compare_ds(ds, run.zone(), key) == DsMatch::Differs {
            note(&mut links.differs, ds.key_tag, set.address);
        }
        if !key.is_zone_key() {
            note(&mut links.not_zone_key, ds.key_tag, set.address);
            continue;
        }
        if !key.is_secure_entry_point() {
            note(&mut links.not_entry_point, ds.key_tag, set.address);
        }
        if !matching.contains(&key) {
            matching.push(key);
        }
        links.has_key.insert(set.address);
    }
    for key in matching {
        let tag = key.key_tag();
        let proofs: Vec<Proof> = set
            .signatures
            .iter()
            .filter(|rrsig| rrsig.key_tag() == tag)
            .map(|rrsig| signature::verify(&set.records, rrsig, key))
            .collect();
        if proofs.is_empty() {
            note(&mut links.no_signature, tag, set.address);
        } else if proofs.contains(&Proof::Holds) {
            links.has_signature.insert(set.address);
        } else if !Algorithm::of(key.algorithm().to_int()).is_supported() || proofs.contains(&Proof::NotSupported) {
            note(&mut links.not_supported, (key.algorithm().to_int(), tag), set.address);
        } else {
            note(&mut links.not_valid, tag, set.address);
        }
    }
}

/// dnssec07: is the zone signed, and does the parent have its DS?
pub(super) async fn dnssec07(run: &Run) -> Vec<Emission> {
    let children = children(run).await;
    let (mut silent, mut not_authoritative) = (BTreeSet::new(), BTreeSet::new());
    let (mut unsigned, mut signed) = (BTreeSet::new(), BTreeSet::new());
    let mut rcodes: Seen<String> = Seen::new();
    let soa = run
        .ask_all(children.keys().copied(), &Question::plain(run.zone(), Rtype::SOA))
        .await;
    let serving = soa.iter().filter(|(_, exchange)| {
        sound(exchange).is_some_and(|response| response.answers(run.zone(), Rtype::SOA).next().is_some())
    });
    let serving: Vec<IpAddr> = serving.map(|(address, _)| *address).collect();
    for (address, exchange) in run.ask_all(serving, &Question::dnssec(run.zone(), Rtype::DNSKEY)).await {
        match exchange.response() {
            None => _ = silent.insert(address),
            Some(response) if !response.authoritative => _ = not_authoritative.insert(address),
            Some(response) if !response.is_noerror() => note(&mut rcodes, response.rcode_name(), address),
            Some(response) if has_signed_keys(response, run.zone()) => _ = signed.insert(address),
            Some(_) => _ = unsigned.insert(address),
        }
    }

    let given = !given_ds(run).is_empty();
    let (mut without_ds, mut with_ds) = (BTreeSet::new(), BTreeSet::new());
    let mut parents_asked = BTreeMap::new();
    if !signed.is_empty() && given {
        with_ds.insert(None);
    } else if !signed.is_empty() {
        parents_asked = parents(run).await;
        let question = Question::dnssec(run.zone(), Rtype::DS);
        for (address, exchange) in run.ask_all(parents_asked.keys().copied(), &question).await {
            match sound_dnssec(&exchange) {
                None => {}
                Some(response) if has_signed_ds(response, run.zone()) => _ = with_ds.insert(Some(address)),
                Some(_) => _ = without_ds.insert(Some(address)),
            }
        }
    }

    let mut emitted = Vec::new();
    if signed.is_empty() {
        emitted.push(Emission::new("DS07_NOT_SIGNED"));
    }
    emitted.extend(with_servers("DS07_NO_RESPONSE_DNSKEY", &children, &silent));
    emitted.extend(with_servers(
        "DS07_NON_AUTH_RESPONSE_DNSKEY",
        &children,
        &not_authoritative,
    ));
    for (rcode, addresses) in &rcodes {
        let emission = with_servers("DS07_UNEXP_RCODE_RESP_DNSKEY", &children, addresses);
        emitted.extend(emission.map(|emission| emission.arg("rcode", rcode)));
    }
    emitted.extend(with_servers("DS07_SIGNED_ON_SERVER", &children, &signed));
    emitted.extend(with_servers("DS07_NOT_SIGNED_ON_SERVER", &children, &unsigned));
    match (signed.is_empty(), unsigned.is_empty()) {
        (false, false) => emitted.push(Emission::new("DS07_INCONSISTENT_SIGNED")),
        (false, true) => emitted.push(Emission::new("DS07_SIGNED")),
        (true, _) => {}
    }
    if !without_ds.is_empty() {
        let servers = source_names(&parents_asked, &without_ds);
        emitted.push(Emission::new("DS07_NO_DS_ON_PARENT_SERVER").list("ns_list", servers));
    }
    if !with_ds.is_empty() {
        let servers = source_names(&parents_asked, &with_ds);
        emitted.push(Emission::new("DS07_DS_ON_PARENT_SERVER").list("ns_list", servers));
    }
    let wholly_signed = unsigned.is_empty() && !signed.is_empty();
    match (without_ds.is_empty(), with_ds.is_empty()) {
        (false, false) => emitted.push(Emission::new("DS07_INCONSISTENT_DS")),
        (false, true) if wholly_signed => emitted.push(Emission::new("DS07_NO_DS_FOR_SIGNED_ZONE")),
        (true, false) if wholly_signed => emitted.push(Emission::new("DS07_DS_FOR_SIGNED_ZONE")),
        _ => {}
    }
    emitted
}

/// dnssec11: a zone with a DS at its parent must be signed.
pub(super) async fn dnssec11(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    if given_ds(run).is_empty() {
        let (mut undetermined, mut without, mut with) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let question = Question::dnssec(run.zone(), Rtype::DS);
        for (address, exchange) in run.ask_all(parents(run).await.keys().copied(), &question).await {
            match sound(&exchange).map(|response| ds_records(response, run.zone()).is_empty()) {
                None => _ = undetermined.insert(address),
                Some(true) => _ = without.insert(address),
                Some(false) => _ = with.insert(address),
            }
        }
        if !undetermined.is_empty() && without.is_empty() && with.is_empty() {
            return vec![Emission::new("DS11_UNDETERMINED_DS")];
        }
        // Also where there is no parent to ask, as for the root or an undelegated zone without a DS given.
        if with.is_empty() {
            return Vec::new();
        }
        if !without.is_empty() {
            emitted.push(Emission::new("DS11_INCONSISTENT_DS"));
            emitted.extend(with_addresses("DS11_PARENT_WITHOUT_DS", &without));
            emitted.extend(with_addresses("DS11_PARENT_WITH_DS", &with));
        }
    }

    let soa = run
        .ask_all(
            run.child_addresses().await.keys().copied(),
            &Question::plain(run.zone(), Rtype::SOA),
        )
        .await;
    let serving = soa.iter().filter(|(_, exchange)| {
        sound(exchange).is_some_and(|response| response.answers(run.zone(), Rtype::SOA).next().is_some())
    });
    let serving: Vec<IpAddr> = serving.map(|(address, _)| *address).collect();
    let (mut undetermined, mut without, mut with) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (address, exchange) in run.ask_all(serving, &Question::dnssec(run.zone(), Rtype::DNSKEY)).await {
        match sound(&exchange).map(|response| response.answers(run.zone(), Rtype::DNSKEY).next().is_none()) {
            None => _ = undetermined.insert(address),
            Some(true) => _ = without.insert(address),
            Some(false) => _ = with.insert(address),
        }
    }
    match (without.is_empty(), with.is_empty()) {
        (true, true) if !undetermined.is_empty() => emitted.push(Emission::new("DS11_UNDETERMINED_SIGNED_ZONE")),
        (false, true) => emitted.push(Emission::new("DS11_DS_BUT_UNSIGNED_ZONE")),
        (false, false) => {
            emitted.push(Emission::new("DS11_INCONSISTENT_SIGNED_ZONE"));
            emitted.extend(with_addresses("DS11_NS_WITH_UNSIGNED_ZONE", &without));
            emitted.extend(with_addresses("DS11_NS_WITH_SIGNED_ZONE", &with));
        }
        _ => {}
    }
    emitted
}
