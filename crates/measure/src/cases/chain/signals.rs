//! chain11: do the zone's operators signal that they want a DS (RFC 9615)?
//!
//! Asked only where it matters: the zone is signed, has CDS or CDNSKEY, and no DS yet. Whether the signalling zones are
//! secure themselves is for the registry to validate and not judged here.

use std::collections::BTreeSet;

use domain::base::iana::Rtype;
use futures_util::future::join_all;
use model::Name;

use super::Emission;
use super::ask::{Asked, usable};
use crate::record::{Data, Record};
use crate::run::Run;

pub(super) async fn chain11(run: &Run) -> Vec<Emission> {
    let judged = run.chain().await;
    let Some(asked) = judged.asked.last() else {
        return Vec::new();
    };
    let has_ds = judged
        .chain
        .links
        .last()
        .is_some_and(|link| link.trust.iter().any(|trust| !trust.ds.is_empty()));
    let wanted = at_apex(asked);
    if has_ds || wanted.is_empty() || run.is_undelegated() {
        return Vec::new();
    }
    let servers: BTreeSet<Name> = run.zone_names().await.cloned().unwrap_or_default();
    let (inside, outside): (BTreeSet<Name>, BTreeSet<Name>) =
        servers.into_iter().partition(|name| run.is_in_zone(name));
    let mut emitted = Vec::new();
    if !inside.is_empty() {
        emitted.push(Emission::new("CH11_NAME_SERVER_IN_ZONE").list("nsname_list", &inside));
    }
    let found = outside
        .iter()
        .map(async |server| (server, signalled(run, server).await));
    let (mut missing, mut differing, mut right) = (Vec::new(), Vec::new(), Vec::new());
    for (server, signalled) in join_all(found).await {
        let of = match signalled {
            None => &mut missing,
            Some(records) if records.is_empty() => &mut missing,
            Some(records) if records == wanted => &mut right,
            Some(_) => &mut differing,
        };
        of.push(server.clone());
    }
    for (tag, names) in [
        ("CH11_NO_SIGNAL", missing),
        ("CH11_SIGNAL_DIFFERS", differing),
        ("CH11_SIGNAL", right),
    ] {
        if !names.is_empty() {
            emitted.push(Emission::new(tag).list("nsname_list", names));
        }
    }
    emitted
}

/// CDS and CDNSKEY at the zone's apex, as text without their owner.
fn at_apex(asked: &Asked) -> BTreeSet<String> {
    let answers = asked
        .others
        .iter()
        .filter(|(name, rtype, _)| name == &asked.zone && matches!(*rtype, Rtype::CDS | Rtype::CDNSKEY));
    let responses = answers.flat_map(|(_, _, answers)| usable(answers));
    responses
        .flat_map(|(_, response)| response.answer.iter().filter_map(text))
        .collect()
}

fn text(record: &Record) -> Option<String> {
    matches!(record.data, Data::Cds(_) | Data::Cdnskey(_)).then(|| format!("{} {}", record.rtype(), record.data))
}

/// What stands at the signalling name of a name server (RFC 9615 §3.1); `None` when the name would be too long.
async fn signalled(run: &Run, server: &Name) -> Option<BTreeSet<String>> {
    let name: Name = format!("_dsboot.{}._signal.{server}", run.zone()).parse().ok()?;
    let (cds, cdnskey) = tokio::join!(run.lookup(&name, Rtype::CDS), run.lookup(&name, Rtype::CDNSKEY));
    let records = cds.records.iter().chain(&cdnskey.records);
    Some(records.filter_map(text).collect())
}
