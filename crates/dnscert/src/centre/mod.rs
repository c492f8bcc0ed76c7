//! The running centre: what its tasks share, and which tasks there are.

mod agenda;
mod condition;
mod desk;
pub mod imap;
mod jobs;
mod lead;
mod mailbox;
pub mod measuring;
mod outages;
mod rounds;
pub mod secret;
mod sight;
mod supervisor;
mod transfers;
pub mod upkeep;
mod vantage;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use csirt::Records;
use csirt::accounts::TotpKey;
use csirt::jobs::Kind;
use csirt::lead::Fence;
use csirt::notices::{Centre as Identity, Mailer};
use csirt::requests::Patience;
use lake::Lake;
use measure::{Internet, Profile, Settings};
use model::{Clock, Name};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use web::Conditions;

use crate::config::Config;

pub use supervisor::Supervisor;

/// What the tasks of a centre share.
pub struct Centre {
    /// The configuration.
    pub config: Config,
    /// The records, as the tasks change them: only while this centre leads.
    pub records: Records,
    /// The same records without that condition: for the portal, and for taking the lead.
    pub open_records: Records,
    /// What hinders the centre itself.
    pub conditions: Conditions,
    /// The observations.
    pub lake: Lake,
    /// The way into the DNS.
    pub internet: Internet,
    /// By what rounds are judged.
    pub profile: Profile,
    /// Whether the centre itself sees.
    pub sight: sight::Sight,
    /// How the centre signs its notices.
    pub identity: Identity,
    /// How notices leave.
    pub mailer: Mailer,
    /// How long silence is borne.
    pub patience: Patience,
    /// Pause between two measurements of what requests ask for.
    pub verify_every: Duration,
    /// By which it takes the lead.
    name: String,
    fence: Fence,
    /// The term in which it leads; `None` while another centre does.
    term: watch::Sender<Option<i64>>,
    clock: Arc<dyn Clock>,
    secret: Vec<u8>,
    totp_key: TotpKey,
}

/// A centre whose tasks run.
pub struct Running {
    /// What its tasks share.
    pub centre: Arc<Centre>,
    /// Where the portal listens.
    pub address: SocketAddr,
    supervisor: Supervisor,
}

impl Centre {
    /// Opens the stores and the sockets. Nothing runs yet.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        vantage::plan_settings(&config)?;
        std::fs::create_dir_all(&config.data).with_context(|| format!("making `{}`", config.data.display()))?;
        let url = config.database_url();
        let records = Records::open(&url, clock.clone())
            .await
            .with_context(|| format!("opening the records at `{}`", crate::commands::without_password(&url)))?;
        let (secret, totp_key) = secret::settle(&config.data, &records).await?;
        vantage::keep_names_apart(&records, &config).await?;
        let folder = config.lake_folder();
        let lake = Lake::open(&folder)
            .await
            .with_context(|| format!("opening the observations in `{}`", folder.display()))?;
        let internet = Internet::open(dns_settings(&config)?).context("opening sockets to ask the DNS")?;
        let fence = Fence::default();
        Ok(Self {
            records: records.fenced(fence.clone()),
            open_records: records,
            conditions: Conditions::default(),
            name: lead::name(&config.data)?,
            fence,
            term: watch::Sender::new(None),
            lake,
            internet,
            profile: profile(&config)?,
            sight: sight::Sight::default(),
            identity: identity(&config),
            mailer: mailer(&config)?,
            patience: Patience::default(),
            verify_every: Duration::from_secs(60),
            clock,
            secret,
            totp_key,
            config,
        })
    }

    /// Starts all tasks and the portal.
    pub async fn start(self, stop: CancellationToken) -> anyhow::Result<Running> {
        let listener = tokio::net::TcpListener::bind(self.config.listen)
            .await
            .with_context(|| format!("listening at {}", self.config.listen))?;
        let address = listener.local_addr().context("reading the portal's address")?;
        let app = web::App::new(
            self.open_records.clone(),
            self.lake.clone(),
            self.portal()?,
            self.clock.clone(),
            self.conditions.clone(),
        );
        let centre = Arc::new(self);
        let supervisor = Supervisor::new(stop);
        app.metrics.register(|registry| {
            registry.register("task_restarts", "Tasks that had to start again", supervisor.restarts());
        });
        let portal = web::router(app).into_make_service_with_connect_info::<SocketAddr>();
        let listener = Arc::new(tokio::sync::Mutex::new(Some(listener)));
        let (at, ending) = (address, supervisor.stopping());
        supervisor.keep("portal", move || {
            let (portal, listener, ending) = (portal.clone(), listener.clone(), ending.clone());
            async move {
                let listener = match listener.lock().await.take() {
                    Some(listener) => listener,
                    None => tokio::net::TcpListener::bind(at)
                        .await
                        .with_context(|| format!("listening at {at}"))?,
                };
                let served = axum::serve(listener, portal).with_graceful_shutdown(ending.cancelled_owned());
                served.await.context("serving the portal")
            }
        });
        for (name, task) in TASKS {
            let (centre, stop) = (centre.clone(), supervisor.stopping());
            supervisor.keep(name, move || task(centre.clone(), stop.clone()));
        }
        for (name, task) in LEADERS_TASKS {
            let (centre, stop) = (centre.clone(), supervisor.stopping());
            supervisor.keep(name, move || lead::while_leading(centre.clone(), stop.clone(), task));
        }
        Ok(Running {
            centre,
            address,
            supervisor,
        })
    }

    fn portal(&self) -> anyhow::Result<web::Settings> {
        let config = &self.config;
        Ok(web::Settings {
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            name: config.centre.name.clone(),
            mail: config.centre.mail.clone(),
            phone: config.centre.phone.clone(),
            time_zone: config.centre.time_zone.clone(),
            address: config.centre.address.clone(),
            key_fingerprint: config.centre.key_fingerprint.clone(),
            secret: web::shell::seal::Secret::new(self.secret.clone()),
            totp_key: self.totp_key.clone(),
            tls: config.public_url.starts_with("https:"),
            behind_proxy: config.behind_proxy,
            mailbox: config.mailbox.as_ref().map(|mailbox| web::MailboxSettings {
                name: mailbox.name(),
                interval_secs: mailbox.interval_secs,
            }),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: vantage::plan_settings(config)?,
        })
    }
}

impl Running {
    /// Ends all tasks, keeps what is buffered, and closes the stores.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.supervisor.stop().await;
        self.centre
            .lake
            .flush()
            .await
            .context("keeping the last observations")?;
        self.centre
            .open_records
            .clone()
            .close()
            .await
            .context("closing the records")
    }
}

type Task = fn(Arc<Centre>, CancellationToken) -> futures_util::future::BoxFuture<'static, anyhow::Result<()>>;

/// The tasks of every centre, beside the portal.
const TASKS: [(&str, Task); 5] = [
    ("lead", |centre, stop| Box::pin(lead::run(centre, stop))),
    ("sight", |centre, stop| Box::pin(sight::run(centre, stop))),
    ("condition", |centre, stop| Box::pin(condition::run(centre, stop))),
    ("upkeep", |centre, stop| Box::pin(upkeep::run(centre, stop))),
    ("measuring zone", |centre, stop| Box::pin(measuring::run(centre, stop))),
];

/// The tasks of the one that leads.
const LEADERS_TASKS: [(&str, Task); 7] = [
    ("rounds", |centre, stop| Box::pin(rounds::run(centre, stop))),
    ("notices", |centre, stop| {
        Box::pin(jobs::run(centre, Kind::DeliverNotice, stop))
    }),
    ("verifications", |centre, stop| {
        Box::pin(jobs::run(centre, Kind::VerifyRequest, stop))
    }),
    ("requests", |centre, stop| Box::pin(jobs::watch_requests(centre, stop))),
    ("mailbox", |centre, stop| Box::pin(mailbox::run(centre, stop))),
    ("vantage points", |centre, stop| Box::pin(vantage::run(centre, stop))),
    ("transfers", |centre, stop| Box::pin(transfers::run(centre, stop))),
];

/// By what rounds are judged, by the configuration.
pub fn profile(config: &Config) -> anyhow::Result<Profile> {
    let routes = &config.dns.routes;
    let routes = (!routes.as_os_str().is_empty()).then_some(routes.as_path());
    crate::commands::with_tables(Profile::default(), routes, &config.dns.special_registries)
}

/// How the DNS is asked, by the configuration.
pub fn dns_settings(config: &Config) -> anyhow::Result<Settings> {
    let hints: Vec<(Name, Vec<std::net::IpAddr>)> = if config.dns.hints.as_os_str().is_empty() {
        measure::root_servers()
    } else {
        crate::commands::read_hints(&config.dns.hints)?
    };
    let anchors = match config.dns.anchors.as_os_str().is_empty() {
        false => crate::commands::read_anchors(&config.dns.anchors)?,
        true if config.dns.hints.as_os_str().is_empty() => measure::root_anchors(),
        true => Vec::new(),
    };
    let settings = Settings {
        vantage_point: Some(config.dns.probe.clone()),
        hints,
        anchors,
        port: config.dns.port,
        ipv4: config.dns.ipv4,
        ipv6: config.dns.ipv6,
        timeout: Duration::from_millis(config.dns.timeout_ms.max(1)),
        ..Settings::default()
    };
    Ok(settings.on_this_machine())
}

fn identity(config: &Config) -> Identity {
    let domain = config.centre.mail.rsplit('@').next().unwrap_or("localhost").to_owned();
    Identity {
        name: config.centre.name.clone(),
        base_url: config.public_url.trim_end_matches('/').to_owned(),
        mail: config.centre.mail.clone(),
        phone: config.centre.phone.clone(),
        message_domain: domain,
    }
}

/// How notices leave, by the configuration.
pub fn mailer(config: &Config) -> anyhow::Result<Mailer> {
    let Some(relay) = &config.mail.relay else {
        let folder = config.outbox();
        std::fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
        return Ok(Mailer::Folder(folder));
    };
    Mailer::smtp(relay).with_context(|| format!("preparing the relay `{}`", relay.host))
}
