//! What a centre meets in its life: a second centre beside it, a full disk, servers that are silent by the dozen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use csirt::{Records, alerts, lead, watch};
use jiff::Timestamp;
use lab::{Change, Event, Fault, FaultRule, Lab, World};
use model::SystemClock;
use testkit::database;
use testkit::program::leave_out;

use crate::centre::{Centre, mails, stderr, stdout};
use crate::kill::{Officer, import_directory, link, until};
use crate::portal::{Portal, Reply, hidden_fields};

/// The smallest world, served.
pub async fn pocket() -> Lab {
    Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap()
}

/// Lets a server answer no more.
pub fn silence(lab: &Lab, server: &str) {
    let rule = FaultRule::of(Fault::Silent);
    let server = server.to_owned();
    lab.apply(&Event::new(Change::AddFault { server, rule })).unwrap();
}

/// Puts a zone on the watch list.
pub fn watch(centre: &Centre, zone: &str, interval: &str) {
    let added = centre.run(&["watch", "add", zone, "--interval", interval]);
    assert!(added.status.success(), "{}", stderr(&added));
}

/// What the centre says of its own health.
pub async fn healthz(centre: &Centre) -> Option<Reply> {
    Portal::new(centre.address).get("/healthz").await.ok()
}

/// When the zone was measured last, in the records.
async fn measured(records: &Records, zone: &str) -> Option<Timestamp> {
    let watched = watch::by_zone(records, &zone.parse().unwrap()).await.unwrap()?;
    let state = watch::state(records, watched.id).await.unwrap()?;
    Some(state.round.time)
}

/// Waits until the zone is measured again.
pub async fn measured_anew(what: &str, records: &Records, zone: &str) {
    let before = measured(records, zone).await;
    until(what, async || (measured(records, zone).await > before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_centres_on_one_database_one_works_and_the_other_takes_over() {
    let Some(database) = database::postgres().unwrap() else {
        return;
    };
    let lab = pocket().await;
    let mut one = Centre::set_up(&lab.hints(), lab.port(), "");
    let mut two = Centre::set_up(&lab.hints(), lab.port(), "");
    one.move_to(&database.url);
    two.move_to(&database.url);
    import_directory(&one);
    watch(&one, "plain.test", "5");
    let records = Records::open(&database.url, Arc::new(SystemClock)).await.unwrap();
    let leader = async || lead::look(&records).await.unwrap();

    tokio::task::block_in_place(|| one.start());
    until("the first centre's lead", async || {
        (leader().await.term == 1).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| two.start());
    until("the second centre's standing by", async || {
        let said = healthz(&two).await?.body;
        said.contains("standing-by since").then_some(())
    })
    .await;
    assert_eq!(healthz(&one).await.unwrap().body, "ok\n");

    // a fault is one alert, and its notice, asked for at the one that stands by, is sent once
    for server in ["ns1.good.test", "ns2.good.test"] {
        silence(&lab, server);
    }
    let officer = Officer {
        portal: Portal::new(two.address),
        admin: one.admin.clone(),
    };
    let alert = until("the alert", || officer.alert_about("plain.test")).await;
    let case = until("the case", || officer.case_with(&alert)).await;
    let request = until("the request", || officer.request_in(&case)).await;
    let outbox = one.outbox();
    until("the notice", || officer.sent(&request, &outbox)).await;

    // the leader stops in the middle of things; it wakes when another one leads
    one.signal("STOP");
    until("the second centre's lead", async || {
        (leader().await.term == 2).then_some(())
    })
    .await;
    measured_anew("a round by the second centre", &records, "plain.test").await;
    one.signal("CONT");
    until("the first centre's standing by", async || {
        let said = healthz(&one).await?.body;
        said.contains("standing-by since").then_some(())
    })
    .await;
    assert_eq!(leader().await.term, 2, "it does not take the lead back");

    // and one that is killed is followed as well
    tokio::task::block_in_place(|| two.kill());
    until("the first centre's second lead", async || {
        (leader().await.term == 3).then_some(())
    })
    .await;
    measured_anew("a round by the first centre", &records, "plain.test").await;

    let found = alerts::queue(&records, &alerts::Filter::default()).await.unwrap();
    let about: Vec<&str> = found.iter().map(|alert| alert.key.as_str()).collect();
    let distinct: BTreeSet<&&str> = about.iter().collect();
    assert_eq!(
        about.len(),
        distinct.len(),
        "a matter stands twice in the queue: {about:?}"
    );
    let sent = [one.outbox(), two.outbox()].map(|outbox| mails(&outbox));
    let asks = sent.iter().flatten().filter(|raw| link(raw).is_some()).count();
    assert_eq!(asks, 1, "one request makes one notice");
    tokio::task::block_in_place(|| {
        let audit = one.run(&["audit"]);
        assert!(audit.status.success(), "{}{}", stdout(&audit), stderr(&audit));
        assert!(one.stop(), "{}", one.log());
    });
    assert_eq!(leader().await.holder, "", "one that ends in order gives the lead up");
}

/// A form of a report that somebody has filled in.
async fn written(centre: &Centre, what: &str) -> (Portal, BTreeMap<String, String>) {
    let portal = Portal::new(centre.address);
    let mut form = hidden_fields(&portal.get("/report").await.unwrap().body);
    // the form takes what comes faster than people write for spam
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    form.insert("what".to_owned(), what.to_owned());
    (portal, form)
}

/// Sends the form of a report, and says what came back.
async fn report(centre: &Centre, what: &str) -> Reply {
    let (portal, form) = written(centre, what).await;
    portal.post("/report", &form).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_nothing_that_was_thanked_for_is_lost() {
    let may_mount = std::process::Command::new("unshare").args(["--mount", "true"]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        leave_out("no file system can be mounted for a test alone").unwrap();
        return;
    }
    let lab = pocket().await;
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    watch(&centre, "plain.test", "5");
    tokio::task::block_in_place(|| centre.start_in_room(24));
    // the file system is seen from within the centre's process alone
    let within = PathBuf::from(format!("/proc/{}/root", centre.process()));
    let data = within.join(centre.home().join("data").strip_prefix("/").unwrap());
    let filler = data.join("filler");

    let thanked = report(&centre, "The name server of before.example does not answer.").await;
    assert_eq!(thanked.status, 303, "{}", thanked.body);

    fill(&filler);
    let hindered = until("the condition in /healthz", async || {
        fill(&filler);
        let said = healthz(&centre).await?;
        (said.status == 503).then_some(said.body)
    })
    .await;
    assert!(hindered.contains("unwritable since"), "{hindered}");
    let what = "The name server of meanwhile.example does not answer.";
    let (portal, form) = written(&centre, what).await;
    let refused = until("a report that finds no room", async || {
        fill(&filler);
        let reply = portal.post("/report", &form).await.ok()?;
        (reply.status != 303).then_some(reply)
    })
    .await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(
        refused.body.contains("We could not store your report"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains(what), "what was typed is still there");

    std::fs::remove_file(&filler).unwrap();
    until("the end of the condition", async || {
        (healthz(&centre).await?.body == "ok\n").then_some(())
    })
    .await;
    let thanked = report(&centre, "The name server of after.example does not answer.").await;
    assert_eq!(thanked.status, 303, "{}", thanked.body);

    let officer = Officer {
        portal: Portal::new(centre.address),
        admin: centre.admin.clone(),
    };
    for zone in ["before.example", "after.example"] {
        until("the alert of a report", || officer.alert_about(zone)).await;
    }
    // rounds go on by themselves; one is shown once its samples are kept
    let since = Timestamp::now();
    until("another round", async || {
        let page = officer.page("/zones/plain.test").await?;
        let times = page.split("datetime=\"").skip(1);
        let mut times = times.filter_map(|rest| rest.split('"').next()?.parse::<Timestamp>().ok());
        times.any(|time| time > since).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| assert!(centre.stop(), "{}", centre.log()));
}

/// Fills what room is left.
fn fill(path: &std::path::Path) {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    for octets in [1 << 20, 1 << 12, 1 << 6, 1] {
        while file.write_all(&vec![b'.'; octets]).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zones_whose_servers_answer_keep_their_interval_while_half_of_the_servers_are_silent() {
    const INTERVAL: Duration = Duration::from_secs(5);
    const ROUNDS: u32 = 6;
    /// Of the interval: room for a machine that runs other tests as well. A zone that waited for silent servers would need
    /// their timeouts besides, a multiple of the interval.
    const SLACK: f64 = 1.5;
    let world = World::shipped("atlas").unwrap();
    let is_leaf = |server: &&lab::Server| server.zones.iter().all(|zone| zone.contains('.') && zone != ".");
    let leaves: Vec<lab::Server> = world.servers.iter().filter(is_leaf).cloned().collect();
    // servers of the same zones are silent together: else hardly a zone would have all of its servers
    let groups: BTreeMap<Vec<String>, Vec<lab::Server>> =
        leaves.into_iter().fold(BTreeMap::new(), |mut groups, server| {
            groups.entry(server.zones.clone()).or_insert_with(Vec::new).push(server);
            groups
        });
    let (silent, answering): (Vec<_>, Vec<_>) = groups.values().enumerate().partition(|(place, _)| place % 2 == 0);
    let servers_of = |groups: Vec<(usize, &Vec<lab::Server>)>| -> Vec<lab::Server> {
        groups.into_iter().flat_map(|(_, servers)| servers.clone()).collect()
    };
    let (silent, answering) = (servers_of(silent), servers_of(answering));
    let zones_of = |servers: &[lab::Server]| -> BTreeSet<String> {
        servers.iter().flat_map(|server| server.zones.clone()).collect()
    };
    let hit = zones_of(&silent);
    let spared: BTreeSet<String> = zones_of(&answering).difference(&hit).cloned().collect();
    println!(
        "{} servers silent, {} zones spared, {} hit",
        silent.len(),
        spared.len(),
        hit.len()
    );
    assert!(silent.len() >= 10 && spared.len() >= 10);

    let lab = Lab::start(world.clone(), 0, Timestamp::now()).await.unwrap();
    for server in &silent {
        silence(&lab, &server.name.to_string());
    }
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    let url = format!("sqlite://{}", centre.home().join("data/records.sqlite").display());
    let records = Records::open(&url, Arc::new(SystemClock)).await.unwrap();
    for zone in hit.union(&spared) {
        let watch = watch::Watch {
            interval_secs: u32::try_from(INTERVAL.as_secs()).unwrap(),
            ..watch::Watch::new(zone.parse().unwrap())
        };
        watch::add(&records, csirt::Actor::System, &watch).await.unwrap();
    }
    tokio::task::block_in_place(|| centre.start());

    // the first rounds ask the whole catalogue; from then on the beginnings of rounds are counted
    let settled = async || {
        let states = watch::states(&records).await.unwrap();
        states.iter().all(|(_, state)| state.is_some()).then_some(())
    };
    until("a first round of every zone", settled).await;
    let mut rounds: BTreeMap<String, BTreeSet<Timestamp>> = BTreeMap::new();
    let end = tokio::time::Instant::now() + INTERVAL * ROUNDS;
    while tokio::time::Instant::now() < end {
        for (watched, state) in watch::states(&records).await.unwrap() {
            let times = rounds.entry(watched.watch.zone.to_string()).or_default();
            times.extend(state.map(|state| state.round.time));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let wanted = INTERVAL.as_secs_f64();
    for zone in &spared {
        let times: Vec<Timestamp> = rounds[zone].iter().copied().collect();
        let (first, last) = (times[0], times[times.len() - 1]);
        let mean = last.duration_since(first).as_secs_f64() / f64::from(u32::try_from(times.len() - 1).unwrap());
        assert!(
            times.len() > 2 && mean <= wanted * SLACK,
            "{zone}: {} rounds, one each {mean:.2} s instead of {wanted} s",
            times.len()
        );
    }
    tokio::task::block_in_place(|| assert!(centre.stop(), "{}", centre.log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_of_observations_delays_no_alert() {
    let may_mount = std::process::Command::new("unshare").args(["--mount", "true"]).status();
    if !may_mount.is_ok_and(|status| status.success()) {
        leave_out("no file system can be mounted for a test alone").unwrap();
        return;
    }
    let Some(database) = database::postgres().unwrap() else {
        return;
    };
    let lab = pocket().await;
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    centre.move_to(&database.url);
    watch(&centre, "plain.test", "5");
    let records = Records::open(&database.url, Arc::new(SystemClock)).await.unwrap();
    tokio::task::block_in_place(|| centre.start_in_room(24));
    until("a first round", async || measured(&records, "plain.test").await).await;
    let within = PathBuf::from(format!("/proc/{}/root", centre.process()));
    let filler = within.join(centre.home().join("data/filler").strip_prefix("/").unwrap());
    until("the condition in /healthz", async || {
        fill(&filler);
        let said = healthz(&centre).await?.body;
        said.contains("observations-unwritable since").then_some(())
    })
    .await;
    for server in ["ns1.good.test", "ns2.good.test"] {
        silence(&lab, server);
    }
    until("the alert", async || {
        fill(&filler);
        let found = alerts::queue(&records, &alerts::Filter::default()).await.unwrap();
        found.into_iter().find(|alert| alert.kind == "zone-unreachable")
    })
    .await;
    tokio::task::block_in_place(|| centre.kill());
}
