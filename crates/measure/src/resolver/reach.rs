//! resolver01 and resolver09: whether it answers, whom, and from where it asks.

use std::collections::BTreeSet;

use super::Gathered;
use super::asks::Ask;
use crate::cases::Emission;

/// resolver01: it answers over UDP and TCP, and looks names up.
pub(super) fn resolver01(gathered: &Gathered) -> Vec<Emission> {
    let answers = &gathered.answers;
    let (udp, tcp) = (answers.response(Ask::Udp), answers.response(Ask::Tcp));
    let mut emitted = Vec::new();
    let Some(response) = udp.or(tcp) else {
        return vec![Emission::new("R01_NO_RESPONSE").arg("resolver", gathered.resolver)];
    };
    if udp.is_none() {
        emitted.push(Emission::new("R01_NO_UDP"));
    }
    if tcp.is_none() {
        emitted.push(Emission::new("R01_NO_TCP"));
    }
    if !answers.serves() {
        emitted.push(Emission::new("R01_NO_RECURSION").arg("rcode", response.rcode_name()));
        return emitted
            .into_iter()
            .map(|emission| emission.arg("resolver", gathered.resolver))
            .collect();
    }
    if let Some(zone) = gathered.names.zone()
        && !answers.has_data(Ask::Udp)
        && !answers.has_data(Ask::Tcp)
    {
        emitted.push(
            Emission::new("R01_ZONE_OUT_OF_REACH")
                .arg("zone", zone)
                .arg("rcode", response.rcode_name()),
        );
    } else if emitted.is_empty() {
        emitted.push(Emission::new("R01_ANSWERS"));
    }
    match &gathered.seen {
        None => emitted.push(Emission::new("R01_NOTHING_SEEN")),
        Some(seen) => {
            let egress: BTreeSet<String> = seen.iter().map(|seen| seen.from.ip().to_string()).collect();
            if !egress.is_empty() {
                emitted.push(Emission::new("R01_EGRESS").list("addresses", egress));
            }
        }
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}

/// resolver09: it turns strangers away. What can be known from here is whether it turned us away.
pub(super) fn resolver09(gathered: &Gathered) -> Vec<Emission> {
    let answers = &gathered.answers;
    if answers.response(Ask::Udp).or(answers.response(Ask::Tcp)).is_none() {
        return Vec::new();
    }
    let tag = match (answers.serves(), gathered.is_outside) {
        (true, true) => "R09_OPEN",
        (true, false) => "R09_SERVES_US",
        (false, _) => "R09_TURNS_US_AWAY",
    };
    vec![Emission::new(tag).arg("resolver", gathered.resolver)]
}
