//! `[lake]`: how long observations are kept, how fine, and who answers SQL about them.

use jiff::SignedDuration;
use lake::passive::{Retention, RollUp, Rule};
use serde::{Deserialize, Serialize};

/// How long it is kept who asked most, where no rule says it: as long as minutes of traffic, so that an attack can be followed up. Longer:
/// pseudonyms, which are about persons, pile up without a purpose (GDPR Art. 5 (1) (e)).
const CLIENTS: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Observations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LakeConfig {
    /// How long rows are kept after they were last seen; where several rules fit, the shortest time. What no rule fits is kept for
    /// ever, but for who asked most: it is about persons, and kept for 31 days unless a rule names it.
    pub keep: Vec<KeepConfig>,
    /// Scheduler of the cluster that answers `dnscert sql`: `http://HOST:PORT`. Without one this machine does.
    pub cluster: Option<String>,
    /// How long figures of traffic, and the counts of clients and names, stay as fine as they came.
    pub traffic: TrafficConfig,
}

/// For how many days there are figures of each kind of span, counted back from now; what is older becomes one with the others of the
/// next longer kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficConfig {
    /// Minutes: 31 by default ([`RollUp::minutes`] says why).
    pub minutes_days: u32,
    /// Hours: 366 by default.
    pub hours_days: u32,
    /// Days: 1,830 by default. What is older is of months.
    pub days_days: u32,
}

impl Default for TrafficConfig {
    fn default() -> Self {
        let rule = RollUp::default();
        let days = |time: SignedDuration| u32::try_from(time.as_hours() / 24).unwrap_or(u32::MAX);
        Self {
            minutes_days: days(rule.minutes),
            hours_days: days(rule.hours),
            days_days: days(rule.days),
        }
    }
}

impl TrafficConfig {
    /// Whether a rule can be made of it.
    pub fn check(&self) -> Result<(), String> {
        let (minutes, hours, days) = (self.minutes_days, self.hours_days, self.days_days);
        match minutes >= 1 && minutes <= hours && hours <= days {
            true => Ok(()),
            false => Err(
                "`minutes_days` must be 1 at least, and neither of the other two shorter than the one before it"
                    .to_owned(),
            ),
        }
    }
}

/// How long some rows are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepConfig {
    /// Rows of this table; left out: of all.
    #[serde(default)]
    pub table: Option<KeptTable>,
    /// Rows of the sources of this owner; left out: of all.
    #[serde(default)]
    pub owner: Option<String>,
    /// Days.
    pub days: u32,
}

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptTable {
    /// What the centre and its vantage points measured.
    Sample,
    /// Changes of delegations.
    ZoneChange,
    /// Passive DNS: `rrset`, `rdata` and `name`.
    Passive,
    /// What servers said and may not say.
    Evidence,
    /// Figures of traffic, with the counts of clients and names.
    Traffic,
    /// Who asked most.
    Client,
    /// What could not be read.
    Malformed,
    /// What operators publish of a day.
    Rssac002,
}

impl KeptTable {
    fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Sample => &["sample"],
            Self::ZoneChange => &["zone_change"],
            Self::Passive => &["rrset", "rdata", "name"],
            Self::Evidence => &["evidence"],
            Self::Traffic => &["traffic", "distinct_count"],
            Self::Client => &["client"],
            Self::Malformed => &["malformed"],
            Self::Rssac002 => &["rssac002"],
        }
    }
}

impl LakeConfig {
    /// The rules as the lake has them.
    pub fn retention(&self) -> Retention {
        let rule = |keep: &KeepConfig, table: Option<&str>| Rule {
            table: table.map(str::to_owned),
            owner: keep.owner.clone(),
            keep: SignedDuration::from_hours(24 * i64::from(keep.days)),
        };
        let rules = self.keep.iter().flat_map(|keep| match keep.table {
            None => vec![rule(keep, None)],
            Some(table) => table.tables().iter().map(|table| rule(keep, Some(table))).collect(),
        });
        let mut rules: Vec<Rule> = rules.collect();
        if !self.keep.iter().any(|keep| keep.table == Some(KeptTable::Client)) {
            rules.push(Rule {
                table: Some("client".to_owned()),
                owner: None,
                keep: CLIENTS,
            });
        }
        Retention { rules }
    }

    /// The rule by which figures become coarser, as the lake has it.
    pub fn roll_up(&self) -> RollUp {
        let time = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        RollUp {
            minutes: time(self.traffic.minutes_days),
            hours: time(self.traffic.hours_days),
            days: time(self.traffic.days_days),
        }
    }
}
