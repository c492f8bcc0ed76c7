//! edns07: which server of an anycast cloud answered (RFC 5001).

use std::collections::BTreeSet;

use domain::base::iana::Rtype;

use super::size::FLAG_DAY;
use crate::cases::Emission;
use crate::question::{NSID, Question};
use crate::run::Run;

/// edns07: says the names by which servers tell themselves apart. It looks at answers for which every check asks.
pub async fn edns07(run: &Run) -> Vec<Emission> {
    let question = Question::edns(run.zone(), Rtype::SOA)
        .payload(FLAG_DAY)
        .option(NSID, Vec::new());
    let addresses = run.child_addresses().await.keys().copied();
    let mut without = BTreeSet::new();
    let mut emitted = Vec::new();
    for (address, exchange) in run.ask_all(addresses, &question).await {
        let Some(response) = exchange.response() else { continue };
        for server in run.servers_at(address) {
            match response.nsid() {
                Some(nsid) => emitted.push(Emission::new("E07_NSID").arg("ns", server).arg("nsid", nsid)),
                None => drop(without.insert(server)),
            }
        }
    }
    if !without.is_empty() {
        emitted.push(Emission::new("E07_NO_NSID").list("ns_list", without));
    }
    emitted
}
