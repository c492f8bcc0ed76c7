//! syntax06: whether RNAME is a mailbox to which mail can be brought.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::iana::{OptRcode, Rtype};
use futures_util::future::join_all;
use model::Name;

use super::{Emission, is_localhost, reachable_servers};
use crate::lookup::Lookup;
use crate::mailbox::Mailbox;
use crate::question::Question;
use crate::record::Record;
use crate::run::Run;

/// syntax06: RNAME is a mailbox, and its domain takes mail.
pub(super) async fn syntax06(run: &Run) -> Vec<Emission> {
    let mut emitted = Vec::new();
    let servers = reachable_servers(run, Rtype::SOA, &mut emitted).await;
    let asked = run
        .ask_all(servers.keys().copied(), &Question::plain(run.zone(), Rtype::SOA))
        .await;
    // by the text of the name: letter case of a local part counts
    let mut rnames = BTreeMap::new();
    for (address, exchange) in &asked {
        let say = |tag| {
            servers[address]
                .iter()
                .map(move |server| Emission::new(tag).arg("ns", server))
        };
        let Some(response) = exchange.response() else {
            emitted.extend(say("NO_RESPONSE"));
            continue;
        };
        match response.answers(run.zone(), Rtype::SOA).find_map(Record::soa) {
            Some(soa) => _ = rnames.insert(soa.rname().to_string(), Mailbox::from_rname(soa.rname())),
            None => emitted.extend(say("NO_RESPONSE_SOA_QUERY")),
        }
    }
    let judged = rnames.iter().map(async |(rname, mailbox)| match mailbox {
        None => vec![Emission::new("RNAME_RFC822_INVALID").arg("rname", rname)],
        Some(mailbox) => judge_domain(run, &mailbox.domain).await,
    });
    let complaints = join_all(judged).await;
    let is_valid = complaints
        .iter()
        .flatten()
        .all(|emission| !matches!(emission.tag, "RNAME_MAIL_DOMAIN_INVALID" | "RNAME_RFC822_INVALID"));
    if is_valid {
        let say = |rname| Emission::new("RNAME_RFC822_VALID").arg("rname", rname);
        emitted.extend(rnames.keys().map(say));
    }
    for complaint in complaints.into_iter().flatten() {
        if !emitted.contains(&complaint) {
            emitted.push(complaint);
        }
    }
    emitted
}

/// Whether mail to a domain has a host to go to.
async fn judge_domain(run: &Run, domain: &Name) -> Vec<Emission> {
    let mx = run.lookup(domain, Rtype::MX).await;
    if mx.rcode != Some(OptRcode::NOERROR) {
        return vec![invalid(domain)];
    }
    let mut hosts: BTreeSet<Name> = mx
        .records
        .iter()
        .filter_map(Record::mx)
        .map(|mx| Name::from_wire(mx.exchange()))
        .collect();
    if hosts.is_empty() {
        // without MX records the domain itself is the host (RFC 5321 §5.1)
        hosts.insert(domain.clone());
    }
    join_all(hosts.iter().map(|host| judge_host(run, host))).await.concat()
}

async fn judge_host(run: &Run, host: &Name) -> Vec<Emission> {
    let (a, aaaa) = tokio::join!(run.lookup(host, Rtype::A), run.lookup(host, Rtype::AAAA));
    let is_alias = a.alias || aaaa.alias;
    let own = |lookup: Lookup| if lookup.alias { Vec::new() } else { lookup.records };
    let addresses: BTreeSet<_> = [a, aaaa]
        .into_iter()
        .flat_map(own)
        .filter_map(|record| record.address())
        .collect();
    let local: Vec<_> = addresses.iter().filter(|address| is_localhost(**address)).collect();
    let mut emitted = Vec::new();
    if is_alias {
        emitted.push(Emission::new("RNAME_MAIL_ILLEGAL_CNAME").arg("domain", host));
    }
    if !local.is_empty() {
        let say = Emission::new("RNAME_MAIL_DOMAIN_LOCALHOST").arg("domain", host);
        emitted.push(say.list("address_list", &local));
    }
    if addresses.is_empty() || !local.is_empty() {
        emitted.push(invalid(host));
    }
    emitted
}

fn invalid(domain: &Name) -> Emission {
    Emission::new("RNAME_MAIL_DOMAIN_INVALID").arg("domain", domain)
}
