//! One vantage point as a row of the table.

use csirt::directory::{self, Organisation};
use csirt::vantage::{Standing, State, VantagePoint};
use csirt::{Error, Records};
use metrics::Share;

use super::{percent, region_text};

/// A clock that is off by more than this many milliseconds is marked. Chosen by us: NTP, which RSSAC047v2 §4.2 asks for, keeps a
/// second even on a bad line; more than that, and serials seem to be published before they were.
const CLOCK_MS: u64 = 1000;

pub(super) struct Row {
    pub vantage_point: VantagePoint,
    pub state: State,
    pub operator: Option<Organisation>,
    standing: Standing,
}

impl Row {
    pub async fn load(records: &Records, standing: Standing, point: VantagePoint, state: State) -> Result<Self, Error> {
        let operator = match point.profile.operator {
            Some(id) => Some(directory::get(records, id).await?),
            None => None,
        };
        Ok(Self {
            vantage_point: point,
            state,
            operator,
            standing,
        })
    }

    /// Class of the label for its standing.
    pub fn class(&self) -> &'static str {
        match self.standing {
            Standing::Working => "good",
            Standing::Silent => "bad",
            Standing::New | Standing::Revoked => "none",
        }
    }

    /// Id of the word for its standing.
    pub fn text_id(&self) -> &'static str {
        match self.standing {
            Standing::Working => "vantage-state-working",
            Standing::Silent => "vantage-state-silent",
            Standing::New => "vantage-state-new",
            Standing::Revoked => "vantage-state-revoked",
        }
    }

    pub fn region_text(&self) -> String {
        region_text(self.vantage_point.profile.place.region)
    }

    /// Id of the text that says what it does: listens, or over what it asks.
    pub fn does(&self) -> &'static str {
        if self.vantage_point.terms.is_some() {
            return "vantage-sensor";
        }
        match (self.vantage_point.profile.ipv4, self.vantage_point.profile.ipv6) {
            (true, true) => "vantage-families-both",
            (_, false) => "vantage-families-4",
            (false, true) => "vantage-families-6",
        }
    }

    /// Id of the text that says how much was taken from it.
    pub fn taken(&self) -> &'static str {
        match self.vantage_point.terms {
            Some(_) => "vantage-taken-rows",
            None => "vantage-taken",
        }
    }

    /// Id of the text that says how much its spool had no room for.
    pub fn dropped(&self) -> &'static str {
        match self.vantage_point.terms {
            Some(_) => "vantage-dropped-rows",
            None => "vantage-dropped",
        }
    }

    /// Whose data a sensor gives, and what may be done with it.
    pub fn terms(&self) -> String {
        let terms = self.vantage_point.terms.as_ref();
        terms
            .map(|terms| format!("{}; {}; {}", terms.owner, terms.licence, terms.tlp))
            .unwrap_or_default()
    }

    /// Of the newest part. A sensor asks nothing.
    pub fn answered(&self) -> String {
        if self.vantage_point.terms.is_some() {
            return percent(Share::default());
        }
        let newest = self.state.newest.as_ref();
        percent(newest.map_or(Share::default(), |newest| Share::of(newest.answered, newest.samples)))
    }

    /// How far its clock is off, in milliseconds, and whether that is too far.
    pub fn clock(&self) -> Option<(u64, bool)> {
        let offset_us = self.state.report.clock_offset_us?;
        let ms = offset_us.unsigned_abs() / 1000;
        Some((ms, ms > CLOCK_MS))
    }

    pub fn spool_kb(&self) -> u64 {
        self.state.report.spool_bytes.div_ceil(1024)
    }

    pub fn asn(&self) -> String {
        let asn = self.vantage_point.profile.asn;
        asn.map(|asn| format!("AS{asn}")).unwrap_or_default()
    }
}
