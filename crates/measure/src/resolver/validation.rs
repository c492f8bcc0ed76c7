//! resolver02 and resolver12: whether it validates, and tells what came of it (RFC 4035 §3.2 and §4, RFC 6840 §5).

use domain::base::iana::Rtype;

use super::Gathered;
use super::asks::{Ask, BAD};
use crate::cases::Emission;

/// Option code of extended errors (RFC 8914).
const EXTENDED_ERROR: u16 = 15;

/// What a resolver does with signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validation {
    /// Wrong signatures keep names from being found, right ones do not.
    Always,
    /// Some wrong ones got through.
    Sometimes,
    /// All wrong ones got through.
    Never,
    /// The measuring zone has no DS at its parent, so that nobody can validate it.
    NoChain,
    /// Not even the good name was found.
    Unknown,
}

pub(super) fn validation_of(gathered: &Gathered) -> Validation {
    let answers = &gathered.answers;
    let ds = answers
        .response(Ask::Ds)
        .map(|response| response.answer_type(Rtype::DS).count());
    let found = (0..BAD).filter(|number| answers.has_data(Ask::Bad(*number))).count();
    let is_answered = (0..BAD).any(|number| answers.response(Ask::Bad(number)).is_some());
    match (ds, answers.has_data(Ask::Good), found) {
        (Some(0), ..) => Validation::NoChain,
        (_, false, _) => Validation::Unknown,
        (_, true, found) if found == usize::from(BAD) => Validation::Never,
        (_, true, 0) if is_answered => Validation::Always,
        (_, true, 0) => Validation::Unknown,
        _ => Validation::Sometimes,
    }
}

/// resolver02: names with wrong signatures are not found, those with right ones and those without any are.
pub(super) fn resolver02(gathered: &Gathered) -> Vec<Emission> {
    let answers = &gathered.answers;
    if answers.exchange(Ask::Good).is_none() {
        return Vec::new();
    }
    let rcode = |ask| {
        answers
            .response(ask)
            .map_or("timeout".to_owned(), |response| response.rcode_name())
    };
    let mut emitted = vec![match validation_of(gathered) {
        Validation::Always => Emission::new("R02_VALIDATES"),
        Validation::Sometimes => {
            let found = (0..BAD).filter(|number| answers.has_data(Ask::Bad(*number))).count();
            Emission::new("R02_VALIDATES_SOMETIMES")
                .arg("found", found)
                .arg("asked", BAD)
        }
        Validation::Never => Emission::new("R02_DOES_NOT_VALIDATE"),
        Validation::NoChain => {
            let zone = gathered.names.zone().map(ToString::to_string).unwrap_or_default();
            Emission::new("R02_NO_CHAIN").arg("zone", zone)
        }
        Validation::Unknown => Emission::new("R02_GOOD_NOT_FOUND").arg("rcode", rcode(Ask::Good)),
    }];
    if answers.exchange(Ask::Unsigned).is_some() && !answers.has_data(Ask::Unsigned) {
        emitted.push(Emission::new("R02_UNSIGNED_NOT_FOUND").arg("rcode", rcode(Ask::Unsigned)));
    }
    if validation_of(gathered) == Validation::Always {
        let explains = (0..BAD)
            .filter_map(|number| answers.response(Ask::Bad(number)))
            .any(|response| {
                response
                    .edns
                    .as_ref()
                    .is_some_and(|edns| edns.option(EXTENDED_ERROR).is_some())
            });
        let tag = if explains { "R02_SAYS_WHY" } else { "R02_SAYS_NOT_WHY" };
        emitted.push(Emission::new(tag));
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}

/// resolver12: AD, CD and DO mean what they should.
pub(super) fn resolver12(gathered: &Gathered) -> Vec<Emission> {
    let answers = &gathered.answers;
    if !answers.has_data(Ask::Good) {
        return Vec::new();
    }
    let validation = validation_of(gathered);
    let has_ad = |ask| answers.response(ask).is_some_and(|response| response.authentic_data);
    let mut emitted = Vec::new();
    let is_unproven = has_ad(Ask::Unsigned) || (0..BAD).any(|number| has_ad(Ask::Bad(number)));
    if is_unproven {
        emitted.push(Emission::new("R12_AD_WITHOUT_PROOF"));
    }
    let signatures = answers
        .response(Ask::Good)
        .map_or(0, |response| response.answer_type(Rtype::RRSIG).count());
    if signatures == 0 {
        emitted.push(Emission::new("R12_NO_SIGNATURES"));
    }
    if validation == Validation::Always {
        if !has_ad(Ask::Good) {
            emitted.push(Emission::new("R12_NO_AD").arg("bit", "DO"));
        }
        if answers.has_data(Ask::GoodWithAd) && !has_ad(Ask::GoodWithAd) {
            emitted.push(Emission::new("R12_NO_AD").arg("bit", "AD"));
        }
        if has_ad(Ask::GoodBare) {
            emitted.push(Emission::new("R12_AD_UNASKED"));
        }
        if answers.response(Ask::BadUnchecked).is_some() && !answers.has_data(Ask::BadUnchecked) {
            emitted.push(Emission::new("R12_CD_IGNORED"));
        }
    }
    if emitted.is_empty() {
        emitted.push(Emission::new("R12_FLAGS_AS_THEY_SHOULD"));
    }
    emitted
        .into_iter()
        .map(|emission| emission.arg("resolver", gathered.resolver))
        .collect()
}
