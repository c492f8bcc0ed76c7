//! A small centre with something to show: an organisation with two zones, one of them broken, a case and a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use csirt::accounts::{self, Account, NewAccount, Role};
use csirt::cases::{self, NewCase};
use csirt::directory::{
    self, Channel, ChannelKind, Kind, Person, Profile, Purpose, Region, Responsibility, ResponsibilityKind,
    ResponsibilityRole,
};
use csirt::watch::{self, Round, Watch};
use csirt::{Actor, Records, alerts, links, requests};
use jiff::SignedDuration;
use model::{Detector, Finding, Language, Level, ManualClock, Name, Severity, Signal, Timestamp, Tlp};
use tower::ServiceExt;
use web::shell::seal::Secret;
use web::{App, Settings};

/// The password of all accounts.
pub const PASSWORD: &str = "correct horse battery staple";

/// A router over fresh stores.
pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    router: Router,
    folder: tempfile::TempDir,
}

/// An answer as text.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The value of the first hidden or shown input named `name`.
    pub fn field(&self, name: &str) -> String {
        let at = self
            .body
            .find(&format!("name=\"{name}\""))
            .unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        let rest = &self.body[at..];
        rest[..rest.find('>').unwrap()]
            .split("value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    }
}

pub fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

impl World {
    /// A centre that has nothing in it yet.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(now()));
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("records.db").display());
        let records = Records::open(&url, clock.clone()).await.unwrap().with_seed(7);
        let lake = lake::Lake::open(&folder.path().join("lake")).await.unwrap();
        let settings = Settings {
            public_url: "https://dnscert.example".to_owned(),
            name: "Example DNS-CERT".to_owned(),
            mail: "duty@dnscert.example".to_owned(),
            phone: "+41 22 555 01 00".to_owned(),
            time_zone: "UTC".to_owned(),
            address: String::new(),
            key_fingerprint: String::new(),
            secret: Secret::new([7; 32]),
            totp_key: accounts::TotpKey::derive(&[7; 32]),
            tls: true,
            behind_proxy: true,
            mailbox: Some(web::MailboxSettings {
                name: "duty@mail.example/INBOX".to_owned(),
                interval_secs: 60,
            }),
            version: "0.1.0".to_owned(),
            plan: Default::default(),
        };
        let app = App {
            overview_for: std::time::Duration::ZERO,
            ..App::new(records, lake, settings, clock.clone(), web::Conditions::default())
        };
        Self {
            router: web::router(app.clone()),
            app,
            clock,
            folder,
        }
    }

    /// The same centre told otherwise.
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::clone(&self.app.settings);
        change(&mut settings);
        self.app.settings = Arc::new(settings);
        self.router = web::router(self.app.clone());
        self
    }

    /// Keeps what the public may know for so long.
    pub fn keep_overview_for(&mut self, span: std::time::Duration) {
        self.app.overview_for = span;
        self.router = web::router(self.app.clone());
    }

    /// Where its records are.
    pub fn records_url(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("records.db").display())
    }

    /// The answer as it comes.
    pub async fn respond(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Where the observations are.
    pub fn lake_folder(&self) -> std::path::PathBuf {
        self.folder.path().join("lake")
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.respond(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 1_000_000).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_as(path, "").await
    }

    /// `cookie` is a `Cookie` header, or empty.
    pub async fn get_as(&self, path: &str, cookie: &str) -> Answer {
        self.send(
            Request::get(path)
                .header(header::COOKIE, cookie)
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    pub async fn post(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        self.post_raw(path, cookie, body.join("&").into_bytes()).await
    }

    pub async fn post_raw(&self, path: &str, cookie: &str, body: Vec<u8>) -> Answer {
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// The cookie of a signed-in account.
    pub async fn sign_in(&self, account: &str) -> String {
        let form = self.get("/signin").await;
        let fields = [
            ("csrf", form.field("csrf")),
            ("name", account.to_owned()),
            ("password", PASSWORD.to_owned()),
        ];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.post("/signin", "", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let cookies = answer.headers.get_all(header::SET_COOKIE);
        let session = cookies
            .iter()
            .map(|value| value.to_str().unwrap())
            .find(|value| value.contains("session"));
        session.unwrap().split(';').next().unwrap().to_owned()
    }

    pub async fn account(
        &self,
        name: &str,
        role: Role,
        organisation: Option<model::Id<directory::Organisation>>,
    ) -> Account {
        let new = NewAccount {
            name: name.to_owned(),
            display_name: format!("{name} of the team"),
            email: format!("{name}@dnscert.example"),
            role,
            organisation,
            language: Language::English,
            time_zone: "Africa/Nairobi".to_owned(),
            password: PASSWORD.to_owned(),
        };
        accounts::create(&self.app.records, Actor::System, new).await.unwrap()
    }
}

/// What stands in the furnished centre.
pub struct Furnished {
    pub world: World,
    /// The token of the link to the one request.
    pub token: String,
    pub request: model::Id<requests::Request>,
}

/// The organisation that all belongs to.
pub fn profile() -> Profile {
    let mut profile = Profile::new("nic-example", "NIC Example", Kind::Registry, Region::Af);
    profile.preferred_language = Language::French;
    profile.time_zone = "Africa/Tunis".to_owned();
    profile.people = vec![Person {
        name: "Amina Exemple".to_owned(),
        position: "operations".to_owned(),
        languages: vec!["fr".to_owned()],
        verified_on: None,
    }];
    profile.channels = vec![Channel {
        kind: ChannelKind::Email,
        value: "noc@nic.example".to_owned(),
        purpose: Purpose::Security,
        person: String::new(),
        emergency: true,
        hours: None,
        format: String::new(),
        key: String::new(),
        verified_on: None,
    }];
    profile.responsibilities = ["example", "xn--kgbechtv"]
        .map(|zone| Responsibility {
            kind: ResponsibilityKind::Zone,
            value: zone.to_owned(),
            role: ResponsibilityRole::Operator,
            verified_on: None,
        })
        .into();
    profile
}

fn finding(case: &str, tag: &str, level: Level) -> Finding {
    let args = [
        ("ns_list", "ns1.nic.example/192.0.2.53"),
        ("ns_ip_list", "192.0.2.53"),
        ("keytag", "4711"),
    ];
    Finding {
        case: case.to_owned(),
        tag: tag.to_owned(),
        level,
        args: args.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        vantage_point: Some("centre".to_owned()),
    }
}

/// A centre with one of everything.
pub async fn furnished() -> Furnished {
    let world = World::empty().await;
    let records = &world.app.records;
    let organisation = directory::create(records, Actor::System, &profile()).await.unwrap();
    for (zone, region, level) in [
        ("example", Some(Region::Af), Level::Error),
        ("xn--kgbechtv", Some(Region::Ap), Level::Notice),
        ("test", Some(Region::Eu), Level::Warning),
    ] {
        let watch = Watch {
            region,
            organisation: Some(organisation.id),
            ..Watch::new(name(zone))
        };
        let watched = watch::add(records, Actor::System, &watch).await.unwrap();
        let round = Round {
            time: now() - SignedDuration::from_secs(20),
            findings: vec![finding("dnssec09", "DS09_RRSIG_NOT_VALID_BY_DNSKEY", level)],
            seen: None,
            servers: serde_json::json!([]),
            detectors: serde_json::json!({}),
            untestable: None,
        };
        watch::record_round(records, watched.id, round).await.unwrap();
    }
    for (account, role) in [
        ("ada", Role::Admin),
        ("duty", Role::DutyOfficer),
        ("aug", Role::Augmenter),
        ("look", Role::Observer),
    ] {
        world.account(account, role, None).await;
    }
    world.account("amina", Role::Constituent, Some(organisation.id)).await;
    let signal = Signal {
        detector: Detector::Health,
        key: "health:example:signatures-invalid".to_owned(),
        severity: Severity::Page,
        time: now() - SignedDuration::from_secs(15),
        zones: vec![name("example")],
        kind: "signatures-invalid".to_owned(),
        args: BTreeMap::from([("zone".to_owned(), "example".to_owned())]),
        findings: vec![finding("dnssec09", "DS09_RRSIG_NOT_VALID_BY_DNSKEY", Level::Error)],
        changes: Vec::new(),
    };
    let raised = alerts::raise(records, &signal).await.unwrap();
    let new = NewCase {
        title: "Signatures of example are not valid".to_owned(),
        tlp: Tlp::Amber,
        alerts: vec![raised.alert().id],
    };
    let case = cases::open(records, Actor::System, &new).await.unwrap();
    let proposal = requests::propose(records, case.id).await.unwrap().remove(0);
    let request = requests::create(records, Actor::System, case.id, &proposal)
        .await
        .unwrap();
    let token = links::issue(records, Actor::System, request.id)
        .await
        .unwrap()
        .to_string();
    Furnished {
        world,
        token,
        request: request.id,
    }
}

/// Percent-encodes a form value.
pub fn encode(text: &str) -> String {
    web::shell::error::encode(text)
}
