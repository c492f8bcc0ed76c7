//! resolver10 and resolver13: what it says of names that do not exist, and whether it learns from proofs (RFC 8198).

use model::Name;

use super::Gathered;
use super::asks::Ask;
use super::validation::{Validation, validation_of};
use crate::cases::Emission;
use crate::record::Record;

/// resolver10: a name that does not exist is said not to.
pub(super) fn resolver10(gathered: &Gathered) -> Vec<Emission> {
    let asked = [Ask::Nothing, Ask::NoTopLevel];
    let mut is_told = false;
    let mut emitted = Vec::new();
    for ask in asked {
        let (Some(response), Some(name)) = (gathered.answers.response(ask), gathered.names.name(ask)) else {
            continue;
        };
        is_told |= response.is_nxdomain();
        let addresses: Vec<_> = response.answer.iter().filter_map(Record::address).collect();
        if response.is_noerror() && !addresses.is_empty() {
            let rewritten = Emission::new("R10_REWRITES").arg("name", name);
            emitted.push(rewritten.list("addresses", addresses));
        }
    }
    if emitted.is_empty() && is_told {
        emitted.push(Emission::new("R10_SAYS_SO"));
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}

/// resolver13: whether a proof that it has seen spares the next question.
pub(super) fn resolver13(gathered: &Gathered) -> Vec<Emission> {
    let (Some(seen), Some(name)) = (&gathered.seen, gathered.names.name(Ask::NothingElse)) else {
        return Vec::new();
    };
    let answers = &gathered.answers;
    let is_nothing = |ask| answers.response(ask).is_some_and(|response| response.is_nxdomain());
    if validation_of(gathered) != Validation::Always || !is_nothing(Ask::Nothing) || !is_nothing(Ask::NothingElse) {
        return Vec::new();
    }
    let is_asked = seen
        .iter()
        .any(|seen| seen.name.parse::<Name>().is_ok_and(|asked| asked == name));
    let tag = if is_asked { "R13_ASKS_AGAIN" } else { "R13_USES_PROOFS" };
    vec![Emission::new(tag).arg("resolver", gathered.resolver)]
}
