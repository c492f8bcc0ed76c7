//! Enumerations whose values are words: the same in Rust, SQL, JSON, HTML and logs.

/// A word that is not one of those of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not one of {words}")]
pub struct WordError {
    /// What was given.
    pub text: String,
    /// The words that there are: `email, phone, signal`.
    pub words: String,
}

/// Makes an enumeration with `ALL`, `as_str`, `Display`, `FromStr` and serde by its words.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $Name:ident { $($(#[$value_doc:meta])* $Value:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name { $($(#[$value_doc])* $Value,)+ }

        impl $Name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$Value),+];

            /// The word in tables, files, URLs and JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$Value => $word,)+ }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::word::WordError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $crate::word::WordError {
                    text: text.to_owned(),
                    words: [$($word),+].join(", "),
                })
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $Name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use words;
