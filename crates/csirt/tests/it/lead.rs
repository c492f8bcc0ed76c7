use csirt::lead::{self, Fence};
use csirt::{Actor, Error};

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
