use csirt::Actor;
use csirt::audit::{Chain, head, newest, of, verify};
use sea_orm::{ConnectionTrait, Database};

use crate::{World, on_each_database};

async fn note(world: &World, field: &str, old: Option<&str>, new: Option<&str>) {
    let mut change = world.records.begin(Actor::Public).await.unwrap();
    change.audit("case", "DNSCERT-2026-00001", field, old, new);
    change.commit().await.unwrap();
}

/// Behind our back, with the rights of the one who owns the tables.
async fn tamper(world: &World, sql: &str) {
    let db = Database::connect(&world.database.url).await.unwrap();
    let off: &[&str] = match world.database.engine {
        "sqlite" => &["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
        _ => &["DROP TRIGGER audit_append_only ON audit"],
    };
    for statement in off.iter().chain([&sql]) {
        db.execute_unprepared(statement).await.unwrap();
    }
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_row_says_who_changed_what_from_what_to_what() {
    on_each_database(async |world| {
        note(world, "title", None, Some("First")).await;
        world.wait_secs(60);
        note(world, "title", Some("First"), Some("Second")).await;
        note(world, "title", Some("Second"), Some("Second")).await;
        let rows = of(&world.records, "case", "DNSCERT-2026-00001").await.unwrap();
        assert_eq!(rows.len(), 2, "what stays the same is no change");
        assert_eq!(rows[1].time, crate::time("2026-07-01T09:01:00Z"));
        assert_eq!(rows[1].actor, Actor::Public);
        assert_eq!(
            (rows[1].old.as_deref(), rows[1].new.as_deref()),
            (Some("First"), Some("Second"))
        );
        assert_eq!(
            newest(&world.records, Some(2), 10).await.unwrap()[0].new.as_deref(),
            Some("First")
        );
        assert_eq!(head(&world.records).await.unwrap(), (2, rows[1].hash.clone()));
    })
    .await;
}

#[tokio::test]
async fn a_chain_longer_than_one_batch_is_whole() {
    on_each_database(async |world| {
        let mut change = world.records.begin(Actor::System).await.unwrap();
        for number in 0..1201 {
            change.audit("zone", number, "interval", None, Some("60"));
        }
        change.commit().await.unwrap();
        let chain = verify(&world.records).await.unwrap();
        assert!(matches!(chain, Chain::Whole { rows: 1201, .. }), "{chain:?}");
    })
    .await;
}

#[tokio::test]
async fn the_table_refuses_to_change_or_lose_a_row() {
    on_each_database(async |world| {
        note(world, "title", None, Some("First")).await;
        let db = Database::connect(&world.database.url).await.unwrap();
        for sql in ["UPDATE audit SET new = 'Other'", "DELETE FROM audit"] {
            let error = db.execute_unprepared(sql).await.unwrap_err();
            assert!(error.to_string().contains("append-only"), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_first_row_that_was_tampered_with_is_named() {
    for (sql, seq, reason) in [
        (
            "UPDATE audit SET new = 'Other' WHERE seq = 2",
            2,
            "its content does not fit its hash",
        ),
        (
            "UPDATE audit SET actor = 'system' WHERE seq = 3",
            3,
            "its content does not fit its hash",
        ),
        ("DELETE FROM audit WHERE seq = 2", 2, "the row is missing"),
        (
            "UPDATE audit SET hash = 'x' WHERE seq = 1",
            1,
            "its content does not fit its hash",
        ),
        (
            "UPDATE audit SET previous = 'x' WHERE seq = 4",
            4,
            "it does not follow the row before it",
        ),
    ] {
        on_each_database(async |world| {
            for number in 0..4 {
                note(world, "note", None, Some(&number.to_string())).await;
            }
            tamper(world, sql).await;
            let broken = Chain::Broken {
                seq,
                reason: reason.to_owned(),
            };
            assert_eq!(verify(&world.records).await.unwrap(), broken, "{sql}");
        })
        .await;
    }
}
