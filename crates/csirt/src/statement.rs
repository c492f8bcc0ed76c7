//! Sentences of the system itself, in places where people write theirs: reasons, notes, titles of evidence.
//!
//! They are kept as JSON in the same column and told in each reader's language; what people typed is shown as it is.

use std::fmt;

use language::{Arg, texts};
use model::{Language, Name, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notices::render::utc;
use crate::records::column;
use crate::requests::RequestState;

/// What the system says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "snake_case")]
pub enum Statement {
    /// An alert is over: the zone was measured well again.
    WellAgain,
    /// An alert is over: the vantage point, or all of them, came back.
    HeardAgain,
    /// An alert is over: it belongs to a wider matter, which has an alert of its own.
    PartOf {
        /// Kind of the wider alert: `mass-redelegated`.
        kind: String,
        /// What it is about: the server that the zones moved to.
        about: String,
    },
    /// An alert is over: its case was closed.
    CaseClosed,
    /// An alert was dismissed: its report is spam.
    Spam,
    /// The title of what the signals of an alert saw.
    Seen {
        /// Kind of the alert.
        kind: String,
        /// The first of its zones; none where it names none.
        zone: Option<Name>,
        /// How many zones it names besides.
        others: usize,
        /// When it was first seen.
        at: Timestamp,
        /// The last eight digits of the alert's id, by which people tell alerts apart.
        alert: String,
    },
    /// A measurement took the party's "done" back.
    NotRepaired {
        /// The request: `DNSCERT-2026-00001/2`.
        request: String,
        /// When it was measured.
        at: Timestamp,
        /// Where the request stood.
        from: RequestState,
    },
    /// A link was made to be handed over by telephone.
    LinkIssued,
    /// Links of a request were taken back.
    LinksRevoked {
        /// How many of them opened until then.
        count: u64,
    },
}

impl Statement {
    /// The sentence in `language`.
    pub fn text(&self, language: Language) -> String {
        let texts = texts(language);
        let kind_words = |kind: &str| {
            let id = format!("case-alert-kind-{kind}");
            if texts.has(&id) {
                texts.get(&id)
            } else {
                kind.to_owned()
            }
        };
        let count = |count: u64| Arg::Number(i64::try_from(count).unwrap_or(i64::MAX));
        match self {
            Statement::WellAgain => texts.get("statement-well-again"),
            Statement::HeardAgain => texts.get("statement-heard-again"),
            Statement::CaseClosed => texts.get("statement-case-closed"),
            Statement::Spam => texts.get("statement-spam"),
            Statement::LinkIssued => texts.get("statement-link-issued"),
            Statement::LinksRevoked { count: links } => {
                texts.format("statement-links-revoked", [("count", count(*links))])
            }
            Statement::PartOf { kind, about } => texts.format(
                "statement-part-of",
                [("kind", kind_words(kind).into()), ("about", about.into())],
            ),
            Statement::Seen {
                kind,
                zone,
                others,
                at,
                alert,
            } => {
                let zone = zone
                    .as_ref()
                    .map(|zone| zone.unicode().unwrap_or_else(|| zone.to_string()));
                texts.format(
                    "statement-seen",
                    [
                        ("kind", kind_words(kind).into()),
                        ("zone", zone.unwrap_or_else(|| "–".to_owned()).into()),
                        ("others", count(u64::try_from(*others).unwrap_or(u64::MAX))),
                        ("time", utc(*at).into()),
                        ("alert", alert.into()),
                    ],
                )
            }
            Statement::NotRepaired { request, at, from } => texts.format(
                "statement-not-repaired",
                [
                    ("request", request.into()),
                    ("time", utc(*at).into()),
                    ("from", texts.get(&from.text_id()).into()),
                    ("to", texts.get(&RequestState::Working.text_id()).into()),
                ],
            ),
        }
    }
}

/// As it is kept.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&column::to_json(self))
    }
}

/// A kept text for a reader of `language`: the system's sentences in that language, people's words as they are.
pub fn told(text: &str, language: Language) -> String {
    match serde_json::from_str::<Statement>(text) {
        Ok(statement) => statement.text(language),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> Vec<Statement> {
        let at = "2026-03-01T10:00:00Z".parse().unwrap();
        vec![
            Statement::WellAgain,
            Statement::HeardAgain,
            Statement::PartOf {
                kind: "mass-redelegated".to_owned(),
                about: "ns1.evil.example".to_owned(),
            },
            Statement::CaseClosed,
            Statement::Spam,
            Statement::Seen {
                kind: "zone-unreachable".to_owned(),
                zone: Some("shop.example".parse().unwrap()),
                others: 2,
                at,
                alert: "8bd59da6".to_owned(),
            },
            Statement::NotRepaired {
                request: "DNSCERT-2026-00001/2".to_owned(),
                at,
                from: RequestState::Done,
            },
            Statement::LinkIssued,
            Statement::LinksRevoked { count: 3 },
        ]
    }

    #[test]
    fn every_statement_is_told_in_every_language_from_the_form_in_which_it_is_kept() {
        for statement in all() {
            for language in Language::ALL {
                let text = told(&statement.to_string(), language);
                assert_eq!(text, statement.text(language));
                assert!(!text.contains(['[', '{']), "{language}: {text}");
            }
        }
        let told: Vec<String> = all()
            .iter()
            .map(|statement| statement.text(Language::English))
            .collect();
        let seen = "What was seen: Zone does not answer – shop.example and 2 more, 2026-03-01 10:00 UTC (8bd59da6)";
        assert!(told.iter().any(|text| text == seen), "{told:#?}");
    }

    proptest! {
        #[test]
        fn what_people_type_is_shown_as_it_is(text in ".{0,80}") {
            prop_assert_eq!(told(&text, Language::Arabic), text);
        }
    }
}
