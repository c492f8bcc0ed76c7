use std::net::IpAddr;
use std::time::Duration;

use csirt::accounts::{
    Account, Capability, Credentials, Lifetime, Limits, NewAccount, PassiveAccess, Profile, Role, Scope, SignIn,
    TotpKey, TotpKeyError, allowance, begin_totp, by_token, check_password, confirm_totp, create, create_token,
    disable, enable, encrypt_totp_anew, get, list, passive_access, remove_totp, revoke_token, session, sessions,
    set_passive_access, set_password, set_role, sign_in, sign_out, sign_out_everywhere, take_look_up, tokens,
    totp_unreadable, update,
};
use csirt::{Actor, Error};
use jiff::SignedDuration;
use model::{Language, Tlp};
use sea_orm::ConnectionTrait as _;
use totp_rs::{Algorithm, TOTP};

use crate::{World, on_each_database};

const PASSWORD: &str = "correct horse battery";

fn new(name: &str, role: Role) -> NewAccount {
    NewAccount {
        name: name.to_owned(),
        display_name: "Ada Lovelace".to_owned(),
        email: "ada@example.test".to_owned(),
        role,
        organisation: None,
        language: Language::English,
        time_zone: "Africa/Lome".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

async fn ada(world: &World) -> Account {
    create(&world.records, Actor::System, new("Ada", Role::Admin))
        .await
        .unwrap()
}

fn credentials<'a>(name: &'a str, password: &'a str, code: Option<&'a str>) -> Credentials<'a> {
    Credentials {
        name,
        password,
        code,
        address: "192.0.2.1".parse().unwrap(),
        agent: "Firefox",
    }
}

async fn try_in(world: &World, name: &str, password: &str, code: Option<&str>) -> Result<SignIn, Error> {
    sign_in(
        &world.records,
        &Limits::default(),
        &Lifetime::default(),
        &key(),
        credentials(name, password, code),
    )
    .await
}

/// The token of a sign-in that must work.
async fn token(world: &World, name: &str, code: Option<&str>) -> String {
    match try_in(world, name, PASSWORD, code).await.unwrap() {
        SignIn::Done { token, .. } => token.reveal().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// What the secrets of second factors are kept under.
fn key() -> TotpKey {
    TotpKey::derive(&[7; 32])
}

fn totp(secret: &str, world: &World) -> String {
    let bits = totp_rs::Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
    let totp = TOTP::new(Algorithm::SHA1, 6, 1, 30, bits, None, String::new()).unwrap();
    totp.generate(u64::try_from(world.records.now().as_second()).unwrap())
}

#[tokio::test]
async fn an_account_is_made_found_and_changed_with_a_trace() {
    on_each_database(async |world| {
        let account = ada(world).await;
        assert_eq!(account.name, "ada");
        assert_eq!(get(&world.records, account.id).await.unwrap(), account);
        let taken = create(&world.records, Actor::System, new(" ADA ", Role::Observer)).await;
        assert!(matches!(taken, Err(Error::Conflict { .. })), "{taken:?}");
        let profile = Profile {
            display_name: "Ada King".to_owned(),
            email: "ada@example.org".to_owned(),
            language: Language::French,
            time_zone: "Europe/Paris".to_owned(),
        };
        let changed = update(&world.records, account.actor(), account.id, profile)
            .await
            .unwrap();
        assert_eq!(
            (changed.display_name.as_str(), changed.language),
            ("Ada King", Language::French)
        );
        let rows = csirt::audit::of(&world.records, "account", account.id).await.unwrap();
        let fields: Vec<&str> = rows.iter().map(|row| row.field.as_str()).collect();
        assert_eq!(
            fields,
            ["name", "role", "display_name", "email", "language", "time_zone"]
        );
        assert_eq!(rows[5].actor, account.actor());
        assert_eq!(list(&world.records).await.unwrap(), [changed]);
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_are_named() {
    on_each_database(async |world| {
        let good = || new("grace", Role::DutyOfficer);
        for (field, wrong) in [
            (
                "name",
                NewAccount {
                    name: "grace hopper".to_owned(),
                    ..good()
                },
            ),
            (
                "password",
                NewAccount {
                    password: "short".to_owned(),
                    ..good()
                },
            ),
            (
                "email",
                NewAccount {
                    email: "nowhere".to_owned(),
                    ..good()
                },
            ),
            (
                "time_zone",
                NewAccount {
                    time_zone: "Lome".to_owned(),
                    ..good()
                },
            ),
            (
                "display_name",
                NewAccount {
                    display_name: " ".to_owned(),
                    ..good()
                },
            ),
            (
                "organisation",
                NewAccount {
                    role: Role::Constituent,
                    ..good()
                },
            ),
        ] {
            match create(&world.records, Actor::System, wrong).await {
                Err(Error::Invalid { field: named, .. }) => assert_eq!(named, field),
                other => panic!("{field}: {other:?}"),
            }
        }
        assert!(list(&world.records).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_right_password_opens_a_session_until_it_is_signed_out() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let token = token(world, "ADA", None).await;
        let found = session(&world.records, &Lifetime::default(), &token)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (found.account.id, found.address.as_str(), found.agent.as_str()),
            (account.id, "192.0.2.1", "Firefox")
        );
        assert!(!found.form_token.contains(&token));
        assert_eq!(
            session(&world.records, &Lifetime::default(), "other").await.unwrap(),
            None
        );
        sign_out(&world.records, &token).await.unwrap();
        sign_out(&world.records, &token).await.unwrap();
        assert_eq!(
            session(&world.records, &Lifetime::default(), &token).await.unwrap(),
            None
        );
    })
    .await;
}

#[tokio::test]
async fn unknown_wrong_and_switched_off_are_the_same_answer() {
    on_each_database(async |world| {
        let account = ada(world).await;
        create(&world.records, Actor::System, new("root", Role::Admin))
            .await
            .unwrap();
        assert_eq!(try_in(world, "nobody", PASSWORD, None).await.unwrap(), SignIn::Refused);
        assert_eq!(
            try_in(world, "ada", "wrong horse battery", None).await.unwrap(),
            SignIn::Refused
        );
        assert_eq!(
            try_in(world, "ada", &"x".repeat(5000), None).await.unwrap(),
            SignIn::Refused
        );
        let token = token(world, "ada", None).await;
        disable(&world.records, Actor::System, account.id).await.unwrap();
        assert_eq!(try_in(world, "ada", PASSWORD, None).await.unwrap(), SignIn::Refused);
        assert_eq!(
            session(&world.records, &Lifetime::default(), &token).await.unwrap(),
            None
        );
        let on = enable(&world.records, Actor::System, account.id).await.unwrap();
        assert!(on.may(Capability::ManageAccounts));
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_idle_or_old_and_all_end_with_the_password() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let lifetime = Lifetime {
            idle: Duration::from_secs(600),
            absolute: Duration::from_secs(1500),
        };
        let alive = async |token: &str| session(&world.records, &lifetime, token).await.unwrap().is_some();
        let first = token(world, "ada", None).await;
        for _ in 0..2 {
            world.wait_secs(599);
            assert!(alive(&first).await, "use keeps it");
        }
        world.wait_secs(302);
        assert!(!alive(&first).await, "too old");
        let second = token(world, "ada", None).await;
        world.wait_secs(600);
        assert!(!alive(&second).await, "idle");
        let third = token(world, "ada", None).await;
        let fourth = token(world, "ada", None).await;
        assert_eq!(sessions(&world.records, &lifetime, account.id).await.unwrap().len(), 2);
        set_password(&world.records, account.actor(), account.id, "another horse battery")
            .await
            .unwrap();
        assert!(!alive(&third).await && !alive(&fourth).await);
        assert!(
            check_password(&world.records, account.id, "another horse battery")
                .await
                .unwrap()
        );
        assert!(!check_password(&world.records, account.id, PASSWORD).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let tokens = [token(world, "ada", None).await, token(world, "ada", None).await];
        sign_out_everywhere(&world.records, account.actor(), account.id)
            .await
            .unwrap();
        for token in &tokens {
            assert_eq!(
                session(&world.records, &Lifetime::default(), token).await.unwrap(),
                None
            );
        }
    })
    .await;
}

#[tokio::test]
async fn five_failures_close_the_door_for_that_network_until_the_window_is_over() {
    on_each_database(async |world| {
        ada(world).await;
        for _ in 0..5 {
            assert_eq!(
                try_in(world, "ada", "wrong horse battery", None).await.unwrap(),
                SignIn::Refused
            );
            world.wait_secs(10);
        }
        let error = try_in(world, "ada", PASSWORD, None).await.unwrap_err();
        assert!(matches!(error, Error::TooMany { wait_secs: 850 }), "{error:?}");
        let elsewhere: IpAddr = "198.51.100.7".parse().unwrap();
        let other = Credentials {
            address: elsewhere,
            ..credentials("ada", PASSWORD, None)
        };
        let other = sign_in(&world.records, &Limits::default(), &Lifetime::default(), &key(), other)
            .await
            .unwrap();
        assert!(
            matches!(other, SignIn::Done { .. }),
            "nobody can lock ada out from afar"
        );
        world.wait_secs(850);
        token(world, "ada", None).await;
    })
    .await;
}

#[tokio::test]
async fn guessing_at_many_names_or_from_many_networks_is_limited_too() {
    on_each_database(async |world| {
        let limits = Limits {
            pair: 2,
            network: 3,
            account: 4,
            window: Duration::from_secs(900),
        };
        let attempt = async |name: &str, address: &str| {
            let wrong = Credentials {
                address: address.parse().unwrap(),
                ..credentials(name, "wrong", None)
            };
            sign_in(&world.records, &limits, &Lifetime::default(), &key(), wrong).await
        };
        for name in ["a", "b", "c"] {
            assert!(attempt(name, "2001:db8::1").await.is_ok());
        }
        assert!(attempt("d", "2001:db8::2").await.is_err(), "the same /64");
        for last in 1..=4 {
            assert!(attempt("zoe", &format!("192.0.2.{last}")).await.is_ok());
        }
        assert!(attempt("zoe", "192.0.2.5").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_second_factor_is_asked_for_once_confirmed_and_its_code_works_once() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let enrolment = begin_totp(&world.records, &key(), "dnscert: test", account.id)
            .await
            .unwrap();
        let secret = enrolment.secret.reveal();
        assert!(
            enrolment.url.reveal().starts_with("otpauth://totp/"),
            "{}",
            enrolment.url.reveal()
        );
        token(world, "ada", None).await;
        assert!(confirm_totp(&world.records, &key(), account.id, "abc").await.is_err());
        let recovery = confirm_totp(&world.records, &key(), account.id, &totp(secret, world))
            .await
            .unwrap();
        assert_eq!(recovery.len(), 10);
        assert!(get(&world.records, account.id).await.unwrap().totp);

        assert_eq!(try_in(world, "ada", PASSWORD, None).await.unwrap(), SignIn::CodeNeeded);
        let replayed = try_in(world, "ada", PASSWORD, Some(&totp(secret, world)))
            .await
            .unwrap();
        assert_eq!(replayed, SignIn::Refused, "the code that confirmed is used up");
        world.wait_secs(30);
        let code = totp(secret, world);
        token(world, "ada", Some(&code)).await;
        assert_eq!(
            try_in(world, "ada", PASSWORD, Some(&code)).await.unwrap(),
            SignIn::Refused,
            "replay"
        );

        let code = recovery[3].reveal().to_uppercase();
        token(world, "ada", Some(&code)).await;
        assert_eq!(
            try_in(world, "ada", PASSWORD, Some(&code)).await.unwrap(),
            SignIn::Refused,
            "used up"
        );
        assert!(
            begin_totp(&world.records, &key(), "dnscert", account.id).await.is_err(),
            "remove the old one first"
        );
        remove_totp(&world.records, Actor::System, account.id).await.unwrap();
        token(world, "ada", None).await;
    })
    .await;
}

#[tokio::test]
async fn a_quota_of_look_ups_is_used_up_and_begins_anew_at_midnight() {
    on_each_database(async |world| {
        let account = ada(world).await.id;
        let records = &world.records;
        assert_eq!(
            passive_access(records, account).await.unwrap(),
            PassiveAccess::default()
        );
        assert_eq!(allowance(records, account).await.unwrap(), None);
        assert_eq!(take_look_up(records, account).await.unwrap(), Ok(()), "no quota");
        let partner = PassiveAccess {
            tlp: Tlp::Green,
            sources: Some(vec!["sensor-1".to_owned()]),
            quota: Some(2),
        };
        set_passive_access(records, Actor::System, account, &partner)
            .await
            .unwrap();
        assert_eq!(passive_access(records, account).await.unwrap(), partner);
        let left = async || allowance(records, account).await.unwrap().unwrap();
        assert_eq!(
            (left().await.remaining, left().await.resets.to_string()),
            (2, "2026-07-02T00:00:00Z".to_owned())
        );

        let at_once: Vec<_> = (0..5)
            .map(|_| {
                let records = records.clone();
                tokio::spawn(async move { take_look_up(&records, account).await.unwrap().is_ok() })
            })
            .collect();
        let mut granted = 0;
        for taken in at_once {
            granted += u32::from(taken.await.unwrap());
        }
        assert_eq!((granted, left().await.remaining), (2, 0), "never more than there are");
        let more = PassiveAccess {
            quota: Some(3),
            ..partner.clone()
        };
        set_passive_access(records, Actor::System, account, &more)
            .await
            .unwrap();
        assert_eq!(left().await.remaining, 1, "what was used stays used");

        world.clock.advance(SignedDuration::from_hours(15));
        assert_eq!(left().await.remaining, 3);
        assert_eq!(take_look_up(records, account).await.unwrap(), Ok(()));
        assert_eq!(left().await.remaining, 2);

        for wrong in [
            PassiveAccess {
                tlp: Tlp::Red,
                ..partner.clone()
            },
            PassiveAccess {
                sources: Some(vec![]),
                ..partner.clone()
            },
            PassiveAccess {
                sources: Some(vec![" ".to_owned()]),
                ..partner.clone()
            },
        ] {
            let told = set_passive_access(records, Actor::System, account, &wrong).await;
            assert!(matches!(told, Err(Error::Invalid { .. })), "{wrong:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_api_token_acts_for_its_account_until_revoked() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let actor = account.actor();
        let (made, secret) = create_token(&world.records, actor, account.id, "siem", Scope::Read)
            .await
            .unwrap();
        assert!(secret.reveal().starts_with("dnscert_"));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let (whose, scope) = by_token(&world.records, secret.reveal()).await.unwrap().unwrap();
        assert_eq!((whose.id, scope), (account.id, Scope::Read));
        let listed = tokens(&world.records, account.id).await.unwrap();
        assert_eq!(
            (listed[0].label.as_str(), listed[0].used),
            ("siem", Some(world.records.now()))
        );
        assert_eq!(by_token(&world.records, "dnscert_other").await.unwrap(), None);
        revoke_token(&world.records, actor, account.id, made.id).await.unwrap();
        assert_eq!(by_token(&world.records, secret.reveal()).await.unwrap(), None);
        assert!(
            create_token(&world.records, actor, account.id, " ", Scope::Read)
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    on_each_database(async |world| {
        let first = ada(world).await;
        let conflict = disable(&world.records, Actor::System, first.id).await;
        assert!(matches!(conflict, Err(Error::Conflict { .. })));
        let conflict = set_role(&world.records, Actor::System, first.id, Role::Observer, None).await;
        assert!(matches!(conflict, Err(Error::Conflict { .. })));
        create(&world.records, Actor::System, new("grace", Role::Admin))
            .await
            .unwrap();
        let now = set_role(&world.records, Actor::System, first.id, Role::Observer, None)
            .await
            .unwrap();
        assert!(matches!(
            now.require(Capability::WorkCases),
            Err(Error::Forbidden { .. })
        ));
    })
    .await;
}

/// What stands in the table for an account's second factor.
async fn kept_secret(world: &World, account: &Account) -> String {
    let db = sea_orm::Database::connect(&world.database.url).await.unwrap();
    let sql = format!("SELECT totp_secret FROM account WHERE id = '{}'", account.id);
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "totp_secret").unwrap()
}

#[tokio::test]
async fn the_database_alone_makes_no_codes_and_without_the_key_recovery_codes_still_open() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let enrolment = begin_totp(&world.records, &key(), "dnscert", account.id).await.unwrap();
        let secret = enrolment.secret.reveal();
        let kept = kept_secret(world, &account).await;
        assert!(!kept.contains(secret) && kept.starts_with(key().id()), "{kept}");
        let recovery = confirm_totp(&world.records, &key(), account.id, &totp(secret, world))
            .await
            .unwrap();

        // The secret file is lost: another key takes its place.
        let other = TotpKey::derive(&[8; 32]);
        assert_eq!(encrypt_totp_anew(&world.records, &[], &other).await.unwrap(), 0);
        let unreadable = totp_unreadable(&world.records, &other).await.unwrap();
        assert!(
            matches!(&unreadable[..], [(name, TotpKeyError::OtherKey { .. })] if name == "ada"),
            "{unreadable:?}"
        );
        assert!(totp_unreadable(&world.records, &key()).await.unwrap().is_empty());
        world.wait_secs(30);
        let sign = async |key: &TotpKey, code: &str| {
            let (limits, lifetime) = (Limits::default(), Lifetime::default());
            let typed = credentials("ada", PASSWORD, Some(code));
            sign_in(&world.records, &limits, &lifetime, key, typed).await.unwrap()
        };
        assert_eq!(sign(&other, &totp(secret, world)).await, SignIn::Refused);
        assert!(matches!(sign(&other, recovery[0].reveal()).await, SignIn::Done { .. }));
        assert!(
            matches!(sign(&key(), &totp(secret, world)).await, SignIn::Done { .. }),
            "nothing was lost by it"
        );

        // It is replaced in order: the same app goes on.
        assert_eq!(encrypt_totp_anew(&world.records, &[key()], &other).await.unwrap(), 1);
        assert_eq!(encrypt_totp_anew(&world.records, &[key()], &other).await.unwrap(), 0);
        world.wait_secs(30);
        assert!(matches!(sign(&other, &totp(secret, world)).await, SignIn::Done { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_secret_from_before_there_was_a_key_is_encrypted_at_the_next_start() {
    on_each_database(async |world| {
        let account = ada(world).await;
        let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        let db = sea_orm::Database::connect(&world.database.url).await.unwrap();
        let sql = format!(
            "UPDATE account SET totp_secret = '{secret}', totp_confirmed = TRUE WHERE id = '{}'",
            account.id
        );
        db.execute_unprepared(&sql).await.unwrap();
        assert_eq!(
            totp_unreadable(&world.records, &key()).await.unwrap(),
            [("ada".to_owned(), TotpKeyError::Clear)]
        );
        assert_eq!(encrypt_totp_anew(&world.records, &[], &key()).await.unwrap(), 1);
        assert!(!kept_secret(world, &account).await.contains(secret));
        token(world, "ada", Some(&totp(secret, world))).await;
        let rows = csirt::audit::of(&world.records, "account", account.id).await.unwrap();
        let told = rows.iter().find(|row| row.field == "totp_key").unwrap();
        assert_eq!(
            (told.old.as_deref(), told.new.as_deref()),
            (Some("none"), Some(key().id()))
        );
    })
    .await;
}
