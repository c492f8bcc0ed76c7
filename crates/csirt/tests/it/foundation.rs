use std::sync::Arc;

use csirt::{Actor, Error, Records, Tables};
use model::SystemClock;
use tempfile::TempDir;

use crate::on_each_database;
use testkit::database::databases;

#[tokio::test]
async fn opening_a_second_time_finds_what_is_there() {
    on_each_database(async |world| {
        let mut change = world.records.begin(Actor::System).await.unwrap();
        change.audit("zone", "example.test", "interval", None, Some("60"));
        change.commit().await.unwrap();
        let again = Records::open(&world.database.url, Arc::new(SystemClock)).await.unwrap();
        assert_eq!(csirt::audit::of(&again, "zone", "example.test").await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_look_at_records_makes_nothing_and_says_how_their_tables_stand() {
    for database in databases().unwrap() {
        let look = || Records::look_at(&database.url, Arc::new(SystemClock));
        let steps = match database.engine {
            // there is a database, and nothing in it
            "postgres" => match look().await.unwrap().1 {
                Tables::Behind(steps) => steps,
                tables => panic!("{tables:?}"),
            },
            _ => {
                for _ in 0..2 {
                    assert!(
                        matches!(look().await, Err(Error::Invalid { .. })),
                        "nor did the first make one"
                    );
                }
                1
            }
        };
        assert!(steps > 0);
        let records = Records::open(&database.url, Arc::new(SystemClock)).await.unwrap();
        let mut change = records.begin(Actor::System).await.unwrap();
        change.audit("zone", "example.test", "interval", None, Some("60"));
        change.commit().await.unwrap();
        let (seen, tables) = look().await.unwrap();
        assert_eq!(tables, Tables::Current);
        assert_eq!(csirt::audit::head(&seen).await.unwrap().0, 1);
    }
}

#[tokio::test]
async fn a_change_that_is_dropped_leaves_nothing_and_blocks_nobody() {
    on_each_database(async |world| {
        let mut change = world.records.begin(Actor::System).await.unwrap();
        change.audit("zone", "example.test", "interval", None, Some("60"));
        drop(change);
        world
            .records
            .begin(Actor::System)
            .await
            .unwrap()
            .commit()
            .await
            .unwrap();
        assert_eq!(csirt::audit::head(&world.records).await.unwrap().0, 0);
    })
    .await;
}

#[tokio::test]
async fn eight_writers_at_once_all_get_through() {
    on_each_database(async |world| {
        // The second opening stands for a second process: it shares no lock with the first.
        let other = Records::open(&world.database.url, Arc::new(SystemClock)).await.unwrap();
        let writers = (0..8).map(|writer| {
            let records = if writer % 2 == 0 {
                world.records.clone()
            } else {
                other.clone()
            };
            tokio::spawn(async move {
                for round in 0..25 {
                    let mut change = records.begin(Actor::System).await.unwrap();
                    change.audit("writer", writer, "round", None, Some(&round.to_string()));
                    change.commit().await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let whole = csirt::audit::verify(&world.records).await.unwrap();
        assert!(
            matches!(whole, csirt::audit::Chain::Whole { rows: 200, .. }),
            "{whole:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn eight_processes_that_open_new_records_at_once_all_get_them() {
    // One round seldom meets the moment in which SQLite turns somebody away.
    for _ in 0..12 {
        for database in testkit::database::databases().unwrap() {
            let opening = (0..8).map(|_| {
                let url = database.url.clone();
                tokio::spawn(async move { Records::open(&url, Arc::new(SystemClock)).await.map(drop) })
            });
            for opened in opening.collect::<Vec<_>>() {
                opened.await.unwrap().unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_change_can_read_beside_itself_while_many_wait_for_their_turn() {
    on_each_database(async |world| {
        let writers = (0..40).map(|_| {
            let records = world.records.clone();
            tokio::spawn(async move {
                let change = records.begin(Actor::System).await.unwrap();
                csirt::audit::head(&records).await.unwrap();
                change.commit().await.unwrap();
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_commit_wakes_who_watches_and_a_rollback_does_not() {
    on_each_database(async |world| {
        let mut commits = world.records.commits();
        let enqueued = world.records.enqueued();
        drop(world.records.begin(Actor::Public).await.unwrap());
        assert!(!commits.has_changed().unwrap());
        world
            .records
            .begin(Actor::Public)
            .await
            .unwrap()
            .commit()
            .await
            .unwrap();
        assert!(commits.has_changed().unwrap());
        commits.mark_unchanged();
        assert!(!enqueued.has_changed().unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_wrong_url_is_an_error_and_no_panic() {
    for url in [
        "",
        "mysql://x",
        "sqlite:",
        "sqlite::memory:",
        "postgres://%",
        "nonsense",
        "sqlite://%ff",
    ] {
        let result = Records::open(url, Arc::new(SystemClock)).await;
        assert!(matches!(result, Err(Error::Invalid { .. } | Error::Store(_))), "{url}");
    }
    let folder = TempDir::new().unwrap();
    let missing = format!("sqlite://{}/none/records.sqlite?mode=rwc", folder.path().display());
    let result = Records::open(&missing, Arc::new(SystemClock)).await;
    assert!(matches!(result, Err(Error::Invalid { .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_sqlite_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("records.sqlite");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let _records = Records::open(&url, Arc::new(SystemClock)).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(
            entry.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{:?}",
            entry.file_name()
        );
    }
}

/// Compiles only where pages, which run on any thread, can call it.
fn runs_anywhere<T: Send>(_: T) {}

#[tokio::test]
async fn actions_run_on_any_thread() {
    use csirt::{accounts, directory, jobs, watch};
    on_each_database(async |world| {
        let records = &world.records;
        let id = model::Id::from(uuid::Uuid::nil());
        let credentials = accounts::Credentials {
            name: "ada",
            password: "",
            code: None,
            address: "192.0.2.1".parse().unwrap(),
            agent: "",
        };
        let (limits, lifetime) = (accounts::Limits::default(), accounts::Lifetime::default());
        runs_anywhere(records.begin(Actor::System));
        let key = accounts::TotpKey::derive(&[7; 32]);
        runs_anywhere(accounts::sign_in(records, &limits, &lifetime, &key, credentials));
        runs_anywhere(accounts::set_password(
            records,
            Actor::System,
            id,
            "correct horse battery",
        ));
        runs_anywhere(accounts::begin_totp(
            records,
            &key,
            "dnscert",
            model::Id::from(uuid::Uuid::nil()),
        ));
        runs_anywhere(directory::import(records, Actor::System, directory::Format::Csv, b""));
        runs_anywhere(directory::route(records, &directory::Target::Name(model::Name::root())));
        runs_anywhere(jobs::claim_due(records, None, std::time::Duration::from_secs(1), 1));
        let nothing = std::collections::HashSet::new();
        runs_anywhere(watch::due(records, records.now(), &nothing, 1));
    })
    .await;
}

#[test]
fn actors_read_and_print_the_same() {
    let id = "01890000-0000-7000-8000-000000000001";
    for text in ["system", "public", &format!("account:{id}"), &format!("party:{id}")] {
        assert_eq!(text.parse::<Actor>().unwrap().to_string(), text);
    }
    for text in ["", "root", "account:", "account:x", "party"] {
        assert!(text.parse::<Actor>().is_err(), "{text}");
    }
}
