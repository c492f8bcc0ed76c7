//! The six languages, those of the United Nations.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language that the system speaks (BCP 47 primary subtag).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Language {
    /// العربية, written from right to left.
    #[serde(rename = "ar")]
    Arabic,
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Español.
    #[serde(rename = "es")]
    Spanish,
    /// Français.
    #[serde(rename = "fr")]
    French,
    /// Русский.
    #[serde(rename = "ru")]
    Russian,
    /// 中文, in simplified characters.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// All six, in the order in which they are offered.
    pub const ALL: [Language; 6] = [
        Language::English,
        Language::French,
        Language::Spanish,
        Language::Arabic,
        Language::Russian,
        Language::Chinese,
    ];

    /// The subtag: `ar`.
    pub fn code(self) -> &'static str {
        match self {
            Language::Arabic => "ar",
            Language::English => "en",
            Language::Spanish => "es",
            Language::French => "fr",
            Language::Russian => "ru",
            Language::Chinese => "zh",
        }
    }

    /// The language's name in itself.
    pub fn endonym(self) -> &'static str {
        match self {
            Language::Arabic => "العربية",
            Language::English => "English",
            Language::Spanish => "Español",
            Language::French => "Français",
            Language::Russian => "Русский",
            Language::Chinese => "中文",
        }
    }

    /// Direction of its writing, as HTML's `dir` takes it.
    pub fn direction(self) -> &'static str {
        if self == Language::Arabic { "rtl" } else { "ltr" }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A tag of a language that the system does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of the languages en, fr, es, ar, ru, zh")]
pub struct LanguageError(String);

impl FromStr for Language {
    type Err = LanguageError;

    /// Takes a BCP 47 tag and looks at its first subtag only: `zh-Hans-CN` is Chinese.
    fn from_str(text: &str) -> Result<Self, LanguageError> {
        let primary = text.split(['-', '_']).next().unwrap_or_default();
        Language::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
            .ok_or_else(|| LanguageError(text.to_owned()))
    }
}
