//! Silence that is the centre's own: a line that is cut, a machine that stands still, a leader that can work no more.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use csirt::watch::ZoneState;
use csirt::{Records, alerts, lead};
use lab::{Change, Event, Fault, FaultRule, Lab, World};
use model::SystemClock;
use testkit::database;

use crate::centre::Centre;
use crate::kill::until;
use crate::resilience::{healthz, measured_anew, pocket, silence, watch};

/// Cuts every server off, as a line that carries nothing does.
fn cut(lab: &Lab, world: &World) {
    for server in &world.servers {
        let (server, rule) = (server.name.to_string(), FaultRule::of(Fault::Silent));
        let change = Change::AddFault { server, rule };
        lab.apply(&Event::new(change).named("cut")).unwrap();
    }
}

async fn records_of(centre: &Centre) -> Records {
    let url = format!("sqlite://{}", centre.home().join("data/records.sqlite").display());
    Records::open(&url, Arc::new(SystemClock)).await.unwrap()
}

async fn keys(records: &Records) -> Vec<String> {
    let found = alerts::queue(records, &alerts::Filter::default()).await.unwrap();
    found.into_iter().map(|alert| alert.key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_is_said_and_is_nobodys_outage() {
    let (lab, world) = (pocket().await, World::shipped("pocket").unwrap());
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    let zones = ["good.test", "plain.test", "shop.example", "test", "example"];
    for zone in zones {
        watch(&centre, zone, "5");
    }
    tokio::task::block_in_place(|| centre.start());
    let records = records_of(&centre).await;
    for zone in zones {
        until("a first round", async || measured_once(&records, zone).await).await;
    }

    // rounds are under way when the line breaks: some have heard the parent and not the zone
    for _ in 0..3 {
        cut(&lab, &world);
        tokio::time::sleep(Duration::from_millis(6_300)).await;
        lab.apply(&Event::repair("cut")).unwrap();
        until("rounds that could test", async || {
            let states = csirt::watch::states(&records).await.unwrap();
            let is_tested = |state: &ZoneState| state.round.untestable.is_none();
            let mut states = states.iter().map(|(_, state)| state.as_ref());
            states.all(|state| state.is_some_and(is_tested)).then_some(())
        })
        .await;
    }
    cut(&lab, &world);
    until("the centre's saying that its line is cut", async || {
        let reply = healthz(&centre).await?;
        (reply.status == 503 && reply.body.contains("line-silent")).then_some(())
    })
    .await;
    lab.apply(&Event::repair("cut")).unwrap();
    until("all being well", async || {
        (healthz(&centre).await?.body == "ok\n").then_some(())
    })
    .await;
    assert_eq!(keys(&records).await, Vec::<String>::new());

    // with a line that carries, silence is an outage
    for server in ["ns1.good.test", "ns2.good.test"] {
        silence(&lab, server);
    }
    // of the zone by itself, or of the outage of all three that share the servers
    until("the alert", async || {
        let found = alerts::queue(&records, &alerts::Filter::default()).await.unwrap();
        let is_about = |zone: &str| found.iter().any(|alert| alert.zones.contains(&zone.parse().unwrap()));
        is_about("plain.test").then_some(())
    })
    .await;
    tokio::task::block_in_place(|| assert!(centre.stop(), "{}", centre.log()));
}

async fn measured_once(records: &Records, zone: &str) -> Option<()> {
    let watched = csirt::watch::by_zone(records, &zone.parse().unwrap()).await.unwrap()?;
    csirt::watch::state(records, watched.id).await.unwrap().map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_stands_still_again_and_again_raises_no_alert() {
    let lab = pocket().await;
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    watch(&centre, "plain.test", "5");
    tokio::task::block_in_place(|| centre.start());
    let records = records_of(&centre).await;
    until("a first round", async || measured_once(&records, "plain.test").await).await;
    for _ in 0..4 {
        centre.signal("STOP");
        tokio::time::sleep(Duration::from_millis(3_000)).await;
        centre.signal("CONT");
        tokio::time::sleep(Duration::from_millis(2_200)).await;
    }
    until("the centre's saying that its machine stood still", async || {
        healthz(&centre).await?.body.contains("machine-slow").then_some(())
    })
    .await;
    measured_anew("a round afterwards", &records, "plain.test").await;
    assert_eq!(keys(&records).await, Vec::<String>::new());
    tokio::task::block_in_place(|| assert!(centre.stop(), "{}", centre.log()));
}

/// Takes the folder of the observations from a centre, or gives it back.
fn block(lake: &Path, is_blocked: bool) {
    let trial = lake.join("trial");
    if is_blocked {
        // the centre's own trial may lie there for a moment
        while std::fs::create_dir(&trial).is_err() {
            let _ = std::fs::remove_file(&trial);
        }
    } else {
        std::fs::remove_dir(&trial).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_can_keep_no_observations_gives_way_to_one_that_can() {
    let Some(database) = database::postgres().unwrap() else {
        return;
    };
    let lab = pocket().await;
    let mut one = Centre::set_up(&lab.hints(), lab.port(), "");
    let mut two = Centre::set_up(&lab.hints(), lab.port(), "");
    one.move_to(&database.url);
    two.move_to(&database.url);
    watch(&one, "plain.test", "5");
    let records = Records::open(&database.url, Arc::new(SystemClock)).await.unwrap();
    let leader = async || lead::look(&records).await.unwrap();
    tokio::task::block_in_place(|| one.start());
    until("the first centre's lead", async || {
        (leader().await.term == 1).then_some(())
    })
    .await;

    // alone it goes on as well as it can
    block(&one.home().join("data/lake"), true);
    until("the first centre's saying so", async || {
        let said = healthz(&one).await?.body;
        said.contains("observations-unwritable").then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(leader().await.term, 1, "there is nobody to give way to");
    measured_anew("a round all the same", &records, "plain.test").await;

    tokio::task::block_in_place(|| two.start());
    until("the second centre's lead", async || {
        (leader().await.term == 2).then_some(())
    })
    .await;
    measured_anew("a round by the second centre", &records, "plain.test").await;
    block(&one.home().join("data/lake"), false);
    until("the first centre's standing by, with nothing else to say", async || {
        let said = healthz(&one).await?.body;
        (said.contains("standing-by") && !said.contains("unwritable")).then_some(())
    })
    .await;
    assert_eq!(leader().await.term, 2, "the lead stays where it is well");
    tokio::task::block_in_place(|| {
        assert!(one.stop(), "{}", one.log());
        assert!(two.stop(), "{}", two.log());
    });
}
