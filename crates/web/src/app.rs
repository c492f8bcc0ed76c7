//! The portal as a whole: what its rooms need, and the router that joins them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::middleware::from_fn_with_state;
use csirt::accounts::{self, Account, Lifetime, TotpKey};
use csirt::vantage::PlanSettings;
use csirt::{Records, vantage};
use model::{Clock, PlannedZone, Timestamp};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use crate::condition::Conditions;
use crate::passive::LookUps;
use crate::shell::metrics::Metrics;
use crate::shell::seal::Secret;
use crate::shell::{assets, guard};
use crate::{
    WebError, about, account, alerts, answer, api, cases, centre, directory, live, mail, organisation, report, signin,
    status, zones,
};

/// Largest body of any request, in octets; forms have their own, smaller limit.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What the portal must be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the portal as others reach it, without a slash at the end: `https://dnscert.example`.
    pub public_url: String,
    /// Name of the centre as pages and notices give it.
    pub name: String,
    /// Mail address for people.
    pub mail: String,
    /// Telephone for people, in the international form; empty when there is none.
    pub phone: String,
    /// Time zone of the team (IANA), for the RFC 2350 page.
    pub time_zone: String,
    /// Postal address for the RFC 2350 page, lines divided by newlines; empty when it is not published.
    pub address: String,
    /// Fingerprint of the team's OpenPGP key; empty when there is none.
    pub key_fingerprint: String,
    /// What marks of forms are sealed with; at least 32 random octets, the same over restarts.
    pub secret: Secret,
    /// What the secrets of second factors are kept under.
    pub totp_key: TotpKey,
    /// Whether readers reach the portal by TLS: cookies are then `Secure`, and browsers are told to stay with TLS.
    pub tls: bool,
    /// Whether a proxy of ours stands before the portal and names the reader's address in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// The mailbox that is read; `None` when none is.
    pub mailbox: Option<MailboxSettings>,
    /// Version of the software.
    pub version: String,
    /// How vantage points measure.
    pub plan: PlanSettings,
}

/// The mailbox that is read, as far as its state is shown.
#[derive(Debug, Clone)]
pub struct MailboxSettings {
    /// Its name in the records.
    pub name: String,
    /// Pause between two looks, in seconds.
    pub interval_secs: u64,
}

impl Settings {
    /// The centre as notices name it.
    pub fn centre(&self) -> csirt::notices::Centre {
        let host = self
            .public_url
            .split_once("://")
            .map_or(self.public_url.as_str(), |(_, rest)| rest);
        csirt::notices::Centre {
            name: self.name.clone(),
            base_url: self.public_url.trim_end_matches('/').to_owned(),
            mail: self.mail.clone(),
            phone: self.phone.clone(),
            message_domain: host.split(['/', ':']).next().unwrap_or_default().to_owned(),
        }
    }

    /// The telephone number as `tel:` takes it.
    pub fn phone_link(&self) -> String {
        self.phone
            .chars()
            .filter(|letter| letter.is_ascii_digit() || *letter == '+')
            .collect()
    }
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The records.
    pub records: Records,
    /// The observations.
    pub lake: lake::Lake,
    /// What the portal was told.
    pub settings: Arc<Settings>,
    /// Where the present moment comes from.
    pub clock: Arc<dyn Clock>,
    /// Counts for Prometheus.
    pub metrics: Arc<Metrics>,
    /// How long sessions last.
    pub lifetime: Lifetime,
    /// When this process began, for the page on the centre's own health.
    pub started_at: Timestamp,
    /// What vantage points are to ask.
    pub plans: Arc<Plans>,
    /// What hinders the centre itself.
    pub conditions: Conditions,
    /// How long what the public may know is kept. Default a second: longer, and the page tells old news; shorter, and a crowd that
    /// asks in a crisis takes from the rounds what they need.
    pub overview_for: Duration,
    /// What the public may know, as it was made a moment ago.
    pub kept_overview: Arc<status::Kept>,
    /// What live pages listen to.
    pub live: Arc<live::Live>,
    /// Places for look-ups in passive DNS.
    pub lookups: Arc<LookUps>,
}

impl App {
    /// An application over opened stores.
    pub fn new(
        records: Records,
        lake: lake::Lake,
        settings: Settings,
        clock: Arc<dyn Clock>,
        conditions: Conditions,
    ) -> Self {
        let started_at = clock.now();
        Self {
            records,
            lake,
            settings: Arc::new(settings),
            clock,
            metrics: Arc::default(),
            lifetime: Lifetime::default(),
            started_at,
            plans: Arc::default(),
            conditions,
            overview_for: Duration::from_secs(1),
            kept_overview: Arc::default(),
            live: Arc::default(),
            lookups: Arc::default(),
        }
    }

    /// Name of the session's cookie; with TLS bound to this host by its prefix (RFC 6265bis §4.1.3.2).
    pub fn session_cookie(&self) -> &'static str {
        if self.settings.tls { "__Host-session" } else { "session" }
    }

    /// A `Set-Cookie` value; without `age_secs` the cookie ends with the browser's session.
    pub fn cookie(&self, name: &str, value: &str, age_secs: Option<u32>) -> HeaderValue {
        let secure = if self.settings.tls { "; Secure" } else { "" };
        let age = age_secs.map(|secs| format!("; Max-Age={secs}")).unwrap_or_default();
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))
            .unwrap_or(HeaderValue::from_static("refused=1; Max-Age=0"))
    }

    /// The account of a session, or `None` when the session is unknown or over.
    pub async fn signed_in(&self, token: &str) -> Result<Option<Account>, WebError> {
        let session = accounts::session(&self.records, &self.lifetime, token).await?;
        Ok(session.map(|session| session.account))
    }
}

/// How long what vantage points are to ask is kept, in seconds. Longer, and a new zone is measured later; shorter, and with
/// hundreds of vantage points the watch list is read again and again.
const PLAN_SECS: u64 = 20;

/// What all vantage points are to ask, kept for a moment.
#[derive(Default)]
pub struct Plans(tokio::sync::Mutex<Option<(Timestamp, Arc<Vec<PlannedZone>>)>>);

impl Plans {
    /// The zones of all plans.
    pub(crate) async fn zones(&self, app: &App) -> Result<Arc<Vec<PlannedZone>>, WebError> {
        let now = app.clock.now();
        let mut kept = self.0.lock().await;
        if let Some((made, zones)) = &*kept
            && now.duration_since(*made).as_secs().unsigned_abs() < PLAN_SECS
        {
            return Ok(zones.clone());
        }
        let zones = Arc::new(vantage::zones_to_plan(&app.records, &app.settings.plan).await?);
        *kept = Some((now, zones.clone()));
        Ok(zones)
    }
}

/// The whole portal. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: limits count per address.
pub fn router(app: App) -> Router {
    // what is told while it happens must not wait in a compressor for more
    let compressed = SizeAbove::new(512)
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("application/x-ndjson"));
    Router::new()
        .merge(assets::router())
        .merge(status::router())
        .merge(report::router())
        .merge(about::router())
        .merge(signin::router())
        .merge(account::router())
        .merge(answer::router())
        .merge(organisation::router())
        .merge(centre::router())
        .merge(alerts::router())
        .merge(cases::router())
        .merge(zones::router())
        .merge(crate::servers::router())
        .merge(crate::operators::router())
        .merge(crate::vantage::router())
        .merge(directory::router())
        .merge(api::router())
        .merge(crate::passive::router())
        .merge(live::router())
        .merge(mail::router())
        .fallback(async || WebError::NotFound)
        .method_not_allowed_fallback(async || axum::http::StatusCode::METHOD_NOT_ALLOWED)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(app.clone(), guard::guard))
        .layer(CompressionLayer::new().compress_when(compressed))
        .with_state(app)
}
