//! Vantage points: registered, told what to ask, heard, and revoked.

use csirt::directory::{self, Kind, Profile as Organisation, Region};
use csirt::vantage::{
    Coordinates, PartFigures, Place, PlanSettings, Profile, Report, Terms, VantagePoint, by_name, by_token, create,
    create_sensor, list, note_part, note_refusal, plan_for, renew_token, report, revoke, states, zones_to_plan,
};
use csirt::watch::{self, Watch};
use csirt::{Actor, Error, audit};
use model::{Delegation, Ds, Id, Name, Tlp, Transport};

use crate::{World, on_each_database, time};

fn profile(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        operator: None,
        place: Place {
            region: Region::Eu,
            country: "de".to_owned(),
            city: " Frankfurt ".to_owned(),
            coordinates: "50.11,8.68".parse().unwrap(),
        },
        network: "Example Net".to_owned(),
        asn: Some(64_500),
        ipv4: true,
        ipv6: false,
    }
}

async fn registered(world: &World, name: &str) -> (VantagePoint, String) {
    let (vantage_point, secret) = create(&world.records, Actor::System, profile(name)).await.unwrap();
    (vantage_point, secret.reveal().to_owned())
}

#[tokio::test]
async fn a_vantage_point_is_registered_known_by_its_token_and_revoked() {
    on_each_database(async |world| {
        let records = &world.records;
        let organisation = Organisation::new("net", "Example Net", Kind::Operator, Region::Eu);
        let operator = directory::create(records, Actor::System, &organisation)
            .await
            .unwrap()
            .id;
        let wanted = Profile {
            operator: Some(operator),
            ..profile("fra1")
        };
        let (made, secret) = create(records, Actor::System, wanted).await.unwrap();
        assert!(secret.reveal().starts_with("dnscert_probe_"));
        assert_eq!(
            (made.profile.place.country.as_str(), made.profile.place.city.as_str()),
            ("DE", "Frankfurt")
        );
        assert_eq!(made.profile.place.to_string(), "Frankfurt, DE (EU; 50.1,8.7)");
        assert_eq!(by_token(records, secret.reveal()).await.unwrap(), Some(made.clone()));
        assert_eq!(by_name(records, "fra1").await.unwrap(), Some(made.clone()));
        assert_eq!(by_token(records, "dnscert_probe_x").await.unwrap(), None);

        let second = renew_token(records, Actor::System, made.id).await.unwrap();
        assert_eq!(
            by_token(records, secret.reveal()).await.unwrap(),
            None,
            "the first one is over"
        );
        assert!(by_token(records, second.reveal()).await.unwrap().is_some());

        revoke(records, Actor::System, made.id).await.unwrap();
        revoke(records, Actor::System, made.id).await.unwrap();
        assert_eq!(by_token(records, second.reveal()).await.unwrap(), None);
        assert_eq!(
            list(records).await.unwrap()[0].revoked,
            Some(time("2026-07-01T09:00:00Z"))
        );
        let again = renew_token(records, Actor::System, made.id).await;
        assert!(matches!(again, Err(Error::Conflict { .. })));
        let reused = create(records, Actor::System, profile("fra1")).await;
        assert!(
            matches!(reused, Err(Error::Conflict { .. })),
            "its samples keep the name"
        );
        assert!(matches!(
            audit::verify(records).await.unwrap(),
            audit::Chain::Whole { .. }
        ));
    })
    .await;
}

fn terms() -> Terms {
    Terms {
        owner: " Example Net ".to_owned(),
        licence: "agreement 17".to_owned(),
        tlp: Tlp::Amber,
        legal_basis: "contract".to_owned(),
    }
}

#[tokio::test]
async fn a_sensor_keeps_the_terms_under_which_what_it_hears_may_be_used() {
    on_each_database(async |world| {
        let records = &world.records;
        let (made, secret) = create_sensor(records, Actor::System, profile("ns1"), terms())
            .await
            .unwrap();
        assert!(secret.reveal().starts_with("dnscert_sensor_"));
        let kept = made.terms.as_ref().unwrap();
        assert_eq!((kept.owner.as_str(), kept.tlp), ("Example Net", Tlp::Amber));
        assert_eq!(by_token(records, secret.reveal()).await.unwrap(), Some(made.clone()));
        let renewed = renew_token(records, Actor::System, made.id).await.unwrap();
        assert!(renewed.reveal().starts_with("dnscert_sensor_"));
        let said = Report {
            lost_packets: 4,
            ..said(0)
        };
        report(records, made.id, &said).await.unwrap();
        assert_eq!(states(records).await.unwrap()[0].1.report.lost_packets, 4);
        type Change = fn(&mut Terms);
        let changes: [(&str, Change); 3] = [
            ("owner", |terms| terms.owner = "  ".to_owned()),
            ("licence", |terms| terms.licence = "x".repeat(201)),
            ("legal_basis", |terms| terms.legal_basis = "a\nb".to_owned()),
        ];
        for (field, change) in changes {
            let mut wrong = terms();
            change(&mut wrong);
            match create_sensor(records, Actor::System, profile("ns2"), wrong).await {
                Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
        assert_eq!(list(records).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_bad_profile_is_refused_by_the_field_that_is_wrong() {
    on_each_database(async |world| {
        type Change = fn(&mut Profile);
        let changes: [(&str, Change); 9] = [
            ("name", |profile| profile.name = "F".to_owned()),
            ("name", |profile| profile.name = "Frankfurt 1".to_owned()),
            ("name", |profile| profile.name = "-fra".to_owned()),
            ("name", |profile| profile.name = "a".repeat(33)),
            ("name", |profile| profile.name = "centre".to_owned()),
            ("country", |profile| profile.place.country = "DEU".to_owned()),
            ("city", |profile| profile.place.city = "\u{7}".to_owned()),
            ("network", |profile| profile.network = "x".repeat(101)),
            ("ipv4", |profile| (profile.ipv4, profile.ipv6) = (false, false)),
        ];
        for (field, change) in changes {
            let mut wrong = profile("fra1");
            change(&mut wrong);
            match create(&world.records, Actor::System, wrong).await {
                Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
        let unknown = Profile {
            operator: Some(uuid::Uuid::nil().into()),
            ..profile("fra1")
        };
        let result = create(&world.records, Actor::System, unknown).await;
        assert!(matches!(result, Err(Error::NotFound { .. })));
        assert!(list(&world.records).await.unwrap().is_empty());
    })
    .await;
}

fn said(spool_parts: u64) -> Report {
    Report {
        version: "0.1.0".to_owned(),
        clock_offset_us: Some(-1500),
        round_trip_us: Some(40_000),
        spool_parts,
        spool_bytes: spool_parts * 9000,
        oldest_part: Some(time("2026-07-01T08:00:00Z")),
        dropped_samples: 7,
        lost_packets: 0,
    }
}

fn figures(newest: &str, answered: u64) -> PartFigures {
    PartFigures {
        samples: 100,
        newest: time(newest),
        answered,
        udp_median_us: Some(21_000),
    }
}

#[tokio::test]
async fn what_it_says_and_what_was_taken_from_it_is_kept() {
    on_each_database(async |world| {
        let records = &world.records;
        let (one, _) = registered(world, "fra1").await;
        registered(world, "nrt1").await;
        let state = async |name: &str| {
            let all = states(records).await.unwrap();
            all.into_iter().find(|(of, _)| of.profile.name == name).unwrap().1
        };
        assert_eq!(state("fra1").await.contact, None);

        report(records, one.id, &said(3)).await.unwrap();
        let after = state("fra1").await;
        assert_eq!(
            (after.contact, &after.report),
            (Some(time("2026-07-01T09:00:00Z")), &said(3))
        );

        world.wait_secs(60);
        note_part(records, one.id, &figures("2026-07-01T09:00:30Z", 99))
            .await
            .unwrap();
        note_part(records, one.id, &figures("2026-07-01T07:00:00Z", 10))
            .await
            .unwrap();
        let after = state("fra1").await;
        assert_eq!((after.parts, after.samples), (2, 200));
        assert_eq!(
            after.newest,
            Some(figures("2026-07-01T09:00:30Z", 99)),
            "an older part changes the counts alone"
        );
        assert_eq!(after.contact, Some(time("2026-07-01T09:01:00Z")));

        note_refusal(records, one.id, &format!("bad\0{}", "x".repeat(900)))
            .await
            .unwrap();
        let after = state("fra1").await;
        let (when, reason) = after.refused.unwrap();
        assert_eq!((after.refused_parts, when), (1, time("2026-07-01T09:01:00Z")));
        assert!(reason.starts_with("badx") && reason.len() < 600);
        assert_eq!(state("nrt1").await.parts, 0);

        let unknown: Id<VantagePoint> = uuid::Uuid::nil().into();
        assert!(matches!(
            report(records, unknown, &said(0)).await,
            Err(Error::NotFound { .. })
        ));
    })
    .await;
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_plan_asks_the_watched_zones_servers_that_the_vantage_point_can_reach() {
    on_each_database(async |world| {
        let records = &world.records;
        let ds: Ds = "60485,8,2,2BB183AF5F22588179A53B0A98631FAD1A292118AABBCCDDEEFF001122334455"
            .parse()
            .unwrap();
        let mut delegation = Delegation::default();
        let addresses = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        delegation.ns.insert(name("ns1.nic.example"), addresses.into());
        delegation
            .ns
            .insert(name("ns2.nic.example"), ["2001:db8::2".parse().unwrap()].into());
        delegation.ds.insert(ds.clone());
        let watched = Watch {
            expected: Some(delegation),
            ..Watch::new(name("example"))
        };
        watch::add(records, Actor::System, &watched).await.unwrap();
        let paused = Watch {
            enabled: false,
            ..Watch::new(name("paused.example"))
        };
        watch::add(records, Actor::System, &paused).await.unwrap();
        watch::add(records, Actor::System, &Watch::new(name("unknown.example")))
            .await
            .unwrap();

        let settings = PlanSettings {
            root: vec![(name("a.root-servers.net"), vec!["198.41.0.4".parse().unwrap()])],
            ..PlanSettings::default()
        };
        let zones = zones_to_plan(records, &settings).await.unwrap();
        let (v4, _) = registered(world, "fra1").await;
        let plan = plan_for(&v4, &settings, &zones);
        assert_eq!(plan.check(), Ok(()));
        assert_eq!(
            plan,
            plan_for(&v4, &settings, &zones),
            "the same each time, so that an ETag helps"
        );
        assert_eq!(
            (plan.vantage_point.as_str(), plan.interval_secs, plan.jitter_secs),
            ("fra1", 300, 60)
        );
        let planned: Vec<String> = plan.zones.iter().map(|zone| zone.zone.to_string()).collect();
        assert_eq!(
            planned,
            [".", "example"],
            "no server of the others is known, or they are paused"
        );
        let example = &plan.zones[1];
        assert_eq!(example.servers.len(), 1, "ns2 has IPv6 alone");
        assert_eq!(
            example.servers[&name("ns1.nic.example")],
            ["192.0.2.1".parse().unwrap()].into()
        );
        assert_eq!(example.ds, [ds].into());
        let ways: Vec<_> = example
            .questions
            .iter()
            .map(|question| (question.qtype, question.transport))
            .collect();
        assert_eq!(ways, [(6, Transport::Udp), (6, Transport::Tcp)]);

        let both = Profile {
            ipv6: true,
            ..profile("nrt1")
        };
        let (v6, _) = create(records, Actor::System, both).await.unwrap();
        let plan_of_both = plan_for(&v6, &settings, &zones);
        assert_eq!(plan_of_both.zones[1].servers.len(), 2);
        assert_ne!(plan_of_both.seed, plan.seed, "they do not ask in step");
        assert_eq!(Coordinates::of(50.11, 8.68).unwrap(), v4.profile.place.coordinates);
    })
    .await;
}
