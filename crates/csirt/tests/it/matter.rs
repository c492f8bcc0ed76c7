//! A matter to test with: signals of invented zones, a directory that answers for them, and steps of the loop.

use std::collections::BTreeMap;
use std::path::Path;

use csirt::cases::{Case, NewCase};
use csirt::directory::{
    Channel, ChannelKind, Kind, Organisation, Profile, Purpose, Region, Responsibility, ResponsibilityKind,
    ResponsibilityRole,
};
use csirt::links::Token;
use csirt::notices::{Centre, Delivery, Mailer, Notice, NoticeKind};
use csirt::requests::{Ask, Proposal, Request};
use csirt::{Actor, alerts, cases, directory, notices, requests};
use model::{Detector, Finding, Id, Language, Level, Name, Severity, Signal, Tlp, Verdict, VerdictState};

use crate::World;

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn duty_officer() -> Actor {
    Actor::Account("01990000-0000-7000-8000-000000000001".parse().unwrap())
}

pub fn centre() -> Centre {
    Centre {
        base_url: "https://cert.example".to_owned(),
        mail: "cert@cert.example".to_owned(),
        ..Centre::default()
    }
}

/// A signal of now about one zone.
pub fn signal(world: &World, kind: &str, zone: &str, severity: Severity) -> Signal {
    Signal {
        detector: Detector::Health,
        key: format!("health:{zone}:{kind}"),
        severity,
        time: world.records.now(),
        zones: vec![name(zone)],
        kind: kind.to_owned(),
        args: BTreeMap::new(),
        findings: vec![Finding {
            case: "basic02".to_owned(),
            tag: "B02_NS_NO_RESPONSE".to_owned(),
            level: Level::Error,
            args: BTreeMap::from([("ns_list".to_owned(), format!("ns1.{zone}/192.0.2.53"))]),
            vantage_point: Some("centre".to_owned()),
        }],
        changes: Vec::new(),
    }
}

/// An organisation that runs the zone `shop.atlas.example`, reads French, and has one mail address.
pub async fn operator(world: &World) -> Organisation {
    let mut profile = Profile::new("atlas-shop", "Atlas Shop", Kind::Registrar, Region::Af);
    profile.preferred_language = Language::French;
    profile.time_zone = "Africa/Tunis".to_owned();
    profile.channels = vec![Channel {
        kind: ChannelKind::Email,
        value: "noc@shop.atlas.example".to_owned(),
        purpose: Purpose::Security,
        person: String::new(),
        emergency: false,
        hours: None,
        format: String::new(),
        key: String::new(),
        verified_on: None,
    }];
    profile.responsibilities = vec![Responsibility {
        kind: ResponsibilityKind::Zone,
        value: "shop.atlas.example".to_owned(),
        role: ResponsibilityRole::Operator,
        verified_on: None,
    }];
    directory::create(&world.records, Actor::System, &profile)
        .await
        .unwrap()
}

/// A case about a zone that does not answer.
pub async fn open_case(world: &World) -> Case {
    let seen = signal(world, "zone-unreachable", "shop.atlas.example", Severity::Page);
    let alert = alerts::raise(&world.records, &seen).await.unwrap().alert().id;
    let new = NewCase {
        title: "Shop is silent".to_owned(),
        tlp: Tlp::Amber,
        alerts: vec![alert],
    };
    cases::open(&world.records, duty_officer(), &new).await.unwrap()
}

/// A proposal that needs no directory.
pub fn proposal(world: &World, ask: Ask) -> Proposal {
    let zone = name("shop.atlas.example");
    Proposal {
        organisation: None,
        name: "Atlas Shop".to_owned(),
        addresses: vec!["noc@shop.atlas.example".to_owned()],
        language: Language::French,
        time_zone: "Africa/Tunis".to_owned(),
        because: "by hand".to_owned(),
        check: ask.check(&zone, None),
        zone,
        ask,
        deadline: world.records.now() + jiff::SignedDuration::from_hours(4),
    }
}

/// A case with one request.
pub async fn open_request(world: &World) -> (Case, Request) {
    let case = open_case(world).await;
    let proposal = proposal(world, Ask::RestoreService);
    let request = requests::create(&world.records, duty_officer(), case.id, &proposal)
        .await
        .unwrap();
    (case, request)
}

pub async fn queue(world: &World, request: &Request) -> Notice {
    notices::queue(&world.records, duty_officer(), &centre(), request.id, NoticeKind::Ask)
        .await
        .unwrap()
}

pub async fn deliver(world: &World, notice: Id<Notice>, folder: &Path) -> Delivery {
    let mailer = Mailer::Folder(folder.to_owned());
    notices::deliver(&world.records, &centre(), notice, &mailer)
        .await
        .unwrap()
}

/// The mails in a folder as one text each, with quoted-printable lines joined.
pub fn mails(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    texts
}

/// The token in a mail's link.
pub fn token_in(mail: &str) -> Token {
    let joined = mail.replace("=\r\n", "");
    let (_, rest) = joined.split_once("https://cert.example/a/").unwrap();
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

pub fn verdict(world: &World, state: VerdictState) -> Verdict {
    Verdict {
        state,
        time: world.records.now(),
        findings: Vec::new(),
        seen: None,
    }
}
