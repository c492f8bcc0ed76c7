//! Answers that say something is not there, and answers from wildcards: are they proven?

use std::collections::BTreeSet;
use std::net::IpAddr;

use domain::base::iana::Rtype;
use model::{AbsenceKind, AbsenceState, Link, Name, Security};

use super::faults::{Fault, Faults};
use super::zone::{Version, Zone, add_state};
use crate::dnssec::{AbsenceFault, Rrset, absence, rrsets};
use crate::response::Response;

/// Judges the proof in one answer of a server of `zone`, keeps it in `link` and gives its state.
pub(super) fn judge_response(
    zone: &Zone,
    (name, rtype): (&Name, Rtype),
    kind: AbsenceKind,
    server: IpAddr,
    response: &Response,
    link: &mut Link,
    faults: &mut Faults,
) -> Security {
    let claim = Claimed {
        name,
        rtype,
        kind,
        wildcard: None,
    };
    judge_claim(zone, claim, server, response, link, faults)
}

/// What an answer says is not there.
pub(super) struct Claimed<'a> {
    pub name: &'a Name,
    pub rtype: Rtype,
    pub kind: AbsenceKind,
    pub wildcard: Option<&'a Name>,
}

pub(super) fn judge_claim(
    zone: &Zone,
    claimed: Claimed,
    server: IpAddr,
    response: &Response,
    link: &mut Link,
    faults: &mut Faults,
) -> Security {
    let servers = BTreeSet::from([server]);
    let sets: Vec<Rrset> = rrsets(&response.authority)
        .into_iter()
        .filter(|set| matches!(set.rtype, Rtype::SOA | Rtype::NSEC | Rtype::NSEC3))
        .collect();
    let mut secure: Vec<&Rrset> = Vec::new();
    let mut is_soa_bogus = false;
    for set in &sets {
        let version = Version {
            set: set.clone(),
            servers: servers.clone(),
            without_edns: response.edns.is_none(),
        };
        let judged = zone.judge(&version, faults);
        match judged.state {
            Security::Bogus => is_soa_bogus |= set.rtype == Rtype::SOA,
            _ => secure.push(set),
        }
        add_state(&mut link.rrsets, judged);
    }
    let mut reasons: BTreeSet<String> = BTreeSet::new();
    let mut note = |tag: &'static str| {
        reasons.insert(tag.to_owned());
        let fault = Fault::new(tag, &zone.name)
            .arg("domain", claimed.name)
            .arg("rrtype", claimed.rtype);
        faults.note(fault, &servers);
    };
    let claim = absence::Claim {
        zone: &zone.name,
        name: claimed.name,
        rtype: claimed.rtype,
        kind: claimed.kind,
        wildcard: claimed.wildcard,
    };
    if claimed.kind != AbsenceKind::Wildcard {
        match sets.iter().find(|set| set.rtype == Rtype::SOA) {
            None => note("CH05_SOA_MISSING"),
            Some(soa) if soa.owner != zone.name => note("CH05_SOA_NOT_OF_ZONE"),
            Some(_) => {}
        }
    }
    // nothing needs a proof where nothing is signed
    let is_signed = !zone.keys.is_empty();
    let mut state = zone.state;
    if is_signed {
        let all: Vec<&Rrset> = sets.iter().collect();
        for fault in absence::judge(claim, &all) {
            note(tag_of(fault, claimed.kind));
        }
        let found = absence::judge(claim, &secure);
        if zone.state == Security::Secure {
            // resolvers refuse a negative answer whose SOA does not verify, however good its proof
            state = if is_soa_bogus {
                Security::Bogus
            } else {
                state_by(&found)
            };
        }
    }
    add(
        link,
        AbsenceState {
            name: claimed.name.clone(),
            rtype: claimed.rtype.to_int(),
            kind: claimed.kind,
            state,
            servers,
            reasons,
        },
    );
    state
}

/// The state of what a secure zone says is not there, by what is wrong with the proof.
fn state_by(faults: &BTreeSet<AbsenceFault>) -> Security {
    let is_mild = |fault: &AbsenceFault| *fault == AbsenceFault::LastNextNotApex;
    if faults.contains(&AbsenceFault::TooManyIterations) || faults.contains(&AbsenceFault::HashUnknown) {
        // RFC 5155 §8.1, RFC 9276 §3.2
        Security::Insecure
    } else if faults.iter().all(is_mild) {
        Security::Secure
    } else {
        Security::Bogus
    }
}

fn add(link: &mut Link, new: AbsenceState) {
    let same = |known: &&mut AbsenceState| {
        (&known.name, known.rtype, known.kind, known.state) == (&new.name, new.rtype, new.kind, new.state)
            && known.reasons == new.reasons
    };
    match link.absences.iter_mut().find(same) {
        Some(known) => known.servers.extend(new.servers),
        None => link.absences.push(new),
    }
}

fn tag_of(fault: AbsenceFault, kind: AbsenceKind) -> &'static str {
    match fault {
        AbsenceFault::NoProof => match kind {
            AbsenceKind::NoName => "CH05_NO_PROOF_FOR_NXDOMAIN",
            AbsenceKind::NoType | AbsenceKind::WildcardNoType => "CH05_NO_PROOF_FOR_NODATA",
            AbsenceKind::Wildcard => "CH05_NO_PROOF_FOR_WILDCARD",
            AbsenceKind::NoDs => "CH05_NO_PROOF_FOR_NO_DS",
        },
        AbsenceFault::NameNotCovered => "CH05_NAME_NOT_COVERED",
        AbsenceFault::NameCovered => "CH05_NAME_COVERED",
        AbsenceFault::NoClosestEncloser => "CH05_NO_CLOSEST_ENCLOSER",
        AbsenceFault::NextCloserNotCovered => "CH05_NEXT_CLOSER_NOT_COVERED",
        AbsenceFault::WildcardNotCovered => "CH05_WILDCARD_NOT_COVERED",
        AbsenceFault::WildcardCovered => "CH05_WILDCARD_COVERED",
        AbsenceFault::ExpansionInvalid => "CH05_WILDCARD_EXPANSION_INVALID",
        AbsenceFault::NoMatch => "CH05_NO_MATCH_FOR_NAME",
        AbsenceFault::TypeListed => "CH05_TYPE_IN_BITMAP",
        AbsenceFault::OptOutNotSet => "CH05_OPT_OUT_NOT_SET",
        AbsenceFault::LastNextNotApex => "CH05_LAST_NSEC_NOT_TO_APEX",
        AbsenceFault::HashInvalid => "CH05_NSEC3_HASH_INVALID",
        AbsenceFault::OwnerInvalid => "CH05_NSEC3_OWNER_INVALID",
        AbsenceFault::HashUnknown => "CH05_NSEC3_HASH_UNKNOWN",
        AbsenceFault::TooManyIterations => "CH05_NSEC3_TOO_MANY_ITERATIONS",
        AbsenceFault::DelegationWithSoa => "CH05_DELEGATION_WITH_SOA",
        AbsenceFault::DelegationWithDs => "CH05_DELEGATION_WITH_DS",
        AbsenceFault::DelegationWithoutNs => "CH05_DELEGATION_WITHOUT_NS",
    }
}
