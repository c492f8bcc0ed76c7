//! The files of explanations as they are read.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use include_dir::{Dir, File, include_dir};
use model::Language;
use serde::Deserialize;

use super::Program;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/explanations");

/// The table of what several test cases say alike.
pub const ANY_CASE: &str = "any";

/// What a file says of one test case.
#[derive(Debug, Deserialize)]
pub(super) struct CaseTexts {
    #[serde(default)]
    pub(super) why: String,
    #[serde(default)]
    pub(super) rfc: String,
    #[serde(default)]
    pub(super) kindns: String,
    #[serde(flatten)]
    tags: BTreeMap<String, TagTexts>,
}

/// What a file says of one tag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagTexts {
    /// The arguments that the message carries: for translators, and for the test of the slots.
    #[serde(default)]
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for translators and for the test of the slots")
    )]
    args: Vec<String>,
    pub(super) what: String,
    pub(super) why: Option<String>,
    #[serde(default)]
    pub(super) mend: String,
    pub(super) rfc: Option<String>,
    pub(super) kindns: Option<String>,
    #[serde(default)]
    pub(super) config: BTreeMap<Program, String>,
}

type Catalogue = BTreeMap<String, CaseTexts>;

/// Each language is read when it is first asked for: a command that speaks one does not wait for six.
static CATALOGUES: [OnceLock<Catalogue>; Language::ALL.len()] = [const { OnceLock::new() }; Language::ALL.len()];

fn catalogue(language: Language) -> &'static Catalogue {
    let at = Language::ALL.iter().position(|other| *other == language);
    CATALOGUES[at.unwrap_or_default()].get_or_init(|| {
        let parse = |file: &File| -> Catalogue {
            let text = file.contents_utf8().unwrap_or_default();
            toml::from_str(text).unwrap_or_else(|error| unreachable!("a test reads {}: {error}", file.path().display()))
        };
        let folder = FILES.get_dir(language.code());
        folder.into_iter().flat_map(Dir::files).flat_map(parse).collect()
    })
}

/// The texts on a tag in `language`, where it has them: those of its case, else those of [`ANY_CASE`].
pub(super) fn texts_on(language: Language, case: &str, tag: &str) -> Option<(&'static CaseTexts, &'static TagTexts)> {
    [case, ANY_CASE].into_iter().find_map(|case| {
        let of_case = catalogue(language).get(case)?;
        Some((of_case, of_case.tags.get(tag)?))
    })
}

/// Every test case and tag that is explained, in the order of their names.
pub fn explained() -> impl Iterator<Item = (&'static str, &'static str)> {
    let tags_of = |(case, texts): (&'static String, &'static CaseTexts)| {
        let tags = texts.tags.keys();
        tags.map(move |tag| (case.as_str(), tag.as_str()))
    };
    catalogue(Language::English).iter().flat_map(tags_of)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::slot::slots;
    use super::*;

    fn words(texts: &TagTexts) -> impl Iterator<Item = &str> {
        let all = [Some(&texts.what), texts.why.as_ref(), Some(&texts.mend)];
        all.into_iter().flatten().map(String::as_str)
    }

    /// Looks at each tag of each language beside the English texts on it.
    fn on_each(check: impl Fn(&str, &TagTexts, &TagTexts)) {
        for language in Language::ALL {
            for (case, of_case) in catalogue(language) {
                let english = &catalogue(Language::English)[case];
                assert_eq!(of_case.why.is_empty(), english.why.is_empty(), "{language} {case}: why");
                for (tag, texts) in &of_case.tags {
                    let wanted = english.tags.get(tag);
                    let wanted = wanted.unwrap_or_else(|| panic!("{language} {case} {tag} is not in English"));
                    check(&format!("{language} {case} {tag}"), texts, wanted);
                }
            }
        }
    }

    #[test]
    fn every_slot_is_an_argument_of_its_tag() {
        on_each(|at, texts, english| {
            for name in words(texts).flat_map(slots) {
                assert!(
                    english.args.iter().any(|arg| arg == name),
                    "{at}: {{{name}}} is no argument"
                );
            }
        });
    }

    #[test]
    fn a_translation_puts_in_what_the_english_text_puts_in() {
        on_each(|at, texts, english| {
            let own: BTreeSet<&str> = words(texts).flat_map(slots).collect();
            let wanted: BTreeSet<&str> = words(english).flat_map(slots).collect();
            assert_eq!(own, wanted, "{at}");
        });
    }

    #[test]
    fn a_translation_says_all_that_the_english_text_says() {
        on_each(|at, texts, english| {
            let is_said = |text: &Option<String>| text.as_ref().map(|text| !text.is_empty());
            assert_eq!(is_said(&texts.why), is_said(&english.why), "{at}: why");
            assert_eq!(texts.mend.is_empty(), english.mend.is_empty(), "{at}: mend");
            assert!(!texts.what.is_empty(), "{at}: what");
        });
    }

    #[test]
    fn every_tag_is_explained_in_every_language() {
        for language in Language::ALL {
            for (case, of_case) in catalogue(Language::English) {
                for tag in of_case.tags.keys() {
                    let own = catalogue(language).get(case).and_then(|texts| texts.tags.get(tag));
                    assert!(own.is_some(), "{case} {tag} has no text in {language}");
                }
            }
        }
    }

    #[test]
    fn only_the_english_files_carry_what_is_the_same_in_all_languages() {
        for language in Language::ALL
            .into_iter()
            .filter(|language| *language != Language::English)
        {
            for (case, of_case) in catalogue(language) {
                assert!(of_case.rfc.is_empty() && of_case.kindns.is_empty(), "{language} {case}");
                for (tag, texts) in &of_case.tags {
                    let is_bare = texts.args.is_empty() && texts.config.is_empty();
                    assert!(
                        is_bare && texts.rfc.is_none() && texts.kindns.is_none(),
                        "{language} {case} {tag}"
                    );
                }
            }
        }
    }
}
