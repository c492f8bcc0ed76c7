//! Reads profiles of Zonemaster (JSON): `test_levels`, `test_cases`, `test_cases_vars`, `net` and `asn_db`.
//!
//! Levels stand there by module (`DNSSEC`), ours by case (`dnssec07`): a level goes to every case of the
//! module that gives the message. What tells Zonemaster how to work inside (caches, resolver, log filters)
//! says nothing of a zone and is passed over.

use model::Name;
use serde_json::{Map, Value};

use super::{ANY_CASE, Profile, ProfileError};

/// Keys of Zonemaster profiles (version 2025.2) that do not bear on the judgement.
const PASSED_OVER: [&str; 5] = ["cache", "logfilter", "no_network", "resolver", "zonemaster"];

pub(super) fn parse(file: &str, text: &str) -> Result<Profile, ProfileError> {
    let value: Map<String, Value> = serde_json::from_str(text).map_err(|error| ProfileError::Form {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    let mut reader = Reader {
        file,
        profile: Profile::default(),
    };
    for (key, value) in &value {
        match key.as_str() {
            "test_levels" => reader.levels(reader.table(key, value)?)?,
            "test_cases" => reader.cases(key, value)?,
            "test_cases_vars" => reader.limits(reader.table(key, value)?)?,
            "net" => reader.net(reader.table(key, value)?)?,
            "asn_db" => reader.asn_db(reader.table(key, value)?)?,
            // the form before 2019
            "asnroots" => reader.profile.asn_zones = reader.names(key, value)?,
            known if PASSED_OVER.contains(&known) => {}
            _ => return Err(reader.wrong(key, "there is no such property")),
        }
    }
    Ok(reader.profile)
}

struct Reader<'f> {
    file: &'f str,
    profile: Profile,
}

impl Reader<'_> {
    fn wrong(&self, key: &str, reason: impl Into<String>) -> ProfileError {
        ProfileError::Key {
            file: self.file.to_owned(),
            key: key.to_owned(),
            reason: reason.into(),
        }
    }

    fn table<'v>(&self, key: &str, value: &'v Value) -> Result<&'v Map<String, Value>, ProfileError> {
        value.as_object().ok_or_else(|| self.wrong(key, "it is not an object"))
    }

    fn levels(&mut self, modules: &Map<String, Value>) -> Result<(), ProfileError> {
        for (module, tags) in modules {
            let prefix = module.to_ascii_lowercase();
            let cases: Vec<String> = self
                .profile
                .levels
                .keys()
                .filter(|case| module_of(case) == prefix)
                .cloned()
                .collect();
            for (tag, level) in self.table(&format!("test_levels.{module}"), tags)? {
                let key = format!("test_levels.{module}.{tag}");
                let text = level.as_str().ok_or_else(|| self.wrong(&key, "it is not a text"))?;
                let level = text
                    .parse()
                    .map_err(|error: model::finding::LevelError| self.wrong(&key, error.to_string()))?;
                // A message of a case that is not built here has no level to change.
                for case in &cases {
                    self.profile.set(case, tag, level);
                }
            }
        }
        Ok(())
    }

    fn cases(&mut self, key: &str, value: &Value) -> Result<(), ProfileError> {
        let names = value.as_array().ok_or_else(|| self.wrong(key, "it is not a list"))?;
        let mut cases = Vec::new();
        for name in names {
            let name = name
                .as_str()
                .ok_or_else(|| self.wrong(key, "it holds something that is not a text"))?;
            let case = name.to_ascii_lowercase();
            // The list of a full Zonemaster profile names cases that are not built here; they cannot run.
            if case != ANY_CASE && self.profile.levels.contains_key(&case) {
                cases.push(case);
            }
        }
        self.profile.cases = Some(cases);
        Ok(())
    }

    fn net(&mut self, net: &Map<String, Value>) -> Result<(), ProfileError> {
        for (name, value) in net {
            let key = format!("net.{name}");
            let allowed = match value {
                Value::Bool(allowed) => *allowed,
                Value::Number(number) if number.as_i64() == Some(0) => false,
                Value::Number(number) if number.as_i64() == Some(1) => true,
                _ => return Err(self.wrong(&key, "it is neither true nor false")),
            };
            match name.as_str() {
                "ipv4" => self.profile.ipv4 = Some(allowed),
                "ipv6" => self.profile.ipv6 = Some(allowed),
                _ => return Err(self.wrong(&key, "there is no such property")),
            }
        }
        Ok(())
    }

    fn asn_db(&mut self, properties: &Map<String, Value>) -> Result<(), ProfileError> {
        for (name, value) in properties {
            let key = format!("asn_db.{name}");
            match name.as_str() {
                "style" => match value.as_str().map(str::to_ascii_lowercase).as_deref() {
                    Some("cymru") => {}
                    Some("ripe") => {
                        let reason = "RIPE's whois is not asked by this program; leave the style out and give it a table of \
                                      routes instead, such as RIPE's own riswhoisdump";
                        return Err(self.wrong(&key, reason));
                    }
                    _ => return Err(self.wrong(&key, "it is neither `cymru` nor `ripe`")),
                },
                "sources" => {
                    for (style, value) in self.table(&key, value)? {
                        let key = format!("{key}.{style}");
                        let zones = self.names(&key, value)?;
                        match style.to_ascii_lowercase().as_str() {
                            "cymru" => self.profile.asn_zones = zones,
                            // of the other style, which is not in use
                            "ripe" => {}
                            _ => return Err(self.wrong(&key, "there is no such property")),
                        }
                    }
                }
                _ => return Err(self.wrong(&key, "there is no such property")),
            }
        }
        Ok(())
    }

    fn names(&self, key: &str, value: &Value) -> Result<Vec<Name>, ProfileError> {
        let texts: Option<Vec<String>> = match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(texts) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let texts = texts.ok_or_else(|| self.wrong(key, "it is not a list of texts"))?;
        super::names(self.file, key, &texts)
    }

    fn limits(&mut self, cases: &Map<String, Value>) -> Result<(), ProfileError> {
        for (case, limits) in cases {
            for (name, value) in self.table(&format!("test_cases_vars.{case}"), limits)? {
                let key = format!("test_cases_vars.{case}.{name}");
                let seconds = value
                    .as_u64()
                    .and_then(|seconds| u32::try_from(seconds).ok())
                    .ok_or_else(|| self.wrong(&key, "it is not a number of seconds"))?;
                let limits = &mut self.profile.limits;
                match (case.to_ascii_lowercase().as_str(), name.as_str()) {
                    ("dnssec04", "REMAINING_SHORT") => limits.signature_remaining_min_secs = seconds.into(),
                    ("dnssec04", "REMAINING_LONG") => limits.signature_remaining_max_secs = seconds.into(),
                    ("dnssec04", "DURATION_LONG") => limits.signature_duration_max_secs = seconds.into(),
                    ("zone02", "SOA_REFRESH_MINIMUM_VALUE") => limits.soa_refresh_min_secs = seconds,
                    ("zone04", "SOA_RETRY_MINIMUM_VALUE") => limits.soa_retry_min_secs = seconds,
                    ("zone05", "SOA_EXPIRE_MINIMUM_VALUE") => limits.soa_expire_min_secs = seconds,
                    ("zone06", "SOA_DEFAULT_TTL_MINIMUM_VALUE") => limits.soa_minimum_min_secs = seconds,
                    ("zone06", "SOA_DEFAULT_TTL_MAXIMUM_VALUE") => limits.soa_minimum_max_secs = seconds,
                    _ => return Err(self.wrong(&key, "there is no such limit")),
                }
            }
        }
        Ok(())
    }
}

/// `dnssec` for `dnssec07`.
fn module_of(case: &str) -> &str {
    case.trim_end_matches(|letter: char| letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use model::Level;

    use super::*;

    #[test]
    fn a_zonemaster_profile_changes_the_cases_of_its_module() {
        let text = r#"{
            "net": {"ipv6": false, "ipv4": 1},
            "resolver": {"defaults": {"retry": 3}},
            "asn_db": {"style": "Cymru", "sources": {"Cymru": ["asn1.example", "asn2.example"], "RIPE": ["whois.example"]}},
            "test_levels": {
                "DNSSEC": {"DS07_NOT_SIGNED": "NOTICE", "DS99_NEW": "ERROR"},
                "ZONE": {"NO_RESPONSE": "INFO"}
            },
            "test_cases_vars": {"zone02": {"SOA_REFRESH_MINIMUM_VALUE": 60}},
            "test_cases": ["dnssec07", "Zone10", "syntax99"]
        }"#;
        let profile = Profile::parse("profile.json", text).unwrap();
        assert_eq!(profile.level("dnssec07", "DS07_NOT_SIGNED"), Level::Notice);
        assert_eq!(profile.level("zone10", "NO_RESPONSE"), Level::Info);
        assert_eq!(profile.level("consistency01", "NO_RESPONSE"), Level::Debug);
        assert_eq!((profile.ipv4, profile.ipv6), (Some(true), Some(false)));
        assert_eq!(profile.limits.soa_refresh_min_secs, 60);
        let zones: Vec<String> = profile.asn_zones.iter().map(Name::to_string).collect();
        assert_eq!(zones, ["asn1.example", "asn2.example"]);
        assert_eq!(profile.cases.unwrap(), ["dnssec07", "zone10"]);
    }

    #[test]
    fn errors_name_the_file_and_the_key() {
        for (text, expected) in [
            (
                r#"{"tset_levels": {}}"#,
                "the profile `p.json` has a wrong `tset_levels`: there is no such property",
            ),
            (
                r#"{"test_levels": {"ZONE": {"ONE_SOA": "FINE"}}}"#,
                "the profile `p.json` has a wrong `test_levels.ZONE.ONE_SOA`: `FINE` is not a level; levels are \
                 debug3, debug2, debug, info, notice, warning, error, critical",
            ),
            (
                r#"{"net": {"ipv5": true}}"#,
                "the profile `p.json` has a wrong `net.ipv5`: there is no such property",
            ),
            (
                r#"{"test_cases_vars": {"zone02": {"SOA_REFRESH_MINIMUM_VALUE": -1}}}"#,
                "the profile `p.json` has a wrong `test_cases_vars.zone02.SOA_REFRESH_MINIMUM_VALUE`: it is not a \
                 number of seconds",
            ),
            (
                r#"{"asn_db": {"style": "RIPE"}}"#,
                "the profile `p.json` has a wrong `asn_db.style`: RIPE's whois is not asked by this program; leave the \
                 style out and give it a table of routes instead, such as RIPE's own riswhoisdump",
            ),
            (
                r#"{"asn_db": {"sources": {"cymru": [1]}}}"#,
                "the profile `p.json` has a wrong `asn_db.sources.cymru`: it is not a list of texts",
            ),
            (
                r#"{"asnroots": ["a..b"]}"#,
                "the profile `p.json` has a wrong `asnroots`: `a..b` is not a domain name: empty label",
            ),
            (
                r#"{"test_levels": []}"#,
                "the profile `p.json` has a wrong `test_levels`: it is not an object",
            ),
        ] {
            assert_eq!(Profile::parse("p.json", text).unwrap_err().to_string(), expected);
        }
        assert!(
            Profile::parse("p.json", "{")
                .unwrap_err()
                .to_string()
                .starts_with("the profile `p.json` is not")
        );
    }
}
