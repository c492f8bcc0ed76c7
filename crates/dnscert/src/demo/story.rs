//! Plays a story: breaks the world, acts for the duty officer and the parties, and checks what the centre makes of it.
//!
//! Detection, notices and verification are the centre's own doing. What a duty officer would click and what a party would
//! answer is done here, through the same actions and the same answer page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use csirt::Actor;
use csirt::alerts::{self, Alert, AlertState};
use csirt::cases::{self, Case, NewCase};
use csirt::notices::{self, NoticeKind};
use csirt::requests::{self, Proposal, Request, RequestState};
use jiff::{SignedDuration, Timestamp};
use lab::{Act, Event, Lab, Responsible, Story};
use model::{Id, Name, Severity, Tlp};

use super::outbox::{Mail, Outbox};
use super::party::Party;
use super::steps::{ALL, Happened, Outcome, Step, Teller};
use crate::centre::Centre;

/// How long after the fault the officer looks again when an alert ends under its hands.
const LOOKING: SignedDuration = SignedDuration::from_secs(60);

/// Longest wait for one step before the act counts as failed: many rounds on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What detection and delivery may take on top of one polling interval.
const GRACE_SECONDS: f64 = 2.0;

/// Plays one story on one centre.
pub struct Player {
    centre: Arc<Centre>,
    lab: Arc<Lab>,
    officer: Actor,
    outbox: Outbox,
    party: Party,
    interval_secs: u32,
    teller: Teller,
    failures: Vec<String>,
}

/// One party's part in an act.
struct Thread<'a> {
    responsible: &'a Responsible,
    request: Request,
    name: String,
    mail: Mail,
}

impl Player {
    /// A player who acts as `officer`.
    pub fn new(
        centre: Arc<Centre>,
        lab: Arc<Lab>,
        officer: Actor,
        party: Party,
        interval_secs: u32,
        teller: Teller,
    ) -> anyhow::Result<Self> {
        let outbox = Outbox::open(&centre.config.outbox())?;
        Ok(Self {
            centre,
            lab,
            officer,
            outbox,
            party,
            interval_secs,
            teller,
            failures: Vec::new(),
        })
    }

    /// Plays all acts and says how it went.
    pub async fn play(mut self, story: &Story) -> anyhow::Result<Outcome> {
        let begun = self.centre.open_records.now();
        let acts: BTreeSet<&Name> = story.acts.iter().flat_map(|act| &act.zones).collect();
        for (number, act) in story.acts.iter().enumerate() {
            self.teller
                .say(&format!("\nAct {} of {}: {}", number + 1, story.acts.len(), act.about));
            if let Err(error) = self.act(act).await {
                let failure = format!("act `{}`: {error:#}", act.id);
                self.teller.say(&format!("  FAILED: {failure}"));
                self.failures.push(failure);
            }
        }
        let quiet: BTreeSet<Name> = self
            .lab
            .zones()
            .into_iter()
            .filter(|zone| !acts.contains(zone))
            .collect();
        let false_alerts = self
            .alerts_since(begun)
            .await?
            .into_iter()
            .filter(|alert| alert.zones.iter().any(|zone| quiet.contains(zone)))
            .count();
        if false_alerts > 0 {
            self.failures
                .push(format!("{false_alerts} alerts about zones that nothing happened to"));
        }
        let outcome = self.outcome(story, quiet.len(), false_alerts);
        self.teller.end(&outcome);
        Ok(outcome)
    }

    async fn act(&mut self, act: &Act) -> anyhow::Result<()> {
        let fault = self.centre.open_records.now();
        for zone in &act.zones {
            self.tell(act, Step::Fault, zone, None, fault, fault, "");
        }
        let begun = tokio::time::Instant::now();
        self.play_events(act)?;

        let found = self.wait_for_alerts(act, fault).await?;
        let case = self.open_case(act, &found, fault).await?;
        let mut threads = self.notify(act, &case, fault).await?;
        for thread in &mut threads {
            let is_given = self.answer(thread, "acknowledge", "We are looking into it.").await?;
            anyhow::ensure!(is_given, "`{}` found nothing to answer", thread.name);
            let acknowledged = self.wait_for(thread.request.id, &[RequestState::Acknowledged]).await?;
            let at = acknowledged.acknowledged_at.unwrap_or(acknowledged.state_at);
            self.tell_thread(act, Step::Acknowledged, thread, at, fault);
        }
        // Nobody repairs what has not broken yet: the last of the act's events must have happened.
        let last = act
            .events
            .iter()
            .filter_map(|event| event.at)
            .map(|at| at.forward())
            .max()
            .unwrap_or_default();
        tokio::time::sleep_until(begun + last + Duration::from_millis(200)).await;
        let mut repaired = BTreeSet::new();
        for thread in &mut threads {
            // A party that was asked about several zones repairs them in one go.
            if repaired.insert(&thread.responsible.organisation) {
                for event in &thread.responsible.repair {
                    let party = &thread.responsible.organisation;
                    self.lab
                        .apply(event)
                        .with_context(|| format!("repairing for `{party}`"))?;
                }
            }
            let at = self.centre.open_records.now();
            // The interval's own measurement may have seen the repair first: the party then finds nothing left to answer.
            self.answer(thread, "done", "It is repaired.").await?;
            self.tell_thread(act, Step::Repaired, thread, at, fault);
        }
        for thread in &threads {
            let verified = self.wait_for(thread.request.id, &[RequestState::Verified]).await?;
            let at = verified.verified_at.unwrap_or(verified.state_at);
            self.tell_thread(act, Step::Verified, thread, at, fault);
        }
        cases::close(&self.centre.open_records, self.officer, case.id, None)
            .await
            .context("closing the case")?;
        let closed = self.centre.open_records.now();
        for zone in &act.zones {
            self.tell(act, Step::Closed, zone, None, closed, fault, &case.number.to_string());
        }
        Ok(())
    }

    /// Lets the act's events happen: the first at once, the others at their time while the story goes on.
    fn play_events(&self, act: &Act) -> anyhow::Result<()> {
        for event in &act.events {
            let after = event.at.map(|at| at.forward()).unwrap_or_default();
            let event = Event {
                at: None,
                ..event.clone()
            };
            if after.is_zero() {
                self.lab
                    .apply(&event)
                    .with_context(|| format!("beginning act `{}`", act.id))?;
                continue;
            }
            let lab = self.lab.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                if let Err(error) = lab.apply(&event) {
                    tracing::error!("an event of the story did not happen: {error}");
                }
            });
        }
        Ok(())
    }

    /// Waits until every zone of the act stands in an alert.
    async fn wait_for_alerts(&mut self, act: &Act, fault: Timestamp) -> anyhow::Result<Vec<Alert>> {
        let mut told: BTreeSet<Name> = BTreeSet::new();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let alerts = self.alerts_about(act, fault).await?;
            for alert in &alerts {
                for zone in alert.zones.iter().filter(|zone| act.zones.contains(zone)) {
                    if told.insert(zone.clone()) {
                        self.tell(act, Step::Detected, zone, None, alert.raised_at, fault, &alert.kind);
                    }
                }
            }
            if told.len() == act.zones.len() {
                return Ok(alerts);
            }
            if tokio::time::Instant::now() > deadline {
                let missing: Vec<String> = act
                    .zones
                    .iter()
                    .filter(|zone| !told.contains(zone))
                    .map(Name::to_string)
                    .collect();
                anyhow::bail!("no alert about {} within {} s", missing.join(" "), PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn open_case(&mut self, act: &Act, found: &[Alert], fault: Timestamp) -> anyhow::Result<Case> {
        let mut found = found.to_vec();
        let case = loop {
            let is_new = |alert: &&Alert| alert.state == AlertState::New;
            let new = NewCase {
                title: act.about.clone(),
                tlp: Tlp::Amber,
                alerts: found.iter().filter(is_new).map(|alert| alert.id).collect(),
            };
            match cases::open(&self.centre.open_records, self.officer, &new).await {
                // an alert became part of another one while the officer looked at it: look again, as a person does
                Err(csirt::Error::Conflict { .. })
                    if fault.duration_until(self.centre.open_records.now()) < LOOKING =>
                {
                    found = self.alerts_about(act, fault).await?;
                }
                opened => break opened.context("opening the case")?,
            }
        };
        for zone in &act.zones {
            self.tell(
                act,
                Step::Case,
                zone,
                None,
                case.opened_at,
                fault,
                &case.number.to_string(),
            );
        }
        Ok(case)
    }

    /// Asks each party that routing names for the act's zones, and waits until the notices lie in their mailboxes.
    async fn notify<'a>(&mut self, act: &'a Act, case: &Case, fault: Timestamp) -> anyhow::Result<Vec<Thread<'a>>> {
        let proposals = requests::propose(&self.centre.open_records, case.id)
            .await
            .context("finding who answers")?;
        let mut asked = Vec::new();
        for responsible in &act.responsible {
            let name = self.organisation_name(responsible)?;
            for zone in &responsible.zones {
                let proposal = best(&proposals, &name, zone).with_context(|| {
                    let known: Vec<String> = proposals.iter().map(|p| format!("{} for {}", p.name, p.zone)).collect();
                    format!("routing does not name `{name}` for {zone}, but {}", known.join(", "))
                })?;
                let request = requests::create(&self.centre.open_records, self.officer, case.id, proposal)
                    .await
                    .with_context(|| format!("asking `{name}` about {zone}"))?;
                notices::queue(
                    &self.centre.open_records,
                    self.officer,
                    &self.centre.identity,
                    request.id,
                    NoticeKind::Ask,
                )
                .await
                .with_context(|| format!("queueing the notice to `{name}`"))?;
                asked.push((responsible, request, name.clone()));
            }
        }
        let mut threads = Vec::new();
        for (responsible, request, name) in asked {
            let token = format!("[{}/{}]", case.number, request.number);
            let mail = self.wait_for_mail(&token).await?;
            let thread = Thread {
                responsible,
                request,
                name,
                mail,
            };
            let sent = requests::get(&self.centre.open_records, thread.request.id).await?;
            let at = sent.notified_at.unwrap_or_else(|| self.centre.open_records.now());
            self.tell_thread(act, Step::Notified, &thread, at, fault);
            threads.push(thread);
        }
        Ok(threads)
    }

    /// The newest unread mail whose subject carries `token`.
    async fn wait_for_mail(&mut self, token: &str) -> anyhow::Result<Mail> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            self.outbox.read_new()?;
            if let Some(mail) = self.outbox.take(token) {
                return Ok(mail);
            }
            if tokio::time::Instant::now() > deadline {
                anyhow::bail!("no mail with `{token}` in its subject within {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether the party's page took the answer, see [`Party::answer`].
    async fn answer(&self, thread: &Thread<'_>, kind: &str, note: &str) -> anyhow::Result<bool> {
        let link = thread
            .mail
            .link
            .as_deref()
            .with_context(|| format!("no link in `{}`", thread.mail.subject))?;
        self.party
            .answer(link, kind, note)
            .await
            .with_context(|| format!("`{}` answers {kind}", thread.name))
    }

    async fn wait_for(&self, id: Id<Request>, wanted: &[RequestState]) -> anyhow::Result<Request> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let request = requests::get(&self.centre.open_records, id)
                .await
                .context("reading the request")?;
            if request.state == RequestState::Bounced {
                anyhow::bail!("the notice came back");
            }
            if wanted.contains(&request.state) || request.state == RequestState::Verified {
                return Ok(request);
            }
            if tokio::time::Instant::now() > deadline {
                anyhow::bail!(
                    "the request is still `{}` after {} s",
                    request.state.as_str(),
                    PATIENCE.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The alerts about the act's zones that want a person.
    async fn alerts_about(&self, act: &Act, fault: Timestamp) -> anyhow::Result<Vec<Alert>> {
        let alerts = self.alerts_since(fault).await?.into_iter();
        let about = alerts.filter(|alert| alert.zones.iter().any(|zone| act.zones.contains(zone)));
        Ok(about.filter(|alert| alert.severity >= Severity::Review).collect())
    }

    async fn alerts_since(&self, since: Timestamp) -> anyhow::Result<Vec<Alert>> {
        let filter = alerts::Filter {
            states: AlertState::ALL.to_vec(),
            limit: 1_000,
            ..alerts::Filter::default()
        };
        let all = alerts::queue(&self.centre.open_records, &filter)
            .await
            .context("reading the alert queue")?;
        Ok(all
            .into_iter()
            .filter(|alert| alert.last_at >= since || alert.raised_at >= since)
            .collect())
    }

    fn organisation_name(&self, responsible: &Responsible) -> anyhow::Result<String> {
        self.lab
            .organisations()
            .iter()
            .find(|organisation| organisation.id == responsible.organisation)
            .map(|organisation| organisation.name.clone())
            .with_context(|| format!("the world has no organisation `{}`", responsible.organisation))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one line that is told")]
    fn tell(
        &mut self,
        act: &Act,
        step: Step,
        zone: &Name,
        party: Option<&str>,
        at: Timestamp,
        fault: Timestamp,
        remark: &str,
    ) {
        self.teller.tell(Happened {
            time: at,
            act: act.id.clone(),
            step,
            zone: zone.clone(),
            party: party.map(str::to_owned),
            seconds_since_fault: (at.duration_since(fault).as_secs_f64() * 1_000.0).round() / 1_000.0,
            remark: remark.to_owned(),
        });
    }

    fn tell_thread(&mut self, act: &Act, step: Step, thread: &Thread<'_>, at: Timestamp, fault: Timestamp) {
        let zone = thread.request.zone.clone();
        let remark = if step == Step::Notified {
            thread.mail.subject.clone()
        } else {
            String::new()
        };
        self.tell(act, step, &zone, Some(&thread.name), at, fault, &remark);
    }

    fn outcome(&mut self, story: &Story, quiet_zones: usize, false_alerts: usize) -> Outcome {
        let mut seconds_to_notice = BTreeMap::new();
        let mut seconds_to_closed = BTreeMap::new();
        let mut late = Vec::new();
        for act in &story.acts {
            for step in ALL {
                let reached = self.teller.steps().iter().filter(|s| s.act == act.id && s.step == step);
                let last = reached.map(|s| s.seconds_since_fault).reduce(f64::max);
                match (step, last) {
                    (_, None) => self.failures.push(format!("act `{}` never came to `{step:?}`", act.id)),
                    (Step::Notified, Some(seconds)) => {
                        // Events of an act may come one after the other: the last of them starts the watch.
                        let spread = act
                            .events
                            .iter()
                            .filter_map(|event| event.at)
                            .map(|at| at.forward().as_secs_f64());
                        let limit = f64::from(self.interval_secs) + GRACE_SECONDS + spread.fold(0.0, f64::max);
                        if seconds > limit {
                            late.push(format!(
                                "act `{}`: notice after {seconds:.1} s, not {limit:.1} s",
                                act.id
                            ));
                        }
                        seconds_to_notice.insert(act.id.clone(), seconds);
                    }
                    (Step::Closed, Some(seconds)) => {
                        seconds_to_closed.insert(act.id.clone(), seconds);
                    }
                    _ => {}
                }
            }
        }
        Outcome {
            passed: self.failures.is_empty() && late.is_empty(),
            late,
            acts: story.acts.len(),
            failures: std::mem::take(&mut self.failures),
            false_alerts,
            quiet_zones,
            interval_seconds: self.interval_secs,
            seconds_to_notice,
            seconds_to_closed,
        }
    }
}

/// The proposal to this party about this zone.
fn best<'a>(proposals: &'a [Proposal], party: &str, zone: &Name) -> Option<&'a Proposal> {
    proposals
        .iter()
        .find(|proposal| proposal.name == party && proposal.zone == *zone)
}
