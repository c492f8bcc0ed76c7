use std::time::Duration;

use csirt::Actor;
use csirt::jobs::{Job, Queue, claim_due, complete, next_due, queue, retry};
use jiff::SignedDuration;
use model::Id;

use crate::{World, on_each_database, time};

const LEASE: Duration = Duration::from_secs(60);

fn job(number: u128) -> Job {
    Job::DeliverNotice {
        notice: Id::from(uuid::Uuid::from_u128(number)),
    }
}

async fn enqueue(world: &World, job: Job) {
    let mut change = world.records.begin(Actor::System).await.unwrap();
    change.enqueue(job);
    change.commit().await.unwrap();
}

#[tokio::test]
async fn a_job_is_claimed_done_and_gone() {
    on_each_database(async |world| {
        assert_eq!(next_due(&world.records, None).await.unwrap(), None);
        enqueue(world, job(1)).await;
        assert_eq!(
            next_due(&world.records, None).await.unwrap(),
            Some(time("2026-07-01T09:00:00Z"))
        );
        let claimed = claim_due(&world.records, None, LEASE, 10).await.unwrap();
        assert_eq!((claimed.len(), &claimed[0].job, claimed[0].attempt), (1, &job(1), 1));
        assert!(
            claim_due(&world.records, None, LEASE, 10).await.unwrap().is_empty(),
            "it is under work"
        );
        assert_eq!(
            queue(&world.records).await.unwrap(),
            Queue {
                waiting: 0,
                running: 1,
                failed_before: 0
            }
        );
        complete(&world.records, &claimed[0]).await.unwrap();
        assert_eq!(queue(&world.records).await.unwrap(), Queue::default());
    })
    .await;
}

#[tokio::test]
async fn the_same_job_waits_only_once_and_takes_the_earlier_time() {
    on_each_database(async |world| {
        let mut change = world.records.begin(Actor::System).await.unwrap();
        change.enqueue_at(job(1), time("2026-07-01T10:00:00Z"));
        change.enqueue_at(job(1), time("2026-07-01T09:30:00Z"));
        change.enqueue_at(job(1), time("2026-07-01T11:00:00Z"));
        change.commit().await.unwrap();
        assert_eq!(
            next_due(&world.records, None).await.unwrap(),
            Some(time("2026-07-01T09:30:00Z"))
        );
        assert_eq!(queue(&world.records).await.unwrap().waiting, 1);
        assert!(
            claim_due(&world.records, None, LEASE, 10).await.unwrap().is_empty(),
            "it is not yet due"
        );
    })
    .await;
}

#[tokio::test]
async fn a_job_asked_for_while_it_runs_is_done_again_but_never_twice_at_once() {
    on_each_database(async |world| {
        enqueue(world, job(1)).await;
        let first = claim_due(&world.records, None, LEASE, 10).await.unwrap().remove(0);
        enqueue(world, job(1)).await;
        assert!(claim_due(&world.records, None, LEASE, 10).await.unwrap().is_empty());
        complete(&world.records, &first).await.unwrap();
        assert_eq!(claim_due(&world.records, None, LEASE, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_dead_runner_loses_its_claim_and_cannot_end_the_new_one() {
    on_each_database(async |world| {
        enqueue(world, job(1)).await;
        let dead = claim_due(&world.records, None, LEASE, 10).await.unwrap().remove(0);
        assert_eq!(
            next_due(&world.records, None).await.unwrap(),
            Some(time("2026-07-01T09:01:00Z"))
        );
        world.wait_secs(60);
        let alive = claim_due(&world.records, None, LEASE, 10).await.unwrap().remove(0);
        assert_eq!(alive.attempt, 2);
        complete(&world.records, &dead).await.unwrap();
        retry(&world.records, &dead, time("2026-07-01T09:00:00Z"), "late")
            .await
            .unwrap();
        assert_eq!(
            queue(&world.records).await.unwrap().running,
            1,
            "the claim of the living one stands"
        );
        complete(&world.records, &alive).await.unwrap();
        assert_eq!(queue(&world.records).await.unwrap(), Queue::default());
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_comes_back_at_its_time() {
    on_each_database(async |world| {
        enqueue(world, job(1)).await;
        let claimed = claim_due(&world.records, None, LEASE, 10).await.unwrap().remove(0);
        retry(&world.records, &claimed, time("2026-07-01T09:05:00Z"), "relay down")
            .await
            .unwrap();
        assert_eq!(
            queue(&world.records).await.unwrap(),
            Queue {
                waiting: 1,
                running: 0,
                failed_before: 1
            }
        );
        world.clock.advance(SignedDuration::from_mins(5));
        assert_eq!(
            claim_due(&world.records, None, LEASE, 10)
                .await
                .unwrap()
                .remove(0)
                .attempt,
            2
        );
    })
    .await;
}

#[tokio::test]
async fn a_failed_job_that_was_asked_for_anew_stands_once_in_the_queue() {
    on_each_database(async |world| {
        enqueue(world, job(1)).await;
        let claimed = claim_due(&world.records, None, LEASE, 10).await.unwrap().remove(0);
        enqueue(world, job(1)).await;
        retry(&world.records, &claimed, time("2026-07-01T09:05:00Z"), "relay down")
            .await
            .unwrap();
        assert_eq!(queue(&world.records).await.unwrap().waiting, 1);
        assert_eq!(claim_due(&world.records, None, LEASE, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn eight_runners_share_the_queue_and_no_job_goes_to_two() {
    on_each_database(async |world| {
        let mut change = world.records.begin(Actor::System).await.unwrap();
        (0..40).for_each(|number| change.enqueue(job(number)));
        change.commit().await.unwrap();
        let runners = (0..8).map(|_| {
            let records = world.records.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                loop {
                    let claimed = claim_due(&records, None, LEASE, 3).await.unwrap();
                    if claimed.is_empty() {
                        return done;
                    }
                    for claim in claimed {
                        complete(&records, &claim).await.unwrap();
                        done.push(claim.job);
                    }
                }
            })
        });
        let mut done = Vec::new();
        for runner in runners.collect::<Vec<_>>() {
            done.extend(runner.await.unwrap());
        }
        assert_eq!(done.len(), 40);
        done.sort_by_key(|job| format!("{job:?}"));
        done.dedup();
        assert_eq!(done.len(), 40);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_went_back_holds_no_job_up() {
    on_each_database(async |world| {
        let mut change = world.records.begin(Actor::System).await.unwrap();
        change.enqueue(job(1));
        change.enqueue_at(job(2), change.now() + SignedDuration::from_hours(1));
        change.commit().await.unwrap();
        world.wait_secs(-3 * 3600);
        let claimed = claim_due(&world.records, None, LEASE, 10).await.unwrap();
        let jobs: Vec<&Job> = claimed.iter().map(|claimed| &claimed.job).collect();
        assert_eq!(jobs, [&job(1)], "what is to wait an hour waits");
    })
    .await;
}
