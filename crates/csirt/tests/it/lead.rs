use std::sync::Arc;
use std::time::Duration;

use csirt::lead::{self, Fence};
use csirt::{Actor, Error, Records};
use model::SystemClock;

use crate::on_each_database;

#[tokio::test]
async fn the_lead_goes_to_one_of_those_who_saw_it_free() {
    on_each_database(async |world| {
        let records = &world.records;
        let seen = lead::look(records).await.unwrap();
        assert_eq!((seen.holder.as_str(), seen.term), ("", 0));
        assert_eq!(lead::take(records, "one", &seen).await.unwrap(), Some(1));
        assert_eq!(lead::take(records, "two", &seen).await.unwrap(), None, "it was faster");
        assert_eq!(lead::look(records).await.unwrap().holder, "one");
    })
    .await;
}

#[tokio::test]
async fn a_beat_in_between_keeps_the_lead_from_those_who_waited() {
    on_each_database(async |world| {
        let records = &world.records;
        let term = lead::take(records, "one", &lead::look(records).await.unwrap())
            .await
            .unwrap()
            .unwrap();
        let seen = lead::look(records).await.unwrap();
        assert!(lead::beat(records, term).await.unwrap());
        assert_eq!(lead::take(records, "two", &seen).await.unwrap(), None);
        let silent = lead::look(records).await.unwrap();
        assert_eq!(lead::take(records, "two", &silent).await.unwrap(), Some(term + 1));
        assert!(
            !lead::beat(records, term).await.unwrap(),
            "it learns that it has lost it"
        );
        lead::give_up(records, term).await.unwrap();
        assert_eq!(
            lead::look(records).await.unwrap().holder,
            "two",
            "it has nothing to give up"
        );
        lead::give_up(records, term + 1).await.unwrap();
        assert_eq!(lead::look(records).await.unwrap().holder, "");
    })
    .await;
}

#[tokio::test]
async fn the_leader_sees_whether_anybody_stands_by() {
    on_each_database(async |world| {
        let records = &world.records;
        let before = lead::standby_beat(records).await.unwrap();
        let seen = lead::look(records).await.unwrap();
        lead::stand_by(records).await.unwrap();
        assert_eq!(lead::standby_beat(records).await.unwrap(), before + 1);
        assert_eq!(
            lead::look(records).await.unwrap(),
            seen,
            "it says nothing of the leader's own life"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_leader_of_an_earlier_term_does_is_refused() {
    on_each_database(async |world| {
        let fence = Fence::default();
        let work = world.records.fenced(fence.clone());
        let refused = async || matches!(work.begin(Actor::System).await, Err(Error::Superseded { .. }));
        assert!(refused().await, "nobody leads yet");
        let seen = lead::look(&world.records).await.unwrap();
        fence.open(lead::take(&world.records, "one", &seen).await.unwrap().unwrap());
        assert!(!refused().await);
        let seen = lead::look(&world.records).await.unwrap();
        lead::take(&world.records, "two", &seen).await.unwrap().unwrap();
        assert!(refused().await, "it slept meanwhile");
        assert!(
            world.records.begin(Actor::Public).await.is_ok(),
            "pages and forms go on"
        );
    })
    .await;
}

#[tokio::test]
async fn a_leader_that_sleeps_in_the_middle_of_a_change_keeps_nobody_from_the_lead() {
    let Some(database) = testkit::database::postgres().unwrap() else {
        return;
    };
    let open = async || Records::open(&database.url, Arc::new(SystemClock)).await.unwrap();
    let (sleeper, other) = (open().await, open().await);
    let seen = lead::look(&sleeper).await.unwrap();
    lead::take(&sleeper, "sleeper", &seen).await.unwrap().unwrap();
    let change = sleeper.begin(Actor::System).await.unwrap();

    let seen = lead::look(&other).await.unwrap();
    let taking = lead::take(&other, "other", &seen);
    let taken = tokio::time::timeout(Duration::from_secs(60), taking).await;
    assert_eq!(taken.expect("the sleeper's lock is taken from it").unwrap(), Some(2));
    assert!(
        change.commit().await.is_err(),
        "what it had begun is undone, and it learns so"
    );
    assert!(sleeper.begin(Actor::System).await.is_ok(), "awake, it goes on");
}
