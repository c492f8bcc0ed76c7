//! The texts of pages, notices and the command line in the six languages, by Project Fluent.
//!
//! A text lives in `locales/LANGUAGE/AREA.ftl`, where an area is a room of the reader: `notice`, `answer`, `report`,
//! `portal`, `status`, `finding`. Ids are unique over all areas. A test fails when a text lacks a language or when its
//! arguments differ between languages. Findings of test cases are told by [`explain()`]. This crate decides no wording by
//! itself and knows no HTML.

mod explain;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use explain::{ANY_CASE, Explanation, Program, explain, explained};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use include_dir::{Dir, include_dir};
pub use model::Language;

static LOCALES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/locales");

static TEXTS: LazyLock<BTreeMap<Language, Text>> = LazyLock::new(|| {
    Language::ALL
        .into_iter()
        .map(|language| (language, Text::load(language)))
        .collect()
});

/// All texts of one language.
pub struct Text {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

/// An argument of a text.
#[derive(Debug, Clone)]
pub enum Arg {
    /// Shown as it is.
    Text(String),
    /// A count: chooses the plural form and is written in the language's digits grouping.
    Number(i64),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Arg::Text(text.to_owned())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Arg::Text(text)
    }
}

impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Arg::Text(text.clone())
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Arg::Number(number)
    }
}

/// The texts of `language`.
pub fn texts(language: Language) -> &'static Text {
    &TEXTS[&language]
}

impl Text {
    fn load(language: Language) -> Self {
        let identifier = language
            .code()
            .parse()
            .expect("a code of ours is a language identifier");
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // In a text from right to left, a name or an address that is put in must not turn the words around it.
        bundle.set_use_isolating(language.direction() == "rtl");
        let folder = LOCALES
            .get_dir(language.code())
            .into_iter()
            .flat_map(|folder| folder.files());
        for source in folder.filter_map(|file| file.contents_utf8()) {
            // What parses is used; the test `every_file_parses` holds the rest.
            let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
            bundle.add_resource_overriding(resource);
        }
        Self { language, bundle }
    }

    /// The language of these texts.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Whether there is a text with this id.
    pub fn has(&self, id: &str) -> bool {
        self.bundle.has_message(id)
    }

    /// The text with this id, or the id in brackets where there is none.
    pub fn get(&self, id: &str) -> String {
        self.format(id, [])
    }

    /// The text with `args` put in: `format("case-age", [("days", 3.into())])`.
    pub fn format<'a>(&self, id: &str, args: impl IntoIterator<Item = (&'a str, Arg)>) -> String {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            return format!("[{id}]");
        };
        let values: FluentArgs = args
            .into_iter()
            .map(|(name, arg)| match arg {
                Arg::Text(text) => (name, FluentValue::from(text)),
                Arg::Number(number) => (name, FluentValue::from(number)),
            })
            .collect();
        // Faults of a pattern (an argument not given) leave its name in the text; the tests of each area see them.
        let mut faults = Vec::new();
        self.bundle
            .format_pattern(pattern, Some(&values), &mut faults)
            .into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

    use super::*;

    /// Id → names of its arguments, for all areas of a language.
    fn ids(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut ids = BTreeMap::new();
        for file in LOCALES.get_dir(language.code()).unwrap().files() {
            let source = file.contents_utf8().unwrap();
            let resource = fluent_syntax::parser::parse(source)
                .unwrap_or_else(|(_, errors)| panic!("{}: {:?}", file.path().display(), errors[0]));
            for entry in resource.body {
                if let Entry::Message(message) = entry {
                    let mut arguments = BTreeSet::new();
                    if let Some(pattern) = &message.value {
                        collect(pattern, &mut arguments);
                    }
                    let id = message.id.name.to_owned();
                    assert!(
                        ids.insert(id.clone(), arguments).is_none(),
                        "`{id}` stands twice in {language}"
                    );
                }
            }
        }
        ids
    }

    fn collect(pattern: &Pattern<&str>, arguments: &mut BTreeSet<String>) {
        for element in &pattern.elements {
            let PatternElement::Placeable { expression } = element else {
                continue;
            };
            let inline = match expression {
                Expression::Inline(inline) => inline,
                Expression::Select { selector, variants } => {
                    variants.iter().for_each(|variant| collect(&variant.value, arguments));
                    selector
                }
            };
            collect_inline(inline, arguments);
        }
    }

    fn collect_inline(inline: &InlineExpression<&str>, arguments: &mut BTreeSet<String>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                arguments.insert(id.name.to_owned());
            }
            InlineExpression::FunctionReference { arguments: call, .. } => {
                call.positional
                    .iter()
                    .for_each(|argument| collect_inline(argument, arguments));
            }
            _ => {}
        }
    }

    #[test]
    fn every_text_stands_in_all_six_languages_with_the_same_arguments() {
        let english = ids(Language::English);
        for language in Language::ALL {
            let other = ids(language);
            let missing: Vec<_> = english.keys().filter(|id| !other.contains_key(*id)).collect();
            let surplus: Vec<_> = other.keys().filter(|id| !english.contains_key(*id)).collect();
            assert!(
                missing.is_empty() && surplus.is_empty(),
                "{language} lacks {missing:?} and alone has {surplus:?}"
            );
            for (id, arguments) in &english {
                assert_eq!(&other[id], arguments, "arguments of `{id}` in {language}");
            }
        }
    }

    #[test]
    fn an_unknown_id_shows_itself() {
        assert_eq!(texts(Language::English).get("no-such-text"), "[no-such-text]");
    }
}
