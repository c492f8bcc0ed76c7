use csirt::audit;
use csirt::directory::{
    Because, Channel, ChannelKind, Format, Imported, Kind, Organisation, Part, Person, Profile, Purpose, Region,
    Responsibility, ResponsibilityKind as Of, ResponsibilityRole as Role, Router, Summary, Target, by_handle, create,
    export, get, import, list, route, search, update, verify,
};
use csirt::watch::{self, Watch};
use csirt::{Actor, Error};
use model::{Delegation, Language, Name};

use crate::{World, on_each_database};

fn channel(kind: ChannelKind, value: &str, purpose: Purpose, person: &str) -> Channel {
    Channel {
        kind,
        value: value.to_owned(),
        purpose,
        person: person.to_owned(),
        emergency: false,
        hours: None,
        format: String::new(),
        key: String::new(),
        verified_on: None,
    }
}

fn responsibility(kind: Of, value: &str, role: Role) -> Responsibility {
    Responsibility {
        kind,
        value: value.to_owned(),
        role,
        verified_on: None,
    }
}

fn registry() -> Profile {
    let mut profile = Profile::new("example-registry", "Registry of Example", Kind::Registry, Region::Af);
    profile.country = "tg".to_owned();
    profile.preferred_language = Language::French;
    profile.time_zone = "Africa/Lome".to_owned();
    profile.people.push(Person {
        name: "Kofi Mensah".to_owned(),
        position: "engineer".to_owned(),
        languages: vec!["fr".to_owned()],
        verified_on: None,
    });
    profile.channels = vec![
        channel(ChannelKind::Phone, "+228 22 00 00 00", Purpose::Security, ""),
        channel(ChannelKind::Email, "info@registry.example", Purpose::General, ""),
        channel(
            ChannelKind::Email,
            "kofi@registry.example",
            Purpose::Security,
            "Kofi Mensah",
        ),
        channel(ChannelKind::Email, "cert@registry.example", Purpose::Security, ""),
    ];
    profile
        .responsibilities
        .push(responsibility(Of::Zone, "Example.", Role::Registry));
    profile
}

async fn add(world: &World, handle: &str, responsibilities: &[(Of, &str, Role)]) -> Organisation {
    let mut profile = Profile::new(handle, handle, Kind::Operator, Region::Eu);
    profile.responsibilities = responsibilities
        .iter()
        .map(|(kind, value, role)| responsibility(*kind, value, *role))
        .collect();
    create(&world.records, Actor::System, &profile).await.unwrap()
}

/// `handle: reason; reason` for each route.
async fn routes(world: &World, target: &str) -> String {
    let target: Target = target.parse().unwrap();
    let routes = route(&world.records, &target).await.unwrap();
    assert_eq!(
        Router::load(&world.records).await.unwrap().route(&target),
        routes,
        "one and many agree"
    );
    let line = |because: &[Because]| {
        because
            .iter()
            .map(|one| one.text(Language::English))
            .collect::<Vec<_>>()
            .join("; ")
    };
    let lines = routes
        .iter()
        .map(|route| format!("{}: {}", route.organisation.profile.handle, line(&route.because)));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_organisation_is_kept_in_canonical_form_and_each_change_is_noted() {
    on_each_database(async |world| {
        let made = create(&world.records, Actor::System, &registry()).await.unwrap();
        assert_eq!(made.profile.country, "TG");
        assert_eq!(made.profile.responsibilities[0].value, "example");
        assert_eq!(get(&world.records, made.id).await.unwrap(), made);
        assert_eq!(
            by_handle(&world.records, "example-registry").await.unwrap().unwrap(),
            made
        );
        let before = audit::of(&world.records, "organisation", made.id).await.unwrap().len();

        let mut profile = made.profile.clone();
        profile.name = "Example Registry".to_owned();
        profile
            .channels
            .retain(|channel| channel.value != "info@registry.example");
        let changed = update(&world.records, Actor::Public, made.id, &profile).await.unwrap();
        let rows = audit::of(&world.records, "organisation", made.id)
            .await
            .unwrap()
            .split_off(before);
        let trace: Vec<(&str, bool, Option<&str>)> = rows
            .iter()
            .map(|row| (row.field.as_str(), row.old.is_some(), row.new.as_deref()))
            .collect();
        assert_eq!(
            trace,
            [
                ("channel email info@registry.example general", true, None),
                ("name", true, Some("Example Registry"))
            ]
        );
        let again = update(&world.records, Actor::Public, made.id, &changed.profile)
            .await
            .unwrap();
        assert_eq!(again, changed, "no change, no trace");
        profile.handle = "other".to_owned();
        assert!(matches!(
            update(&world.records, Actor::Public, made.id, &profile).await,
            Err(Error::Invalid { field, .. }) if field == "handle"
        ));
        let twice = create(&world.records, Actor::System, &registry()).await;
        assert!(matches!(twice, Err(Error::Conflict { .. })));
    })
    .await;
}

#[tokio::test]
async fn channels_come_in_the_order_in_which_they_are_tried() {
    on_each_database(async |world| {
        let made = create(&world.records, Actor::System, &registry()).await.unwrap();
        let order: Vec<&str> = made
            .profile
            .channels_in_order()
            .iter()
            .map(|channel| channel.value.as_str())
            .collect();
        assert_eq!(
            order,
            [
                "cert@registry.example",
                "kofi@registry.example",
                "info@registry.example",
                "+228 22 00 00 00"
            ]
        );
        assert_eq!(made.email().unwrap().value, "cert@registry.example");
    })
    .await;
}

#[tokio::test]
async fn a_part_is_verified_by_itself() {
    on_each_database(async |world| {
        let made = create(&world.records, Actor::System, &registry()).await.unwrap();
        let on = "2026-07-01".parse().unwrap();
        let email = Part::Channel {
            kind: ChannelKind::Email,
            value: "cert@registry.example".to_owned(),
        };
        for part in [
            Part::Entry,
            Part::Person {
                name: "Kofi Mensah".to_owned(),
            },
            email,
            Part::Responsibility {
                kind: Of::Zone,
                value: "example".to_owned(),
            },
        ] {
            verify(&world.records, Actor::System, made.id, &part, on).await.unwrap();
        }
        let profile = get(&world.records, made.id).await.unwrap().profile;
        assert_eq!(
            (profile.verified_on, profile.people[0].verified_on),
            (Some(on), Some(on))
        );
        assert_eq!(
            profile
                .channels
                .iter()
                .filter(|channel| channel.verified_on == Some(on))
                .count(),
            1
        );
        let nobody = Part::Person {
            name: "Nobody".to_owned(),
        };
        let missing = verify(&world.records, Actor::System, made.id, &nobody, on).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn search_finds_all_words_anywhere() {
    on_each_database(async |world| {
        create(&world.records, Actor::System, &registry()).await.unwrap();
        add(world, "other", &[]).await;
        for (words, found) in [("kofi REGISTRY", 1), ("example tg", 1), ("", 2), ("nothing", 0)] {
            assert_eq!(search(&world.records, words).await.unwrap().len(), found, "{words}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_is_routed_from_the_nearest_to_the_widest() {
    on_each_database(async |world| {
        create(&world.records, Actor::System, &registry()).await.unwrap();
        add(world, "registrar", &[(Of::Zone, "shop.example", Role::Registrar)]).await;
        add(world, "holder", &[(Of::Zone, "shop.example", Role::Registrant)]).await;
        add(world, "hoster", &[(Of::NameServer, "ns1.dns.test", Role::Operator), (Of::Zone, "dns.test", Role::Operator)])
            .await;
        add(world, "network", &[(Of::Prefix, "192.0.2.0/24", Role::Operator)]).await;
        add(world, "upstream", &[(Of::Prefix, "192.0.0.0/16", Role::Abuse)]).await;
        add(world, "elsewhere", &[(Of::Zone, "hop.example", Role::Operator), (Of::Prefix, "2001:db8::/32", Role::Operator)])
            .await;
        let zone: Name = "shop.example".parse().unwrap();
        let mut expected = Delegation::default();
        expected.ns.insert("ns1.dns.test".parse().unwrap(), ["192.0.2.53".parse().unwrap()].into());
        let watch = Watch { expected: Some(expected), ..Watch::new(zone) };
        watch::add(&world.records, Actor::System, &watch).await.unwrap();

        let all = "holder: holder of the zone shop.example\n\
            registrar: registrar of the zone shop.example\n\
            example-registry: registry of the zone example above it\n\
            hoster: operator of ns1.dns.test, a name server of shop.example\n\
            network: operator of the addresses 192.0.2.0/24, among which is 192.0.2.53, a name server of shop.example\n\
            upstream: abuse contact of the addresses 192.0.0.0/16, among which is 192.0.2.53, a name server of shop.example";
        assert_eq!(routes(world, "SHOP.example.").await, all);
        assert_eq!(routes(world, "www.shop.example").await, all.replace("zone shop.example", "zone shop.example above it"));
        assert_eq!(
            routes(world, "ns1.dns.test").await,
            "hoster: operator of the name server ns1.dns.test; operator of the zone dns.test above it"
        );
        assert_eq!(
            routes(world, "192.0.2.9").await,
            "network: operator of the addresses 192.0.2.0/24, among which is 192.0.2.9\n\
            upstream: abuse contact of the addresses 192.0.0.0/16, among which is 192.0.2.9"
        );
        assert_eq!(
            routes(world, "192.0.2.53").await,
            "hoster: operator of the name server ns1.dns.test\n\
            network: operator of the addresses 192.0.2.0/24, among which is 192.0.2.53\n\
            upstream: abuse contact of the addresses 192.0.0.0/16, among which is 192.0.2.53"
        );
        assert_eq!(routes(world, "nowhere.test").await, "");
    })
    .await;
}

#[tokio::test]
async fn a_registrar_is_found_by_its_number_at_iana() {
    on_each_database(async |world| {
        add(world, "names-inc", &[(Of::RegistrarId, "292", Role::Registrar)]).await;
        // a number alone is no name server's, and another registrar's is not this one's
        add(world, "others", &[(Of::RegistrarId, "2920", Role::Registrar)]).await;
        let found = "names-inc: registrar with the registrar number 292 at IANA";
        assert_eq!(routes(world, "registrar:292").await, found);
        assert_eq!(routes(world, " Registrar:0292 ").await, found);
        assert_eq!(routes(world, "registrar:1").await, "");
        for wrong in ["registrar:", "registrar:x", "registrar:-1"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
        // the name of a host is no number
        assert!(matches!("registrar.example".parse(), Ok(Target::Name(_))));
    })
    .await;
}

#[tokio::test]
async fn export_and_import_are_the_same_and_the_second_time_changes_nothing() {
    for format in [Format::Csv, Format::Json] {
        on_each_database(async |world| {
            create(&world.records, Actor::System, &registry()).await.unwrap();
            add(world, "bare", &[]).await;
            let file = export(&world.records, format).await.unwrap();
            let head = audit::head(&world.records).await.unwrap();
            let same = import(&world.records, Actor::System, format, &file).await.unwrap();
            assert_eq!(
                same,
                Imported::Done(Summary {
                    created: 0,
                    updated: 0,
                    unchanged: 2
                })
            );
            assert_eq!(audit::head(&world.records).await.unwrap(), head);

            let text = String::from_utf8(file)
                .unwrap()
                .replace("Registry of Example", "Renamed");
            let changed = import(&world.records, Actor::System, format, text.as_bytes())
                .await
                .unwrap();
            assert_eq!(
                changed,
                Imported::Done(Summary {
                    created: 0,
                    updated: 1,
                    unchanged: 1
                })
            );
            assert_eq!(export(&world.records, format).await.unwrap(), text.as_bytes());
        })
        .await;
    }
}

#[tokio::test]
async fn a_file_with_one_bad_row_changes_nothing() {
    on_each_database(async |world| {
        let file = "handle,name,kind,region,channel_kind,channel_value\n\
            good,Good,vendor,NA,email,security@good.example\n\
            bad,Bad,vendor,NA,email,nowhere\n";
        match import(&world.records, Actor::System, Format::Csv, file.as_bytes())
            .await
            .unwrap()
        {
            Imported::Refused(bad) => {
                assert_eq!(bad.len(), 1);
                assert_eq!(
                    (bad[0].line, bad[0].handle.as_str(), bad[0].field.as_str()),
                    (Some(3), "bad", "channel_value")
                );
            }
            done => panic!("{done:?}"),
        }
        assert!(list(&world.records).await.unwrap().is_empty());
        assert_eq!(audit::head(&world.records).await.unwrap().0, 0);
    })
    .await;
}

#[tokio::test]
async fn fifty_thousand_names_are_routed_in_memory() {
    on_each_database(async |world| {
        let mut document = Vec::new();
        for number in 0..110 {
            let mut profile = Profile::new(&format!("registry-{number}"), "Registry", Kind::Registry, Region::Ap);
            profile
                .responsibilities
                .push(responsibility(Of::Zone, &format!("tld{number}"), Role::Registry));
            document.push(profile);
        }
        let file = serde_json::json!({"format": "dnscert-directory-1", "organisations": document}).to_string();
        import(&world.records, Actor::System, Format::Json, file.as_bytes())
            .await
            .unwrap();
        let router = Router::load(&world.records).await.unwrap();
        for number in 0..50_000 {
            let target: Target = format!("generated-{number}.tld{}", number % 110).parse().unwrap();
            let routes = router.route(&target);
            assert_eq!(routes.len(), 1);
            assert_eq!(
                routes[0].organisation.profile.handle,
                format!("registry-{}", number % 110)
            );
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_hijack_the_servers_that_should_be_are_asked_for_and_not_the_attackers() {
    on_each_database(async |world| {
        add(world, "victims-host", &[(Of::Prefix, "192.0.2.0/24", Role::Operator)]).await;
        add(world, "attackers-host", &[(Of::Prefix, "203.0.113.0/24", Role::Operator)]).await;
        let delegation = |server: &str| Delegation { ns: [(server.parse().unwrap(), [].into())].into(), ..Default::default() };
        let zone: Name = "shop.example".parse().unwrap();
        let watch = Watch { expected: Some(delegation("ns1.dns.test")), ..Watch::new(zone) };
        let watched = watch::add(&world.records, Actor::System, &watch).await.unwrap();
        let round = watch::Round {
            time: world.records.now(),
            findings: Vec::new(),
            seen: Some(delegation("ns.evil.test")),
            servers: serde_json::json!([
                {"name": "ns1.dns.test", "address": "192.0.2.53", "reachable": true},
                {"name": "ns.evil.test", "address": "203.0.113.66", "reachable": true},
                {"name": "no address"},
            ]),
            detectors: serde_json::Value::Null,
            untestable: None,
        };
        watch::record_round(&world.records, watched.id, round).await.unwrap();
        assert_eq!(
            routes(world, "shop.example").await,
            "victims-host: operator of the addresses 192.0.2.0/24, among which is 192.0.2.53, a name server of shop.example"
        );
    })
    .await;
}
