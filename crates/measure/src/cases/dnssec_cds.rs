//! What the zone asks of its parent: dnssec15 (CDS and CDNSKEY agree), dnssec16 (CDS), dnssec17 (CDNSKEY), dnssec18 (the
//! parent may trust them).
//!
//! RFC 7344 and RFC 8078. A record of algorithm 0 asks for the removal of the DS ("delete").

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::{Ds, Name};

use super::Emission;
use super::dnssec::{
    KeySet, Seen, Signable, children, ds_records, given_ds, key_sets, note, parents, per_key_tag, signatures, sound,
    with_addresses, with_servers,
};
use crate::dnssec::{Dnskey, DsMatch, Proof, Rrsig, Validity, key, signature};
use crate::question::Question;
use crate::record::{Data, Record};
use crate::response::Response;
use crate::run::Run;

/// The CDS or CDNSKEY records of one server.
struct Published<T> {
    address: IpAddr,
    wishes: Vec<T>,
    records: Vec<Signable>,
    signatures: Vec<Rrsig>,
}

/// A CDS as the DS that it asks for.
fn cds(record: &Record) -> Option<Ds> {
    let Data::Cds(cds) = &record.data else { return None };
    Some(Ds {
        key_tag: cds.key_tag(),
        algorithm: cds.algorithm().to_int(),
        digest_type: cds.digest_type().to_int(),
        digest: cds.digest().clone(),
    })
}

/// A CDNSKEY as the key that it names.
fn cdnskey(record: &Record) -> Option<Dnskey> {
    let Data::Cdnskey(cdnskey) = &record.data else {
        return None;
    };
    Dnskey::new(
        cdnskey.flags(),
        cdnskey.protocol(),
        cdnskey.algorithm(),
        cdnskey.public_key().clone(),
    )
    .ok()
}

/// A CDS or CDNSKEY record.
trait Wish: Sized {
    const RTYPE: Rtype;

    fn read(record: &Record) -> Option<Self>;
    fn is_delete(&self) -> bool;
}

impl Wish for Ds {
    const RTYPE: Rtype = Rtype::CDS;

    fn read(record: &Record) -> Option<Self> {
        cds(record)
    }

    fn is_delete(&self) -> bool {
        self.algorithm == 0
    }
}

impl Wish for Dnskey {
    const RTYPE: Rtype = Rtype::CDNSKEY;

    fn read(record: &Record) -> Option<Self> {
        cdnskey(record)
    }

    fn is_delete(&self) -> bool {
        self.algorithm().to_int() == 0
    }
}

fn published<T: Wish>(address: IpAddr, response: &Response, zone: &Name) -> Published<T> {
    Published {
        address,
        wishes: response.answers(zone, T::RTYPE).filter_map(T::read).collect(),
        records: response.answers(zone, T::RTYPE).map(Record::to_wire).collect(),
        signatures: signatures(response, zone, T::RTYPE),
    }
}

/// The CDS or CDNSKEY records, possibly none, of every server that answers soundly.
async fn all_published<T: Wish>(run: &Run) -> Vec<Published<T>> {
    let addresses = run.child_addresses().await.keys().copied();
    let asked = run.ask_all(addresses, &Question::dnssec(run.zone(), T::RTYPE)).await;
    asked
        .iter()
        .filter_map(|(address, exchange)| Some(published(*address, sound(exchange)?, run.zone())))
        .collect()
}

/// dnssec15: are CDS and CDNSKEY the same everywhere, and do they say the same?
pub(super) async fn dnssec15(run: &Run) -> Vec<Emission> {
    let (cds, cdnskey) = tokio::join!(all_published::<Ds>(run), all_published::<Dnskey>(run));
    if cds.iter().all(|set| set.wishes.is_empty()) && cdnskey.iter().all(|set| set.wishes.is_empty()) {
        return vec![Emission::new("DS15_NO_CDS_CDNSKEY")];
    }
    let by_address: BTreeMap<IpAddr, &Published<Dnskey>> = cdnskey.iter().map(|set| (set.address, set)).collect();
    let mut seen: Seen<&'static str> = Seen::new();
    for set in &cds {
        let Some(keys) = by_address.get(&set.address) else {
            continue;
        };
        match (set.wishes.is_empty(), keys.wishes.is_empty()) {
            (true, true) => {}
            (false, true) => note(&mut seen, "DS15_HAS_CDS_NO_CDNSKEY", set.address),
            (true, false) => note(&mut seen, "DS15_HAS_CDNSKEY_NO_CDS", set.address),
            (false, false) => {
                note(&mut seen, "DS15_HAS_CDS_AND_CDNSKEY", set.address);
                if !say_the_same(run.zone(), &set.wishes, &keys.wishes) {
                    note(&mut seen, "DS15_MISMATCH_CDS_CDNSKEY", set.address);
                }
            }
        }
    }
    let mut emitted: Vec<Emission> = seen
        .iter()
        .filter_map(|(tag, addresses)| with_addresses(tag, addresses))
        .collect();
    let servers = children(run).await;
    let odd_cds = odd_ones(cds.iter().map(|set| (set.wishes.iter().collect(), set.address)));
    let keys = cdnskey.iter();
    let odd_keys = odd_ones(keys.map(|set| (set.wishes.iter().map(content).collect(), set.address)));
    emitted.extend(with_servers("DS15_INCONSISTENT_CDS", &servers, &odd_cds));
    emitted.extend(with_servers("DS15_INCONSISTENT_CDNSKEY", &servers, &odd_keys));
    emitted
}

/// Whose set is another than that of most; all, where no set is that of most; none, where all have the same. The order
/// and the number of the records in an answer make no difference.
fn odd_ones<T: Ord>(sets: impl Iterator<Item = (BTreeSet<T>, IpAddr)>) -> BTreeSet<IpAddr> {
    let mut by_set: BTreeMap<BTreeSet<T>, BTreeSet<IpAddr>> = BTreeMap::new();
    for (set, address) in sets {
        by_set.entry(set).or_default().insert(address);
    }
    let most = by_set.values().map(BTreeSet::len).max().unwrap_or_default();
    let is_tied = by_set.values().filter(|group| group.len() == most).count() > 1;
    let odd = by_set.into_values().filter(|group| is_tied || group.len() < most);
    odd.flatten().collect()
}

/// All that makes a key, in a form that sorts.
fn content(key: &Dnskey) -> (u16, u8, u8, &[u8]) {
    (key.flags(), key.protocol(), key.algorithm().to_int(), key.public_key())
}

/// Whether each CDS has its CDNSKEY and the other way round: of the same key, or both asking for removal.
fn say_the_same(zone: &Name, cds: &[Ds], keys: &[Dnskey]) -> bool {
    let agree = |ds: &Ds, key: &Dnskey| match (ds.is_delete(), Wish::is_delete(key)) {
        (true, true) => true,
        (false, false) => ds.key_tag == key.key_tag() && key::compare_ds(ds, zone, key) != DsMatch::Differs,
        _ => false,
    };
    cds.iter().all(|ds| keys.iter().any(|key| agree(ds, key)))
        && keys.iter().all(|key| cds.iter().any(|ds| agree(ds, key)))
}

/// How the messages of dnssec16 and dnssec17 are called that both have.
struct Tags {
    without_keys: &'static str,
    mixed: &'static str,
    delete: &'static str,
    no_key: &'static str,
    keys_not_signed: &'static str,
    not_signed_by_it: &'static str,
    unsigned: &'static str,
    stranger: &'static str,
    not_valid: &'static str,
}

const CDS: Tags = Tags {
    without_keys: "DS16_CDS_WITHOUT_DNSKEY",
    mixed: "DS16_MIXED_DELETE_CDS",
    delete: "DS16_DELETE_CDS",
    no_key: "DS16_CDS_MATCHES_NO_DNSKEY",
    keys_not_signed: "DS16_DNSKEY_NOT_SIGNED_BY_CDS",
    not_signed_by_it: "DS16_CDS_NOT_SIGNED_BY_CDS",
    unsigned: "DS16_CDS_UNSIGNED",
    stranger: "DS16_CDS_SIGNED_BY_UNKNOWN_DNSKEY",
    not_valid: "DS16_CDS_INVALID_RRSIG",
};

const CDNSKEY: Tags = Tags {
    without_keys: "DS17_CDNSKEY_WITHOUT_DNSKEY",
    mixed: "DS17_MIXED_DELETE_CDNSKEY",
    delete: "DS17_DELETE_CDNSKEY",
    no_key: "DS17_CDNSKEY_MATCHES_NO_DNSKEY",
    keys_not_signed: "DS17_DNSKEY_NOT_SIGNED_BY_CDNSKEY",
    not_signed_by_it: "DS17_CDNSKEY_NOT_SIGNED_BY_CDNSKEY",
    unsigned: "DS17_CDNSKEY_UNSIGNED",
    stranger: "DS17_CDNSKEY_SIGNED_BY_UNKNOWN_DNSKEY",
    not_valid: "DS17_CDNSKEY_INVALID_RRSIG",
};

/// What one case found: servers by message, and by message and key tag.
#[derive(Default)]
struct Found {
    servers: Seen<&'static str>,
    tagged: BTreeMap<&'static str, Seen<u16>>,
}

impl Found {
    fn tag(&mut self, tag: &'static str, key_tag: u16, address: IpAddr) {
        note(self.tagged.entry(tag).or_default(), key_tag, address);
    }

    fn emit(&self) -> Vec<Emission> {
        let plain = self
            .servers
            .iter()
            .filter_map(|(tag, addresses)| with_addresses(tag, addresses));
        plain
            .chain(self.tagged.iter().flat_map(|(tag, seen)| per_key_tag(tag, seen)))
            .collect()
    }
}

/// What dnssec16 and dnssec17 do alike. `judge` looks at one record that is no "delete" beside the keys of the server.
async fn judge_wishes<T: Wish>(
    run: &Run,
    tags: &'static Tags,
    judge: impl Fn(&mut Found, &T, &Published<T>, &KeySet),
) -> Vec<Emission> {
    let sets: Vec<Published<T>> = all_published(run).await;
    if sets.iter().all(|set| set.wishes.is_empty()) {
        return Vec::new();
    }
    let keys: BTreeMap<IpAddr, KeySet> = key_sets(run).await.into_iter().map(|set| (set.address, set)).collect();
    let mut found = Found::default();
    for set in sets.iter().filter(|set| !set.wishes.is_empty()) {
        if set.wishes.iter().any(Wish::is_delete) {
            let tag = if set.wishes.len() > 1 { tags.mixed } else { tags.delete };
            note(&mut found.servers, tag, set.address);
        }
        let Some(keys) = keys.get(&set.address) else {
            note(&mut found.servers, tags.without_keys, set.address);
            continue;
        };
        for wish in set.wishes.iter().filter(|wish| !wish.is_delete()) {
            judge(&mut found, wish, set, keys);
        }
        if set.signatures.is_empty() {
            note(&mut found.servers, tags.unsigned, set.address);
        }
        for rrsig in &set.signatures {
            match signature::verify_by_any(&set.records, rrsig, &keys.keys) {
                None => found.tag(tags.stranger, rrsig.key_tag(), set.address),
                Some(Proof::Holds) if signature::validity(rrsig, run.now()) == Validity::Valid => {}
                Some(Proof::Holds | Proof::Fails) => found.tag(tags.not_valid, rrsig.key_tag(), set.address),
                Some(Proof::NotSupported) => {}
            }
        }
    }
    found.emit()
}

/// Notes where the key with `key_tag` has not signed the keys, or the set that names it.
fn judge_signers<T: Wish>(found: &mut Found, tags: &Tags, key_tag: u16, set: &Published<T>, keys: &KeySet) {
    let is_by_it = |rrsig: &Rrsig| rrsig.key_tag() == key_tag;
    if !keys.signatures.iter().any(is_by_it) {
        found.tag(tags.keys_not_signed, key_tag, set.address);
    }
    if !set.signatures.iter().any(is_by_it) {
        found.tag(tags.not_signed_by_it, key_tag, set.address);
    }
}

/// dnssec16: does each CDS name a key that may become the zone's entry point?
pub(super) async fn dnssec16(run: &Run) -> Vec<Emission> {
    let zone = run.zone();
    let judge = |found: &mut Found, ds: &Ds, set: &Published<Ds>, keys: &KeySet| {
        let Some(key) = key::pointed_at(ds, zone, &keys.keys) else {
            return found.tag(CDS.no_key, ds.key_tag, set.address);
        };
        if !key.is_zone_key() {
            return found.tag("DS16_CDS_MATCHES_NON_ZONE_DNSKEY", ds.key_tag, set.address);
        }
        judge_signers(found, &CDS, ds.key_tag, set, keys);
        if !key.is_secure_entry_point() {
            found.tag("DS16_CDS_MATCHES_NON_SEP_DNSKEY", ds.key_tag, set.address);
        }
    };
    judge_wishes(run, &CDS, judge).await
}

/// dnssec17: does each CDNSKEY name a key that may become the zone's entry point?
pub(super) async fn dnssec17(run: &Run) -> Vec<Emission> {
    let judge = |found: &mut Found, key: &Dnskey, set: &Published<Dnskey>, keys: &KeySet| {
        let tag = key.key_tag();
        if !key.is_zone_key() {
            return found.tag("DS17_CDNSKEY_IS_NON_ZONE", tag, set.address);
        }
        if !key.is_secure_entry_point() {
            found.tag("DS17_CDNSKEY_IS_NON_SEP", tag, set.address);
        }
        if !keys.keys.iter().any(|known| content(known) == content(key)) {
            return found.tag(CDNSKEY.no_key, tag, set.address);
        }
        judge_signers(found, &CDNSKEY, tag, set, keys);
    };
    judge_wishes(run, &CDNSKEY, judge).await
}

/// dnssec18: are CDS and CDNSKEY signed by a key that the parent's DS points at?
pub(super) async fn dnssec18(run: &Run) -> Vec<Emission> {
    let given = given_ds(run);
    let ds: Vec<Ds> = if given.is_empty() {
        let question = Question::dnssec(run.zone(), Rtype::DS);
        let asked = run.ask_all(parents(run).await.keys().copied(), &question).await;
        let sound = asked.iter().filter_map(|(_, exchange)| sound(exchange));
        sound.flat_map(|response| ds_records(response, run.zone())).collect()
    } else {
        given.to_vec()
    };
    if ds.is_empty() {
        return Vec::new();
    }
    let (cds, cdnskey) = tokio::join!(all_published::<Ds>(run), all_published::<Dnskey>(run));
    let keys: BTreeMap<IpAddr, KeySet> = key_sets(run).await.into_iter().map(|set| (set.address, set)).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let is_trusted = |address: IpAddr, signatures: &[Rrsig]| {
        let keys = keys.get(&address).map_or(&[][..], |set| &set.keys);
        let entry_points = ds.iter().filter_map(|ds| key::pointed_at(ds, run.zone(), keys));
        entry_points
            .into_iter()
            .any(|key| signatures.iter().any(|rrsig| rrsig.key_tag() == key.key_tag()))
    };
    let mut seen: Seen<&'static str> = Seen::new();
    for set in cds
        .iter()
        .filter(|set| !set.wishes.is_empty() && !is_trusted(set.address, &set.signatures))
    {
        note(&mut seen, "DS18_NO_MATCH_CDS_RRSIG_DS", set.address);
    }
    for set in cdnskey
        .iter()
        .filter(|set| !set.wishes.is_empty() && !is_trusted(set.address, &set.signatures))
    {
        note(&mut seen, "DS18_NO_MATCH_CDNSKEY_RRSIG_DS", set.address);
    }
    seen.iter()
        .filter_map(|(tag, addresses)| with_addresses(tag, addresses))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_is_who_differs_from_most_and_everybody_where_there_is_no_most() {
        let odd = |sets: &[&[u8]]| -> Vec<String> {
            let sets = sets.iter().enumerate().map(|(at, set)| {
                let address: IpAddr = [192, 0, 2, u8::try_from(at).unwrap()].into();
                (set.iter().copied().collect::<BTreeSet<u8>>(), address)
            });
            odd_ones(sets).iter().map(|address| address.to_string()).collect()
        };
        assert!(odd(&[]).is_empty());
        assert!(odd(&[&[1], &[1], &[1, 1]]).is_empty());
        assert_eq!(odd(&[&[1, 2], &[2, 1], &[2]]), ["192.0.2.2"]);
        assert_eq!(odd(&[&[1], &[], &[1], &[3]]), ["192.0.2.1", "192.0.2.3"]);
        assert_eq!(odd(&[&[1], &[2]]), ["192.0.2.0", "192.0.2.1"]);
        assert_eq!(odd(&[&[1], &[2], &[1], &[2]]).len(), 4);
    }
}
