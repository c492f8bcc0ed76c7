//! The figures of the public status, put together from the watch list and the cases.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use csirt::cases::{self, PeriodFigures};
use csirt::vantage::{self, Coordinates, Standing, VantagePoint};
use csirt::watch::{self, Standing as ZoneStanding};
use csirt::{Error, Records, directory};
use jiff::{SignedDuration, Timestamp};
use metrics::Share;
use model::{Health, Name};
use serde::Serialize;

use crate::vantage::percent;
use crate::{App, WebError};

/// How far back the figures of cases go.
const PERIOD: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Without a round for so long the page says that measuring is held up. Chosen by us: five times the usual interval.
const STALE: SignedDuration = SignedDuration::from_mins(5);

/// All that the public may know of the present state.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The whole: the worst of the zones, unknown while nothing is measured.
    pub health: Health,
    /// Zones watched.
    pub watched: usize,
    /// Zones that need attention.
    pub impaired: usize,
    /// Zones that are broken.
    pub broken: usize,
    /// The five regions, and a sixth, `GLOBAL`, where zones belong to none.
    pub regions: Vec<Region>,
    /// Watched top-level domains, the worst first, then by name.
    pub tlds: Vec<Tld>,
    /// Where vantage points stand that were heard a moment ago.
    pub points: Vec<Coordinates>,
    /// When the last round began.
    pub updated: Option<Timestamp>,
    /// Zones without a round in time, or that could not be tested.
    pub late: usize,
    /// Whether that is longer ago than it should be.
    pub stale: bool,
    /// Cases open now.
    pub open_cases: i64,
    /// Figures of the last 90 days.
    pub period: PeriodFigures,
}

/// One region with its counts.
#[derive(Debug, Clone, Serialize)]
pub struct Region {
    /// `AF`, `AP`, `EU`, `LAC`, `NA` or `GLOBAL`.
    pub code: String,
    /// Its worst zone.
    pub health: Health,
    /// Zones watched.
    pub watched: usize,
    /// Zones in order.
    pub good: usize,
    /// Zones that need attention.
    pub impaired: usize,
    /// Zones that are broken.
    pub broken: usize,
    /// Vantage points there that were heard a moment ago.
    pub points: usize,
    /// Questions that they put in their newest interval to all zones: those answered with NOERROR or NXDOMAIN, of all.
    pub seen: Share,
}

/// One top-level domain.
#[derive(Debug, Clone, Serialize)]
pub struct Tld {
    /// Its name.
    pub zone: Name,
    /// Code of its region.
    pub region: String,
    /// How it does.
    pub health: Health,
    /// When its last round began.
    pub measured: Option<Timestamp>,
}

/// The overview may be older than [`App::overview_for`] by this factor while it is made anew: with many thousand zones that takes a second or two,
/// and a crowd that asks in a crisis should not wait for it. Older than that nobody asked for a while, and whoever asks waits.
const BORNE: u32 = 30;

/// The overview as it was made a moment ago. However many ask, it is made by one of them at a time.
#[derive(Default)]
pub struct Kept {
    last: Mutex<Option<(Instant, Arc<Overview>)>>,
    making: Arc<tokio::sync::Mutex<()>>,
}

impl Kept {
    fn younger_than(&self, age: Duration) -> Option<Arc<Overview>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, overview) = last.as_ref().filter(|(made, _)| made.elapsed() < age)?;
        Some(overview.clone())
    }
}

impl App {
    /// The overview, not older than [`App::overview_for`], or a little older where it is being made anew.
    pub(crate) async fn overview(&self, now: Timestamp) -> Result<Arc<Overview>, WebError> {
        let kept = &self.kept_overview;
        if let Some(overview) = kept.younger_than(self.overview_for) {
            return Ok(overview);
        }
        if let Some(overview) = kept.younger_than(self.overview_for * BORNE) {
            if let Ok(making) = kept.making.clone().try_lock_owned() {
                let app = self.clone();
                tokio::spawn(async move {
                    if let Err(error) = app.make_overview(now).await {
                        tracing::error!("could not make the public overview: {error:#}");
                    }
                    drop(making);
                });
            }
            return Ok(overview);
        }
        let _making = kept.making.lock().await;
        match kept.younger_than(self.overview_for) {
            Some(made_meanwhile) => Ok(made_meanwhile),
            None => Ok(self.make_overview(now).await?),
        }
    }

    async fn make_overview(&self, now: Timestamp) -> Result<Arc<Overview>, Error> {
        let overview = Overview::load(&self.records, self.settings.plan.silent_after_secs, now).await?;
        let overview = Arc::new(overview);
        let mut last = self.kept_overview.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), overview.clone()));
        Ok(overview)
    }
}

impl Region {
    fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            health: Health::Unknown,
            watched: 0,
            good: 0,
            impaired: 0,
            broken: 0,
            points: 0,
            seen: Share::default(),
        }
    }

    /// The share of questions that were answered from there, in percent.
    pub fn seen_percent(&self) -> String {
        percent(self.seen)
    }

    /// Id of its name.
    pub fn text_id(&self) -> String {
        format!("status-region-{}", self.code.to_lowercase())
    }

    fn count(&mut self, health: Health) {
        self.watched += 1;
        self.health = self.health.max(health);
        match health {
            Health::Good => self.good += 1,
            Health::Impaired => self.impaired += 1,
            Health::Broken => self.broken += 1,
            Health::Unknown => {}
        }
    }
}

impl Tld {
    /// Id of its region's name.
    pub fn region_text_id(&self) -> String {
        format!("status-region-{}", self.region.to_lowercase())
    }
}

impl Overview {
    /// The present state.
    async fn load(records: &Records, silent_after_secs: u32, now: Timestamp) -> Result<Self, Error> {
        let zones = watch::standings(records).await?;
        let period = cases::figures_between(records, now - PERIOD, now).await?;
        let mut overview = Self::new(&zones, period, now);
        for (point, state) in vantage::states(records).await? {
            if vantage::standing(&point, &state, silent_after_secs, now) == Standing::Working {
                overview.add(&point, &state);
            }
        }
        Ok(overview)
    }

    /// Adds what a vantage point sees.
    fn add(&mut self, point: &VantagePoint, state: &vantage::State) {
        let place = &point.profile.place;
        self.points.push(place.coordinates);
        let code = place.region.as_str();
        if let Some(region) = self.regions.iter_mut().find(|region| region.code == code) {
            region.points += 1;
            if let Some(newest) = &state.newest {
                region.seen += Share::of(newest.answered, newest.samples);
            }
        }
    }

    fn new(zones: &[ZoneStanding], period: PeriodFigures, now: Timestamp) -> Self {
        let mut regions: Vec<Region> = directory::Region::ALL
            .iter()
            .map(|region| Region::new(region.as_str()))
            .collect();
        regions.push(Region::new("GLOBAL"));
        let mut tlds = Vec::new();
        for zone in zones.iter().filter(|zone| zone.enabled) {
            let code = zone.region.map_or("GLOBAL", |region| region.as_str());
            if let Some(region) = regions.iter_mut().find(|region| region.code == code) {
                region.count(zone.health);
            }
            if zone.zone.label_count() <= 1 {
                tlds.push(Tld {
                    zone: zone.zone.clone(),
                    region: code.to_owned(),
                    health: zone.health,
                    measured: zone.measured,
                });
            }
        }
        tlds.sort_by(|one, other| other.health.cmp(&one.health).then_with(|| one.zone.cmp(&other.zone)));
        let count = |of: fn(&Region) -> usize| regions.iter().map(of).sum();
        let updated = zones.iter().filter_map(|zone| zone.measured).max();
        let late = zones.iter().filter(|zone| crate::centre::is_late(zone, now)).count();
        let (watched, impaired, broken) = (
            count(|region| region.watched),
            count(|region| region.impaired),
            count(|region| region.broken),
        );
        let health = regions
            .iter()
            .map(|region| region.health)
            .max()
            .unwrap_or(Health::Unknown);
        regions.retain(|region| region.code != "GLOBAL" || region.watched > 0);
        Self {
            health,
            watched,
            impaired,
            broken,
            regions,
            tlds,
            points: Vec::new(),
            updated,
            late,
            stale: updated.is_some_and(|updated| now.duration_since(updated) > STALE),
            open_cases: period.open,
            period,
        }
    }
}
