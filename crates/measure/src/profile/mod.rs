//! Profiles: how severe each message is, which cases run, and the limits and tables that a few cases measure by.
//!
//! The standard profile is `levels.toml` beside this file and [`Limits::default`]. A profile file changes
//! part of it. Zonemaster's JSON is read, so that a registry keeps the profile it has, and our own TOML:
//!
//! ```toml
//! cases = ["basic02", "dnssec09"]   # only these; all when left out
//! [levels.dnssec07]
//! DS07_NOT_SIGNED = "notice"
//! [net]
//! ipv6 = false
//! [limits]
//! soa_refresh_min_secs = 300        # all of them: the fields of `Limits`
//! [asn_db]
//! zones = ["asn.example"]           # who announces an address, in the form of Team Cymru's look-up
//! ```
//!
//! A key that is not known is an error that names file and key.

mod zonemaster;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use model::{Level, Name};
use serde::Deserialize;

use crate::routes::RouteTable;
use crate::special_purpose::SpecialPurpose;

const STANDARD: &str = include_str!("levels.toml");

/// What several cases say alike stands under this name instead of a case's.
pub(crate) const ANY_CASE: &str = "any";

/// Look-up service for who announces an address, where neither profile nor table says another (connectivity03, "Cymru
/// Base Name").
const ASN_ZONE: &str = "asnlookup.zonemaster.net";

/// Level by tag by case.
type Levels = BTreeMap<String, BTreeMap<String, Level>>;

/// How a check judges: levels of messages, choice of cases, limits, tables. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    levels: Arc<Levels>,
    /// Ids of the cases to run, or all that there are.
    pub cases: Option<Vec<String>>,
    /// Whether IPv4 may be used, where the profile says so.
    pub ipv4: Option<bool>,
    /// Whether IPv6 may be used, where the profile says so.
    pub ipv6: Option<bool>,
    /// The limits that cases measure by.
    pub limits: Limits,
    /// Who announces which addresses. Where there is no table, [`Profile::asn_zones`] are asked.
    pub routes: Option<Arc<RouteTable>>,
    /// Zones of the DNS that say who announces an address, in Team Cymru's form; the next is asked when one fails.
    pub asn_zones: Vec<Name>,
    /// What addresses are set aside for.
    pub special_purpose: Arc<SpecialPurpose>,
}

/// The limits that cases measure by, all in seconds.
///
/// The defaults are those of the Zonemaster specifications (2025.2). Lower ones let sloppy zones pass, higher
/// ones blame zones that are run well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// dnssec04: a signature must be valid for at least this long from now. 12 hours.
    pub signature_remaining_min_secs: i64,
    /// dnssec04: a signature must not be valid for longer than this from now. 180 days.
    pub signature_remaining_max_secs: i64,
    /// dnssec04: from inception to expiration there must not be more than this. 180 days.
    pub signature_duration_max_secs: i64,
    /// zone02: smallest SOA refresh. 4 hours.
    pub soa_refresh_min_secs: u32,
    /// zone04: smallest SOA retry. 1 hour.
    pub soa_retry_min_secs: u32,
    /// zone05: smallest SOA expire. 7 days.
    pub soa_expire_min_secs: u32,
    /// zone06: smallest SOA minimum. 5 minutes.
    pub soa_minimum_min_secs: u32,
    /// zone06: largest SOA minimum. 1 day.
    pub soa_minimum_max_secs: u32,
}

impl Default for Limits {
    fn default() -> Self {
        const HOUR: u32 = 3_600;
        const DAY: u32 = 24 * HOUR;
        Self {
            signature_remaining_min_secs: i64::from(12 * HOUR),
            signature_remaining_max_secs: i64::from(180 * DAY),
            signature_duration_max_secs: i64::from(180 * DAY),
            soa_refresh_min_secs: 4 * HOUR,
            soa_retry_min_secs: HOUR,
            soa_expire_min_secs: 7 * DAY,
            soa_minimum_min_secs: 300,
            soa_minimum_max_secs: DAY,
        }
    }
}

/// A profile file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the profile `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is neither TOML nor JSON of a profile's shape.
    #[error("the profile `{file}` is not a profile: {reason}")]
    Form {
        /// The file.
        file: String,
        /// What the reader says, with the place.
        reason: String,
    },
    /// A key is unknown, or its value makes no sense.
    #[error("the profile `{file}` has a wrong `{key}`: {reason}")]
    Key {
        /// The file.
        file: String,
        /// The key with its tables: `levels.dnssec07.DS07_NOT_SIGNED`.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Our own form of a profile file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    levels: BTreeMap<String, BTreeMap<String, String>>,
    cases: Option<Vec<String>>,
    #[serde(default)]
    net: Net,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    asn_db: AsnDb,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AsnDb {
    zones: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Net {
    ipv4: Option<bool>,
    ipv6: Option<bool>,
}

impl Default for Profile {
    /// The standard profile: all cases, the field's levels and limits.
    fn default() -> Self {
        static LEVELS: OnceLock<Arc<Levels>> = OnceLock::new();
        let levels = LEVELS.get_or_init(|| {
            let table: BTreeMap<String, BTreeMap<String, String>> =
                toml::from_str(STANDARD).expect("a test reads the table of levels");
            let level = |text: String| text.parse().expect("a test reads every level");
            let tags =
                |tags: BTreeMap<String, String>| tags.into_iter().map(|(tag, text)| (tag, level(text))).collect();
            Arc::new(table.into_iter().map(|(case, its)| (case, tags(its))).collect())
        });
        Self {
            levels: levels.clone(),
            cases: None,
            ipv4: None,
            ipv6: None,
            limits: Limits::default(),
            routes: None,
            asn_zones: vec![ASN_ZONE.parse().expect("a constant name is a name")],
            special_purpose: SpecialPurpose::shipped(),
        }
    }
}

impl Profile {
    /// Reads a profile file in either form.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let text = std::fs::read_to_string(path).map_err(|source| ProfileError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads the text of a profile file: JSON if it begins with `{`, else TOML. `file` is named in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, ProfileError> {
        if text.trim_start().starts_with('{') {
            zonemaster::parse(file, text)
        } else {
            Self::parse_toml(file, text)
        }
    }

    fn parse_toml(file: &str, text: &str) -> Result<Self, ProfileError> {
        let read: File = toml::from_str(text).map_err(|error| ProfileError::Form {
            file: file.to_owned(),
            reason: error.to_string().trim().to_owned(),
        })?;
        let mut profile = Self {
            ipv4: read.net.ipv4,
            ipv6: read.net.ipv6,
            limits: read.limits,
            ..Self::default()
        };
        for (case, tags) in &read.levels {
            for (tag, text) in tags {
                let wrong = |reason: String| ProfileError::Key {
                    file: file.to_owned(),
                    key: format!("levels.{case}.{tag}"),
                    reason,
                };
                let level = text
                    .parse()
                    .map_err(|error: model::finding::LevelError| wrong(error.to_string()))?;
                if !profile.set(case, tag, level) {
                    return Err(wrong(format!("the case `{case}` gives no such message")));
                }
            }
        }
        profile.cases = read
            .cases
            .map(|cases| profile.known_cases(file, "cases", cases))
            .transpose()?;
        if let Some(zones) = read.asn_db.zones {
            profile.asn_zones = names(file, "asn_db.zones", &zones)?;
        }
        Ok(profile)
    }

    /// The level of a tag of a case.
    ///
    /// A tag without one is a mistake of ours that a test looks for; it shows as `WARNING`, so that nothing is hidden.
    pub fn level(&self, case: &str, tag: &str) -> Level {
        let of = |case: &str| self.levels.get(case).and_then(|tags| tags.get(tag)).copied();
        of(case).or_else(|| of(ANY_CASE)).unwrap_or(Level::Warning)
    }

    /// Whether a case has a level for a tag.
    pub fn knows(&self, case: &str, tag: &str) -> bool {
        [case, ANY_CASE]
            .iter()
            .any(|case| self.levels.get(*case).is_some_and(|tags| tags.contains_key(tag)))
    }

    /// All pairs of case and tag that have a level. The case `any` stands for several.
    pub fn messages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.levels
            .iter()
            .flat_map(|(case, tags)| tags.keys().map(|tag| (case.as_str(), tag.as_str())))
    }

    /// Gives a known message another level; says whether it is known.
    fn set(&mut self, case: &str, tag: &str, level: Level) -> bool {
        if !self.knows(case, tag) || !self.levels.contains_key(case) {
            return false;
        }
        Arc::make_mut(&mut self.levels)
            .entry(case.to_owned())
            .or_default()
            .insert(tag.to_owned(), level);
        true
    }

    fn known_cases(&self, file: &str, key: &str, cases: Vec<String>) -> Result<Vec<String>, ProfileError> {
        let lower: Vec<String> = cases.iter().map(|case| case.to_ascii_lowercase()).collect();
        match lower
            .iter()
            .find(|case| *case == ANY_CASE || !self.levels.contains_key(*case))
        {
            Some(case) => Err(ProfileError::Key {
                file: file.to_owned(),
                key: key.to_owned(),
                reason: format!("`{case}` is no test case"),
            }),
            None => Ok(lower),
        }
    }
}

/// Domain names that a key lists.
fn names(file: &str, key: &str, texts: &[String]) -> Result<Vec<Name>, ProfileError> {
    let wrong = |reason: String| ProfileError::Key {
        file: file.to_owned(),
        key: key.to_owned(),
        reason,
    };
    if texts.is_empty() {
        return Err(wrong("it lists nothing".to_owned()));
    }
    let name = |text: &String| text.parse().map_err(|error: model::NameError| wrong(error.to_string()));
    texts.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_standard_profile_has_the_levels_of_the_field() {
        let profile = Profile::default();
        assert_eq!(profile.level("dnssec07", "DS07_NOT_SIGNED"), Level::Warning);
        assert_eq!(profile.level("basic02", "B02_NO_DELEGATION"), Level::Critical);
        assert_eq!(profile.level("zone10", "NO_RESPONSE"), Level::Debug);
        assert!(!profile.knows("zone10", "DS07_NOT_SIGNED"));
        assert!(profile.messages().count() > 150);
    }

    #[test]
    fn a_profile_changes_what_it_names_and_nothing_else() {
        let text = "
            cases = ['dnssec07', 'ZONE02']
            [levels.dnssec07]
            DS07_NOT_SIGNED = 'error'
            [net]
            ipv6 = false
            [limits]
            soa_refresh_min_secs = 300
            [asn_db]
            zones = ['asn.example', 'asn.test']
        ";
        let profile = Profile::parse("mine.toml", text).unwrap();
        assert_eq!(profile.level("dnssec07", "DS07_NOT_SIGNED"), Level::Error);
        assert_eq!(profile.level("dnssec07", "DS07_SIGNED"), Level::Info);
        assert_eq!(
            profile.cases.as_deref(),
            Some(&["dnssec07".to_owned(), "zone02".to_owned()][..])
        );
        assert_eq!((profile.ipv4, profile.ipv6), (None, Some(false)));
        assert_eq!(
            profile.asn_zones.iter().map(Name::to_string).collect::<Vec<_>>(),
            ["asn.example", "asn.test"]
        );
        assert_eq!(
            profile.limits,
            Limits {
                soa_refresh_min_secs: 300,
                ..Limits::default()
            }
        );
    }

    #[test]
    fn a_message_that_cases_share_can_be_changed_for_one_case() {
        let profile = Profile::parse("p", "[levels.zone10]\nNO_RESPONSE = 'notice'").unwrap();
        assert_eq!(profile.level("zone10", "NO_RESPONSE"), Level::Notice);
        assert_eq!(profile.level("consistency01", "NO_RESPONSE"), Level::Debug);
    }

    #[test]
    fn errors_name_the_file_and_the_key() {
        let error = |text: &str| Profile::parse("mine.toml", text).unwrap_err().to_string();
        assert_eq!(
            error("[levels.dnssec07]\nDS07_SINGED = 'error'"),
            "the profile `mine.toml` has a wrong `levels.dnssec07.DS07_SINGED`: the case `dnssec07` gives no such message"
        );
        assert!(error("[levels.zone02]\nREFRESH_MINIMUM_VALUE_LOWER = 'bad'").contains("`bad` is not a level"));
        assert!(error("cases = ['zone99']").contains("`zone99` is no test case"));
        assert!(error("[limit]").starts_with("the profile `mine.toml` is not a profile: "));
        assert!(error("[limit]").contains("unknown field `limit`"));
        assert!(error("[asn_db]\nzones = ['a..b']").contains("a wrong `asn_db.zones`: `a..b` is not a domain name"));
        assert!(error("[asn_db]\nzones = []").ends_with("a wrong `asn_db.zones`: it lists nothing"));
        let missing = Profile::load(Path::new("/nowhere/p.toml")).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read the profile `/nowhere/p.toml`");
    }

    proptest! {
        #[test]
        fn any_text_is_a_profile_or_an_error(text in "[{\\[]?.{0,200}") {
            let _ = Profile::parse("random", &text);
        }
    }
}
