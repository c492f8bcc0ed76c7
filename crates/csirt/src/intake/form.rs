//! What a person types into the public report form, and what is wrong with it.

use std::net::IpAddr;

use jiff::Timestamp;
use model::{Language, Name, Tlp};
use serde::Deserialize;

use super::names::{in_list, in_text};
use crate::notices::is_address;

/// Longest description in letters; some thousand words.
const LONGEST_WHAT: usize = 10_000;

/// Longest list of names in letters.
const LONGEST_NAMES: usize = 4_000;

/// The form as it was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Form {
    /// What happened.
    pub what: String,
    /// Names, zones or addresses concerned.
    pub names: String,
    /// Where the team may ask back; may be empty.
    pub email: String,
    /// Code of the language of the page.
    pub language: String,
    /// TLP label that the person wishes; empty for `TLP:AMBER`.
    pub tlp: String,
    /// A field that people do not see. Who fills it is a program.
    pub website: String,
    /// When the page with the form was made, from its hidden field; `None` where it is missing or not ours.
    #[serde(skip)]
    pub shown_at: Option<Timestamp>,
}

/// A report that can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What happened.
    pub what: String,
    /// Names as typed.
    pub names: String,
    /// Names recognised in both fields, sorted.
    pub zones: Vec<Name>,
    /// Addresses recognised in both fields, sorted.
    pub addresses: Vec<IpAddr>,
    /// Where the team may ask back.
    pub email: Option<String>,
    /// The person's language.
    pub language: Language,
    /// How far the report may travel.
    pub tlp: Tlp,
}

impl Draft {
    /// A report by mail. What is too long is cut: the mail itself is kept. A TLP label in the subject counts (TLP 2.0, §2).
    pub fn of_mail(subject: &str, text: &str, from: &str, language: Option<Language>) -> Self {
        let what = clean(&format!("{subject}\n\n{text}"));
        let told = in_text(&what);
        let label = Tlp::ALL
            .into_iter()
            .rev()
            .find(|label| subject.to_uppercase().contains(label.as_str()));
        Self {
            what: what.chars().take(LONGEST_WHAT).collect(),
            names: String::new(),
            zones: told.names,
            addresses: told.addresses,
            email: is_address(from).then(|| from.to_owned()),
            language: language.unwrap_or_default(),
            tlp: label.unwrap_or(Tlp::Amber),
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldError {
    /// The field: `what`, `names`, `email` or `tlp`.
    pub field: &'static str,
    /// Id of the text that tells the person, in area `intake`.
    pub text_id: &'static str,
}

/// Checks the form, all fields at once.
pub fn check(form: &Form) -> Result<Draft, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut wrong = |field, text_id| errors.push(FieldError { field, text_id });
    let what = clean(&form.what);
    match what.chars().count() {
        0..10 => wrong("what", "intake-error-what-short"),
        10..=LONGEST_WHAT => {}
        _ => wrong("what", "intake-error-what-long"),
    }
    let names = clean(&form.names);
    if names.chars().count() > LONGEST_NAMES {
        wrong("names", "intake-error-names-long");
    }
    let email = form.email.trim();
    if !email.is_empty() && !is_address(email) {
        wrong("email", "intake-error-email");
    }
    let tlp = match form.tlp.trim() {
        "" => Tlp::Amber,
        label => label.parse().unwrap_or_else(|_| {
            wrong("tlp", "intake-error-tlp");
            Tlp::Red
        }),
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let (listed, told) = (in_list(&names), in_text(&what));
    let mut zones: Vec<Name> = listed.names.into_iter().chain(told.names).collect();
    zones.sort();
    zones.dedup();
    let mut addresses: Vec<IpAddr> = listed.addresses.into_iter().chain(told.addresses).collect();
    addresses.sort();
    addresses.dedup();
    Ok(Draft {
        what,
        names,
        zones,
        addresses,
        email: (!email.is_empty()).then(|| email.to_owned()),
        language: form.language.parse().unwrap_or_default(),
        tlp,
    })
}

/// Whether a program filled the form: it filled the field that people do not see, or was faster than people are.
pub fn is_spam(form: &Form, fastest_secs: u32, now: Timestamp) -> bool {
    let fastest = jiff::SignedDuration::from_secs(i64::from(fastest_secs));
    !form.website.trim().is_empty()
        || form
            .shown_at
            .is_some_and(|shown_at| now.duration_since(shown_at) < fastest)
}

fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.trim()
        .chars()
        .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form() -> Form {
        Form {
            what: "The pages of bank.example show another content.".to_owned(),
            ..Form::default()
        }
    }

    #[test]
    fn a_plain_report_is_taken_with_the_names_in_it() {
        let draft = check(&Form {
            names: "shop.example 192.0.2.1".to_owned(),
            ..form()
        })
        .unwrap();
        assert_eq!(
            draft.zones.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["bank.example", "shop.example"]
        );
        assert_eq!((draft.addresses.len(), draft.tlp, draft.email), (1, Tlp::Amber, None));
    }

    #[test]
    fn a_mail_becomes_a_report_with_its_names_and_its_label() {
        let draft = Draft::of_mail(
            "[TLP:AMBER+STRICT] help",
            "shop.example is gone",
            "ada@bank.example",
            None,
        );
        assert_eq!(draft.what, "[TLP:AMBER+STRICT] help\n\nshop.example is gone");
        assert_eq!((draft.zones.len(), draft.tlp), (1, Tlp::AmberStrict));
        assert_eq!(draft.email.as_deref(), Some("ada@bank.example"));
        let bare = Draft::of_mail("", &"x".repeat(20_000), "MAILER-DAEMON", Some(Language::Arabic));
        assert_eq!(
            (bare.what.len(), bare.email, bare.tlp),
            (LONGEST_WHAT, None, Tlp::Amber)
        );
        assert_eq!(bare.language, Language::Arabic);
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let wrong = Form {
            what: "help".to_owned(),
            names: "x".repeat(5000),
            email: "ada at example".to_owned(),
            tlp: "TLP:PINK".to_owned(),
            ..Form::default()
        };
        let fields: Vec<_> = check(&wrong)
            .unwrap_err()
            .into_iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(fields, ["what", "names", "email", "tlp"]);
    }

    #[test]
    fn every_error_has_its_text_in_every_language() {
        for language in Language::ALL {
            for id in ["what-short", "what-long", "names-long", "email", "tlp"] {
                assert!(
                    language::texts(language).has(&format!("intake-error-{id}")),
                    "{language} {id}"
                );
            }
        }
    }

    #[test]
    fn programs_are_told_by_the_hidden_field_and_by_their_haste() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let shown = |secs| Form {
            shown_at: Some(now - jiff::SignedDuration::from_secs(secs)),
            ..form()
        };
        assert!(is_spam(
            &Form {
                website: "http://x.example".to_owned(),
                ..form()
            },
            3,
            now
        ));
        assert!(is_spam(&shown(1), 3, now));
        assert!(!is_spam(&shown(3), 3, now));
        assert!(
            !is_spam(&form(), 3, now),
            "a page without its hidden field is not held against a person"
        );
    }

    proptest! {
        #[test]
        fn any_form_is_a_draft_or_field_errors(what in "\\PC{0,200}|.{0,100}", names in ".{0,100}", email in ".{0,50}", tlp in ".{0,12}") {
            let form = Form { what, names, email, tlp, ..Form::default() };
            match check(&form) {
                Ok(draft) => prop_assert!(draft.what.chars().count() >= 10),
                Err(errors) => prop_assert!(!errors.is_empty()),
            }
        }
    }
}
