//! The files of scenarios as they are read.

use std::collections::BTreeMap;
use std::path::Path;

use lab::Change;
use serde::Deserialize;
use toml::Table;

/// A file: the scenarios of one case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What all its scenarios have in the zone, where they say nothing else.
    #[serde(default)]
    base: Edition,
    /// Whether the parent is signed, where they do not say otherwise.
    #[serde(default)]
    signed_parent: bool,
    scenario: Vec<Scenario>,
}

/// One state of a zone, and what a case must say of it. Of messages at WARNING or above it must say those named and no others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's case.
    #[serde(skip)]
    pub case: String,
    pub name: String,
    /// The zone that is checked.
    #[serde(default = "case_test")]
    pub zone: String,
    /// Messages that must come.
    #[serde(default)]
    pub must: Vec<String>,
    /// Messages that must not come.
    #[serde(default)]
    pub must_not: Vec<String>,
    /// The servers that messages at WARNING or above are about, where they name servers.
    #[serde(default)]
    pub at: Vec<String>,
    /// Whether this is a state in which a hasty tester would go wrong.
    #[serde(default)]
    pub odd: bool,
    /// The zone.
    #[serde(default)]
    pub child: Edition,
    /// The zone as `ns2` serves it, where that differs.
    pub second: Option<Edition>,
    /// NS and glue of the zone at its parent, as the parent's zone file writes them.
    pub delegation: Option<String>,
    /// Records of the parent besides.
    #[serde(default)]
    pub parent: String,
    /// Whether the parent is signed.
    pub signed_parent: Option<bool>,
    /// Records of the root besides.
    #[serde(default)]
    pub root: String,
    /// Records of `other.test` besides.
    #[serde(default)]
    pub other: String,
    /// Faults of `root`, `p1`, `p2` (the parent's servers), `ns1`, `ns2` and `other`, as `world.toml` writes them.
    #[serde(default)]
    pub faults: BTreeMap<String, Vec<Table>>,
    /// The DS set at the parent, where it is other than the zone's signing makes it.
    pub ds: Option<Vec<String>>,
    /// What has happened before the check, as `world.toml` writes changes.
    #[serde(default)]
    pub events: Vec<Change>,
    /// A delegation given for the test.
    pub given: Option<Given>,
    /// Cases that run as well.
    #[serde(default)]
    pub beside: Vec<String>,
}

fn case_test() -> String {
    "case.test".to_owned()
}

/// A zone's file in parts, each as a zone file writes it, and its signing as `world.toml` writes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edition {
    /// Data of the SOA record.
    pub soa: Option<String>,
    /// NS records.
    pub ns: Option<String>,
    /// Addresses of the name servers.
    pub hosts: Option<String>,
    /// MX records.
    pub mx: Option<String>,
    /// TXT records.
    pub txt: Option<String>,
    /// The address of `www`.
    pub www: Option<String>,
    /// More records.
    pub more: Option<String>,
    pub signing: Option<Table>,
    /// Takes the signing away that the edition would otherwise have.
    #[serde(default)]
    pub unsigned: bool,
}

/// A delegation given for the test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Names with addresses: `ns1.case.test/127.30.2.1`.
    #[serde(default)]
    pub ns: Vec<String>,
    #[serde(default)]
    pub ds: Vec<String>,
}

impl Edition {
    /// This edition, with what it leaves open taken from another.
    pub fn over(self, other: &Edition) -> Self {
        let signing = if self.unsigned {
            None
        } else {
            self.signing.or_else(|| other.signing.clone())
        };
        Self {
            soa: self.soa.or_else(|| other.soa.clone()),
            ns: self.ns.or_else(|| other.ns.clone()),
            hosts: self.hosts.or_else(|| other.hosts.clone()),
            mx: self.mx.or_else(|| other.mx.clone()),
            txt: self.txt.or_else(|| other.txt.clone()),
            www: self.www.or_else(|| other.www.clone()),
            more: self.more.or_else(|| other.more.clone()),
            unsigned: self.unsigned,
            signing,
        }
    }
}

/// All scenarios of all files.
pub fn scenarios() -> Vec<Scenario> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios"));
    let mut scenarios = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let case = path.file_stem().unwrap().to_str().unwrap();
        for scenario in file.scenario {
            let child = scenario.child.clone().over(&file.base);
            let second = scenario.second.clone().map(|second| second.over(&child));
            scenarios.push(Scenario {
                case: case.to_owned(),
                child,
                second,
                signed_parent: scenario.signed_parent.or(Some(file.signed_parent)),
                ..scenario
            });
        }
    }
    scenarios
}
