//! Does what stands in the outbox: delivers notices, measures what requests ask for.
//!
//! Woken by a change that enqueued something and by a timer. Each job may run twice: what it calls looks at the records first.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use csirt::jobs::{self, Claimed, Job, Kind};
use csirt::notices::{self, Delivery};
use csirt::requests;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use measure::Evidence;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::Centre;

/// How long a claim lasts. Shorter than a slow relay's answer, and a second runner would begin the same mail; longer, and a
/// job of a killed centre waits that long for its turn.
const LEASE: Duration = Duration::from_secs(120);

/// Longest sleep between two looks at the queue: how late a job of another machine's change may start.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// Jobs of one kind that run at the same time. More would ask a relay for more lines than most of them give.
const AT_ONCE: usize = 16;

/// First and longest pause before a failed job is tried again.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(900));

/// Does the jobs of one kind until the centre stops. Each kind has a runner of its own: while a relay hangs, the rest is measured.
pub async fn run(centre: Arc<Centre>, kind: Kind, stop: CancellationToken) -> anyhow::Result<()> {
    let mut enqueued = centre.records.enqueued();
    let mut running = JoinSet::new();
    let result = loop {
        if stop.is_cancelled() {
            break Ok(());
        }
        enqueued.mark_unchanged();
        let sleep = match begin_due(&centre, kind, &mut running).await {
            Ok(sleep) => sleep,
            Err(error) => break Err(error),
        };
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            _ = enqueued.changed() => {}
            Some(ended) = running.join_next() => {
                if let Err(error) = done(ended) {
                    break Err(error);
                }
            }
            () = stop.cancelled() => {}
        }
    };
    // what was begun comes to its end; a claim that is dropped would wait for its lease
    let mut result = result;
    while let Some(ended) = running.join_next().await {
        result = result.and(done(ended));
    }
    result
}

/// Begins the jobs that are due, as far as there are places, and says how long to wait before the next look.
async fn begin_due(
    centre: &Arc<Centre>,
    kind: Kind,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Duration> {
    let places = AT_ONCE.saturating_sub(running.len());
    if places == 0 {
        return Ok(LONGEST_SLEEP);
    }
    let limit = u64::try_from(places).unwrap_or(u64::MAX);
    let claimed = jobs::claim_due(&centre.records, Some(kind), LEASE, limit)
        .await
        .context("claiming jobs")?;
    let is_full = claimed.len() == places;
    for claimed in claimed {
        let centre = centre.clone();
        running.spawn(async move { one(&centre, &claimed).await });
    }
    match is_full {
        true => Ok(LONGEST_SLEEP),
        false => until_next(centre, kind).await,
    }
}

/// What became of a job that ended: a failure of the records, or a panic.
fn done(ended: Result<anyhow::Result<()>, JoinError>) -> anyhow::Result<()> {
    ended.context("doing a job")?
}

async fn until_next(centre: &Centre, kind: Kind) -> anyhow::Result<Duration> {
    let now = centre.records.now();
    let next = jobs::next_due(&centre.records, Some(kind))
        .await
        .context("looking for the next job")?;
    let wait = next.map_or(LONGEST_SLEEP, |at| {
        Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
    });
    Ok(wait.clamp(Duration::from_millis(20), LONGEST_SLEEP))
}

/// Does one job and settles its claim. Only a failure of the records themselves is handed up.
async fn one(centre: &Arc<Centre>, claimed: &Claimed) -> anyhow::Result<()> {
    let result = match &claimed.job {
        Job::DeliverNotice { notice } => deliver(centre, *notice).await,
        Job::VerifyRequest { request } => verify(centre, *request).await.map(|()| None),
    };
    let again = match result {
        Ok(None) => {
            return jobs::complete(&centre.records, claimed)
                .await
                .context("completing a job");
        }
        Ok(Some(at)) => (at, "to be tried again".to_owned()),
        Err(error) => {
            tracing::warn!(job = ?claimed.job, attempt = claimed.attempt, "the job failed: {error:#}");
            (
                centre.records.now() + pause_after(claimed.attempt),
                format!("{error:#}"),
            )
        }
    };
    jobs::retry(&centre.records, claimed, again.0, &again.1)
        .await
        .context("putting a job back")
}

fn pause_after(attempt: u32) -> Duration {
    BACK_OFF
        .0
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1).min(16)))
        .min(BACK_OFF.1)
}

/// Hands a notice to its channel; the time at which to try again if the relay asked for patience.
async fn deliver(centre: &Centre, notice: model::Id<notices::Notice>) -> anyhow::Result<Option<Timestamp>> {
    let delivery = notices::deliver(&centre.records, &centre.identity, notice, &centre.mailer)
        .await
        .with_context(|| format!("delivering notice {notice}"))?;
    Ok(match delivery {
        Delivery::RetryAt(at) => Some(at),
        Delivery::Sent | Delivery::Already => None,
        Delivery::Bounced(reason) | Delivery::Failed(reason) => {
            tracing::warn!(%notice, "the notice was not delivered: {reason}");
            None
        }
    })
}

/// Measures what a request asks for and records the verdict with its evidence.
pub async fn verify(centre: &Arc<Centre>, id: model::Id<requests::Request>) -> anyhow::Result<()> {
    let request = requests::get(&centre.records, id)
        .await
        .with_context(|| format!("reading request {id}"))?;
    let inquiry = centre.internet.inquiry_alone();
    let verdict = measure::verify(&inquiry, &request.check, &centre.profile, centre.records.now()).await;
    let samples = inquiry.samples(&centre.config.dns.probe, request.check.zone());
    if let Err(error) = centre.lake.append_samples(&samples).await {
        // The verdict must not wait for the lake.
        tracing::error!("could not keep the samples of a verification: {error}");
    }
    let evidence = evidence_text(&centre.config.dns.probe, &inquiry.evidence());
    requests::record_verdict(&centre.records, id, &verdict, Some(&evidence))
        .await
        .with_context(|| format!("recording the verdict on request {id}"))?;
    notices::queue_thanks(&centre.records, &centre.identity)
        .await
        .context("thanking for a repair")?;
    Ok(())
}

/// The exchanges as people read them: from where, the question, the server, what came of it, the answer.
fn evidence_text(vantage_point: &str, exchanges: &[Evidence]) -> String {
    let mut text = format!("seen from the vantage point {vantage_point}\n\n");
    for exchange in exchanges {
        let server = exchange
            .server
            .as_ref()
            .map(|name| format!("{name}/"))
            .unwrap_or_default();
        let transport = exchange.transport.as_str();
        let rtt = exchange
            .rtt_us
            .map(|rtt_us| format!(" in {rtt_us} us"))
            .unwrap_or_default();
        text.push_str(&format!(
            "{} {} to {server}{} over {transport}{rtt}\n{}\n\n",
            exchange.time, exchange.question, exchange.address, exchange.text
        ));
    }
    text
}

/// Measures every open request again on the interval, whoever said what, and minds silence.
pub async fn watch_requests(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let mut timer = tokio::time::interval(centre.verify_every);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = timer.tick() => {}
            () = stop.cancelled() => return Ok(()),
        }
        let open = requests::to_verify(&centre.records)
            .await
            .context("listing the open requests")?;
        futures_util::stream::iter(open)
            .map(|request| {
                let centre = centre.clone();
                async move {
                    if let Err(error) = verify(&centre, request.id).await {
                        tracing::warn!(request = %request.id, "could not verify: {error:#}");
                    }
                }
            })
            .buffer_unordered(centre.config.dns.zones_at_once)
            .collect::<()>()
            .await;
        requests::watch_silence(&centre.records, &centre.identity, &centre.patience)
            .await
            .context("minding silence")?;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use csirt::cases::{self, NewCase};
    use csirt::notices::{Notice, NoticeKind, NoticeState, Security, SmtpSettings};
    use csirt::requests::{Ask, Proposal, RequestState};
    use csirt::{Actor, alerts};
    use jiff::SignedDuration;
    use model::{Clock as _, Detector, Id, Language, ManualClock, Severity, Signal, Tlp};
    use testkit::relay::Relay;

    use super::*;
    use crate::config::Config;

    /// A centre on this database whose relay is at `port`.
    async fn centre(folder: &tempfile::TempDir, database: &str, clock: Arc<ManualClock>, port: u16) -> Arc<Centre> {
        let mut config = Config {
            data: folder.path().to_owned(),
            database: database.to_owned(),
            ..Config::default()
        };
        // a root that nobody serves
        config.dns.hints = folder.path().join("hints");
        config.dns.port = testkit::loopback::free_port().unwrap();
        std::fs::write(&config.dns.hints, ". 60 NS root.test.\nroot.test. 60 A 127.0.0.1\n").unwrap();
        config.mail.relay = Some(SmtpSettings {
            host: "127.0.0.1".to_owned(),
            port,
            security: Security::None,
            hello: "cert.example".to_owned(),
            ..SmtpSettings::default()
        });
        let centre = Arc::new(Centre::open(config, clock).await.unwrap());
        crate::centre::lead::take_now(&centre).await;
        centre
    }

    /// Does the jobs that are due, and says how many there were.
    async fn do_due(centre: &Arc<Centre>) -> usize {
        let mut running = JoinSet::new();
        for kind in [Kind::DeliverNotice, Kind::VerifyRequest] {
            begin_due(centre, kind, &mut running).await.unwrap();
        }
        let count = running.len();
        while let Some(ended) = running.join_next().await {
            done(ended).unwrap();
        }
        count
    }

    /// Notices to `number` parties, all queued now.
    async fn queue_notices(centre: &Centre, number: usize) -> Vec<Id<Notice>> {
        let zone: model::Name = "shop.example".parse().unwrap();
        let signal = Signal {
            detector: Detector::Health,
            key: "health:shop.example".to_owned(),
            severity: Severity::Page,
            time: centre.records.now(),
            zones: vec![zone.clone()],
            kind: "zone-unreachable".to_owned(),
            args: BTreeMap::new(),
            findings: Vec::new(),
            changes: Vec::new(),
        };
        let raised = alerts::raise(&centre.records, &signal).await.unwrap();
        let new = NewCase {
            title: "Shop is silent".to_owned(),
            tlp: Tlp::Amber,
            alerts: vec![raised.alert().id],
        };
        let case = cases::open(&centre.records, Actor::System, &new).await.unwrap().id;
        let mut queued = Vec::new();
        for party in 1..=number {
            let proposal = Proposal {
                organisation: None,
                name: format!("Party {party}"),
                addresses: vec![format!("noc@party{party}.example")],
                language: Language::English,
                time_zone: "UTC".to_owned(),
                because: "by hand".to_owned(),
                check: Ask::RestoreService.check(&zone, None),
                zone: zone.clone(),
                ask: Ask::RestoreService,
                deadline: centre.records.now() + SignedDuration::from_hours(4),
            };
            let request = requests::create(&centre.records, Actor::System, case, &proposal)
                .await
                .unwrap();
            let (records, identity) = (&centre.records, &centre.identity);
            let notice = notices::queue(records, Actor::System, identity, request.id, NoticeKind::Ask)
                .await
                .unwrap();
            queued.push(notice.id);
        }
        queued
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn notices_wait_for_a_relay_that_is_down_for_ten_minutes_and_go_out_once_when_it_is_back() {
        const NOTICES: usize = 3;
        for database in testkit::database::databases().unwrap() {
            let start: Timestamp = "2026-07-01T09:00:00Z".parse().unwrap();
            let back = start + SignedDuration::from_mins(10);
            let clock = Arc::new(ManualClock::new(start));
            let folder = tempfile::tempdir().unwrap();
            let port = testkit::loopback::free_port().unwrap();
            let centre = centre(&folder, &database.url, clock.clone(), port).await;
            let queued = queue_notices(&centre, NOTICES).await;
            let mut relay = None;
            // From one moment at which something is due to the next; a runner that looks in between finds nothing.
            while let Some(due) = jobs::next_due(&centre.records, None).await.unwrap() {
                let wait = due.duration_since(clock.now());
                if wait > SignedDuration::from_secs(1) {
                    clock.advance(wait - SignedDuration::from_secs(1));
                    assert_eq!(do_due(&centre).await, 0, "nothing is due yet");
                }
                clock.advance(due.duration_since(clock.now()));
                if clock.now() >= back && relay.is_none() {
                    relay = Some(Relay::start(port, |_| "250 yes").await.unwrap());
                }
                assert!(do_due(&centre).await > 0);
                let queue = jobs::queue(&centre.records).await.unwrap();
                if relay.is_some() {
                    continue;
                }
                // Nobody has heard anything, everything waits, and it shows why.
                assert_eq!(queue.waiting, NOTICES as u64, "{}", database.engine);
                for id in &queued {
                    let notice = notices::get(&centre.records, *id).await.unwrap();
                    let request = requests::get(&centre.records, notice.request).await.unwrap();
                    assert_eq!(
                        (notice.state, request.state),
                        (NoticeState::Queued, RequestState::Queued)
                    );
                    let tried = notice.attempts.last().map(|attempt| attempt.result.clone().unwrap());
                    assert!(tried.is_none_or(|result| result.starts_with("failed: ")));
                }
            }
            let mails = relay.unwrap().mails();
            let ids: BTreeSet<&str> = mails
                .iter()
                .filter_map(|mail| mail.split("Message-ID: ").nth(1)?.lines().next())
                .collect();
            assert_eq!(
                (mails.len(), ids.len()),
                (NOTICES, NOTICES),
                "each once, on {}",
                database.engine
            );
            assert_eq!(jobs::queue(&centre.records).await.unwrap(), jobs::Queue::default());
            for id in queued {
                let notice = notices::get(&centre.records, id).await.unwrap();
                let request = requests::get(&centre.records, notice.request).await.unwrap();
                assert_eq!((notice.state, request.state), (NoticeState::Sent, RequestState::Sent));
                assert_eq!(
                    request.notified_at, notice.sent_at,
                    "told when it left, not when it was queued"
                );
                // The first try after the relay is back is the one that reaches it, and the wait before it is the rule's.
                let begun: Vec<Timestamp> = notice.attempts.iter().map(|attempt| attempt.begun_at).collect();
                assert!(
                    begun[begun.len() - 2] < back && back <= begun[begun.len() - 1],
                    "{begun:?}"
                );
                for (attempt, pair) in begun.windows(2).enumerate() {
                    let rule = (10 << attempt).min(600) as f64;
                    let waited = pair[1].duration_since(pair[0]).as_secs_f64();
                    assert!(
                        (rule / 2.0 - 0.01..=rule).contains(&waited),
                        "{waited} s before try {}",
                        attempt + 2
                    );
                }
                assert!(begun.len() >= 7 && notice.attempts.len() == begun.len());
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_relay_that_hangs_delays_no_verification() {
        let folder = tempfile::tempdir().unwrap();
        // takes connections and never says a word
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = silent.local_addr().unwrap().port();
        let clock = Arc::new(ManualClock::new("2026-07-01T09:00:00Z".parse().unwrap()));
        let centre = centre(&folder, "", clock, port).await;
        let notices = queue_notices(&centre, AT_ONCE + 4).await;
        let stop = CancellationToken::new();
        let mail = tokio::spawn(run(centre.clone(), Kind::DeliverNotice, stop.clone()));
        let measuring = tokio::spawn(run(centre.clone(), Kind::VerifyRequest, stop.clone()));
        while jobs::queue(&centre.records).await.unwrap().running < AT_ONCE as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let request = notices::get(&centre.records, notices[0]).await.unwrap().request;
        requests::measure_now(&centre.records, Actor::System, request)
            .await
            .unwrap();
        let verdict = async {
            while requests::verdicts(&centre.records, request).await.unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), verdict).await.unwrap();
        // the job of the verification may still be on its way out
        let queue = jobs::queue(&centre.records).await.unwrap();
        assert!(
            queue.running >= AT_ONCE as u64 && queue.waiting == 4,
            "the relay still hangs: {queue:?}"
        );
        stop.cancel();
        mail.abort();
        measuring.await.unwrap().unwrap();
    }

    #[test]
    fn the_pause_doubles_up_to_its_limit() {
        let seconds: Vec<u64> = [1, 2, 3, 8, 9, 40]
            .into_iter()
            .map(|attempt| pause_after(attempt).as_secs())
            .collect();
        assert_eq!(seconds, [5, 10, 20, 640, 900, 900]);
    }
}
