//! chain09: may the parent act on CDS and CDNSKEY? What dnssec15 to dnssec18 leave open.
//!
//! RFC 7344 §4.1, RFC 8078 §4, and the drafts cds-consistency and ds-automation of the IETF's dnsop group: the parent must
//! hear the same of every server, and must not enter what would break the chain.

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::{Ds, Name, Security};

use super::ask::{Answers, usable};
use super::faults::names;
use super::trust::is_vouched_by;
use super::zone::versions_of;
use super::{Emission, Judged};
use crate::dnssec::{Algorithm, DigestType, Dnskey, key};
use crate::record::Data;
use crate::response::Response;
use crate::run::Run;

/// Digest type in which a key that is asked for stands beside the parent's DS.
const SHA256: u8 = 2;

/// What a server asks of the parent.
#[derive(Default)]
struct Wishes {
    /// The DS set that its CDS ask for, or where it has none its CDNSKEY; empty where there are none.
    ds: BTreeSet<Ds>,
    /// Whether it asks for the removal of the DS.
    is_delete: bool,
    /// Types in which the removal is not written as it must be (RFC 8078 §4).
    wrong_form: BTreeSet<Rtype>,
}

pub(super) async fn chain09(run: &Run) -> Vec<Emission> {
    let judged = run.chain().await;
    let Some(asked) = judged.asked.last() else {
        return Vec::new();
    };
    let answers = |wanted: Rtype| {
        let others = asked.others.iter();
        others
            .filter(move |(name, rtype, _)| name == run.zone() && *rtype == wanted)
            .map(|(_, _, answers)| answers)
            .next()
    };
    let (Some(cds), Some(cdnskey)) = (answers(Rtype::CDS), answers(Rtype::CDNSKEY)) else {
        return Vec::new();
    };
    let mut emitted = Vec::new();
    let mut sets: Vec<(Wishes, BTreeSet<IpAddr>)> = Vec::new();
    for (address, response) in usable(cds) {
        let keys = usable(cdnskey)
            .find(|(other, _)| *other == address)
            .map(|(_, response)| response);
        let wishes = wishes(run.zone(), response, keys);
        match sets
            .iter_mut()
            .find(|(known, _)| known.ds == wishes.ds && known.is_delete == wishes.is_delete)
        {
            Some((known, servers)) => {
                known.wrong_form.extend(wishes.wrong_form);
                servers.insert(address);
            }
            None => sets.push((wishes, BTreeSet::from([address]))),
        }
    }
    let is_asking = |wishes: &Wishes| wishes.is_delete || !wishes.ds.is_empty();
    if !sets.iter().any(|(wishes, _)| is_asking(wishes)) {
        return emitted;
    }
    let silent = silent(cds, cdnskey);
    if !silent.is_empty() {
        let list = names(run, run.zone(), &silent).await;
        emitted.push(Emission::new("CH09_NOT_HEARD_EVERYWHERE").list("ns_list", list));
    }
    for (wishes, servers) in sets.iter().filter(|(wishes, _)| is_asking(wishes)) {
        let list = names(run, run.zone(), servers).await;
        emitted.extend(judge(wishes, judged, run.zone(), &list));
    }
    emitted
}

/// Servers that gave no answer that a parent may act on.
fn silent(cds: &Answers, cdnskey: &Answers) -> BTreeSet<IpAddr> {
    let heard = |answers| -> BTreeSet<IpAddr> {
        usable(answers)
            .filter(|(_, response)| response.authoritative)
            .map(|(address, _)| address)
            .collect()
    };
    let asked: BTreeSet<IpAddr> = cds.iter().chain(cdnskey).map(|(address, _)| *address).collect();
    &asked - &(&heard(cds) & &heard(cdnskey))
}

fn judge(wishes: &Wishes, judged: &Judged, zone: &Name, servers: &[String]) -> Vec<Emission> {
    let mut emitted: Vec<Emission> = wishes
        .wrong_form
        .iter()
        .map(|rtype| {
            Emission::new("CH09_DELETE_FORM_WRONG")
                .arg("rrtype", rtype)
                .list("ns_list", servers)
        })
        .collect();
    let link = judged.chain.links.last();
    let current: BTreeSet<Ds> = link
        .into_iter()
        .flat_map(|link| &link.trust)
        .filter(|trust| trust.state == Security::Secure)
        .flat_map(|trust| trust.ds.iter().cloned())
        .collect();
    if wishes.is_delete {
        if !current.is_empty() {
            emitted.push(Emission::new("CH09_DELETE_NOT_DONE").list("ns_list", servers));
        }
        return emitted;
    }
    if wishes.ds.is_empty() {
        return emitted;
    }
    let usable = |ds: &&Ds| Algorithm::of(ds.algorithm).is_supported() && DigestType::of(ds.digest_type).is_supported();
    let wanted: BTreeSet<Ds> = wishes.ds.iter().filter(usable).cloned().collect();
    let Some(asked) = judged.asked.last() else {
        return emitted;
    };
    let versions = versions_of(&asked.keys, zone, Rtype::DNSKEY);
    let is_whole = !versions.is_empty()
        && versions
            .iter()
            .all(|version| is_vouched_by(&version.set, zone, &wanted, judged.zone.now));
    if !is_whole {
        emitted.push(Emission::new("CH09_WOULD_BREAK").list("ns_list", servers));
    }
    let same_keys = |a: &BTreeSet<Ds>, b: &BTreeSet<Ds>| {
        let keys =
            |set: &BTreeSet<Ds>| -> BTreeSet<(u16, u8)> { set.iter().map(|ds| (ds.key_tag, ds.algorithm)).collect() };
        keys(a) == keys(b)
    };
    let tag = if current.is_empty() {
        "CH09_DS_NOT_ENTERED"
    } else if same_keys(&current, &wishes.ds) {
        "CH09_DS_AS_WISHED"
    } else {
        "CH09_DS_DIFFERS"
    };
    emitted.push(
        Emission::new(tag)
            .list("ds_wanted", wishes.ds.iter().map(|ds| ds.key_tag))
            .list("ns_list", servers),
    );
    emitted
}

fn wishes(zone: &Name, response: &Response, keys: Option<&Response>) -> Wishes {
    let mut wishes = Wishes::default();
    for record in response.answers(zone, Rtype::CDS) {
        let Data::Cds(cds) = &record.data else { continue };
        if cds.algorithm().to_int() != 0 {
            wishes.ds.insert(Ds {
                key_tag: cds.key_tag(),
                algorithm: cds.algorithm().to_int(),
                digest_type: cds.digest_type().to_int(),
                digest: cds.digest().clone(),
            });
            continue;
        }
        wishes.is_delete = true;
        if cds.key_tag() != 0 || cds.digest_type().to_int() != 0 || *cds.digest() != [0] {
            wishes.wrong_form.insert(Rtype::CDS);
        }
    }
    let is_by_key = wishes.ds.is_empty() && !wishes.is_delete;
    for record in keys
        .into_iter()
        .flat_map(|response| response.answers(zone, Rtype::CDNSKEY))
    {
        let Data::Cdnskey(key) = &record.data else { continue };
        if key.algorithm().to_int() != 0 {
            // without CDS the parent makes the digests itself
            let (flags, protocol, algorithm) = (key.flags(), key.protocol(), key.algorithm());
            let key = Dnskey::new(flags, protocol, algorithm, key.public_key().clone()).ok();
            let wanted = key.filter(|_| is_by_key).and_then(|key| key::ds_of(zone, &key, SHA256));
            wishes.ds.extend(wanted);
            continue;
        }
        wishes.is_delete = true;
        if key.flags() != 0 || key.protocol() != 3 || *key.public_key() != [0] {
            wishes.wrong_form.insert(Rtype::CDNSKEY);
        }
    }
    wishes
}
