//! zone11: whether the zone publishes one SPF policy, a sound one, and the same at all servers.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::Rtype;

use super::dnssec::sound;
use super::zone_mail::is_without_mail;
use super::{Emission, reachable_servers};
use crate::question::Question;
use crate::record::{Data, Record};
use crate::response::Response;
use crate::run::Run;
use crate::server::Server;
use crate::spf::{SpfRecord, is_spf};

/// The SPF policies of one server, in lower case; none where it has none.
type Policies = BTreeSet<Vec<u8>>;

/// The strings of a TXT record as one (RFC 7208 §3.3).
fn text(record: &Record) -> Option<Vec<u8>> {
    let Data::Txt(txt) = &record.data else { return None };
    Some(txt.text())
}

fn policies(response: &Response, run: &Run) -> Policies {
    let texts = response.answers(run.zone(), Rtype::TXT).filter_map(text);
    texts
        .filter(|text| is_spf(text))
        .map(|text| text.to_ascii_lowercase())
        .collect()
}

/// zone11: one SPF policy, without mistakes, that all servers give.
pub(super) async fn zone11(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::TXT, &mut emitted).await;
    let asked = run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::TXT))
        .await;
    let mut seen: BTreeMap<Policies, BTreeSet<&Server>> = BTreeMap::new();
    for (address, exchange) in &asked {
        if let Some(response) = sound(exchange) {
            let named = servers.get(address).into_iter().flatten();
            seen.entry(policies(response, run)).or_default().extend(named);
        }
    }
    emitted.extend(judge(run, &seen));
    emitted
}

fn judge(run: &Run, seen: &BTreeMap<Policies, BTreeSet<&Server>>) -> Vec<Emission> {
    let say = |tag| Emission::new(tag).arg("domain", run.zone());
    let Some((policies, servers)) = seen.first_key_value() else {
        return vec![Emission::new("Z11_UNABLE_TO_CHECK_FOR_SPF")];
    };
    if seen.len() > 1 {
        let different = |servers| Emission::new("Z11_DIFFERENT_SPF_POLICIES_FOUND").list("ns_list", servers);
        let inconsistent = Emission::new("Z11_INCONSISTENT_SPF_POLICIES");
        return [inconsistent].into_iter().chain(seen.values().map(different)).collect();
    }
    let is_without_mail = is_without_mail(run.zone());
    let mut texts = policies.iter();
    let policy = match (texts.next(), texts.next()) {
        (None, _) if is_without_mail => return vec![say("Z11_NO_SPF_NON_MAIL_DOMAIN")],
        (None, _) => return vec![say("Z11_NO_SPF_FOUND")],
        (Some(_), Some(_)) => return vec![Emission::new("Z11_SPF_MULTIPLE_RECORDS").list("ns_list", servers)],
        (Some(policy), None) => String::from_utf8_lossy(policy),
    };
    vec![match policy.parse::<SpfRecord>() {
        // the term goes beyond the specification: without it a reader searches a long record for a small slip
        Err(error) => say("Z11_SPF_SYNTAX_ERROR")
            .list("ns_list", servers)
            .arg("term", error.term),
        Ok(record) if is_without_mail && record.is_null() => say("Z11_NULL_SPF_NON_MAIL_DOMAIN"),
        Ok(_) if is_without_mail => say("Z11_NON_NULL_SPF_NON_MAIL_DOMAIN"),
        Ok(_) => say("Z11_SPF_SYNTAX_OK"),
    }]
}
