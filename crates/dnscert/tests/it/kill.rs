//! `kill -9` of the centre at random moments of the loop: nothing is lost and nothing is sent twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use lab::{Change, Event, Fault, FaultRule, Lab, World};
use mail_parser::MessageParser;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::Mutex;

use crate::centre::{Centre, mails, stderr, stdout};
use crate::portal::Portal;

/// How often the centre is killed.
const KILLS: usize = 20;

/// Longest wait for one step of the loop, kills included.
const PATIENCE: Duration = Duration::from_secs(180);

/// Repeats `step` until it gives something; a centre that is down gives nothing.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut step: impl FnMut() -> F) -> T {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(done) = step().await {
            return done;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "{what} did not happen within {} s",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_centre_is_killed_at_20_random_moments_and_loses_and_repeats_nothing() {
    let lab = Lab::start(World::shipped("pocket").unwrap(), 0, Timestamp::now())
        .await
        .unwrap();
    let mut centre = Centre::set_up(&lab.hints(), lab.port(), "");
    import_directory(&centre);
    let added = centre.run(&["watch", "add", "plain.test", "--interval", "5"]);
    assert!(added.status.success(), "{}", stderr(&added));
    centre.start();
    let (address, outbox, admin) = (centre.address, centre.outbox(), centre.admin.clone());
    let centre = Arc::new(Mutex::new(centre));

    let seed: u64 = rand::random();
    println!("seed of the kills: {seed}");
    let over = Arc::new(AtomicBool::new(false));
    let killer = {
        let (centre, over) = (centre.clone(), over.clone());
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(seed);
            let mut kills = 0;
            while kills < KILLS || !over.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(random.random_range(100..2_500))).await;
                if kills < KILLS {
                    let mut centre = centre.lock().await;
                    tokio::task::block_in_place(|| {
                        centre.kill();
                        centre.start();
                    });
                    kills += 1;
                }
            }
            kills
        })
    };

    // A person reports again and again; each report that was thanked for must be there at the end.
    let reporter = {
        let over = over.clone();
        tokio::spawn(async move {
            let mut thanked = BTreeSet::new();
            while !over.load(Ordering::SeqCst) && thanked.len() < 4 {
                if let Some(number) = report(address, thanked.len()).await {
                    thanked.insert(number);
                }
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            thanked
        })
    };

    for server in ["ns1.good.test", "ns2.good.test"] {
        let rule = FaultRule::of(Fault::Silent);
        lab.apply(
            &Event::new(Change::AddFault {
                server: server.to_owned(),
                rule,
            })
            .named("outage"),
        )
        .unwrap();
    }
    let officer = Officer {
        portal: Portal::new(address),
        admin,
    };
    let alert = until("the alert", || officer.alert_about("plain.test")).await;
    let case = until("the case", || officer.case_with(&alert)).await;
    let request = until("the request", || officer.request_in(&case)).await;
    until("the notice", || officer.sent(&request, &outbox)).await;
    let answer_link = until("the mail", || async { mails(&outbox).iter().find_map(|raw| link(raw)) }).await;
    until("the acknowledgement", || {
        officer.answered(&answer_link, "acknowledge", &request)
    })
    .await;
    lab.apply(&Event::repair("outage")).unwrap();
    until("the repair", || officer.answered(&answer_link, "done", &request)).await;
    until("the verification", || officer.verified(&request)).await;

    over.store(true, Ordering::SeqCst);
    let thanked = reporter.await.unwrap();
    assert_eq!(killer.await.unwrap(), KILLS);

    // What was said to be sent lies there once.
    let ids: Vec<String> = mails(&outbox).iter().map(|raw| message_id(raw)).collect();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), distinct.len(), "a notice was sent twice: {ids:?}");
    let asks = mails(&outbox).iter().filter(|raw| link(raw).is_some()).count();
    assert_eq!(asks, 1, "one request makes one notice: {ids:?}");
    // What was thanked for is there.
    for number in &thanked {
        let found = until("the queue", || async {
            officer.page(&format!("/alerts?q={number}")).await
        })
        .await;
        assert!(
            path_in(&found, "/alerts/", |id| id.len() == 36).is_some(),
            "report {number} was thanked for and is lost"
        );
    }
    let mut centre = centre.lock().await;
    tokio::task::block_in_place(|| {
        let audit = centre.run(&["audit"]);
        assert!(audit.status.success(), "{}{}", stdout(&audit), stderr(&audit));
        assert!(centre.stop(), "the centre did not end in order:\n{}", centre.log());
    });
}

/// Who answers for plain.test.
pub fn import_directory(centre: &Centre) {
    let file = centre.home().join("contacts.json");
    std::fs::write(
        &file,
        r#"{"format": "dnscert-directory-1", "organisations": [{
            "handle": "good-operator", "name": "Good Operator", "kind": "operator", "region": "EU",
            "preferred_language": "fr", "time_zone": "Europe/Paris",
            "channels": [{"kind": "email", "value": "noc@good.example", "purpose": "security"}],
            "responsibilities": [{"kind": "zone", "value": "plain.test", "role": "operator"}]}]}"#,
    )
    .unwrap();
    let output = centre.run(&["directory", "import", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Sends the public form; the number when the report was thanked for.
async fn report(address: std::net::SocketAddr, count: usize) -> Option<String> {
    let portal = Portal::new(address);
    let form = crate::portal::hidden_fields(&portal.get("/report").await.ok()?.body);
    // People need a moment to write; the form takes what comes faster for spam.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    let mut form = form;
    let what = format!("The name server of shop{count}.example does not answer since this morning.");
    form.insert("what".to_owned(), what);
    form.insert("names".to_owned(), format!("shop{count}.example"));
    let reply = portal.post("/report", &form).await.ok()?;
    let at = reply.to.find("REPORT-")?;
    Some(reply.to[at..].split('/').next()?.to_owned())
}

/// Path of the link in a notice.
pub fn link(raw: &[u8]) -> Option<String> {
    let mail = MessageParser::default().parse(raw)?;
    let body = mail.body_text(0)?.into_owned();
    let at = body.find("/a/")?;
    Some(
        body[at..]
            .split(|c: char| c.is_whitespace() || c == '\u{2069}' || c == '>')
            .next()?
            .to_owned(),
    )
}

fn message_id(raw: &[u8]) -> String {
    MessageParser::default()
        .parse(raw)
        .unwrap()
        .message_id()
        .unwrap()
        .to_owned()
}

/// A duty officer who tries again when the centre is down, and looks first what has come of the last try.
pub struct Officer {
    /// The portal.
    pub portal: Portal,
    /// Name and password.
    pub admin: (String, String),
}

impl Officer {
    /// A page that needs an account; signs in where the session is gone.
    pub async fn page(&self, path: &str) -> Option<String> {
        let reply = self.portal.get(path).await.ok()?;
        if reply.status == reqwest::StatusCode::SEE_OTHER {
            let fields = [("name", self.admin.0.as_str()), ("password", self.admin.1.as_str())];
            self.portal.submit("/signin", "/signin", &fields).await.ok()?;
            return None;
        }
        reply.status.is_success().then_some(reply.body)
    }

    /// Path of the alert about `zone`.
    pub async fn alert_about(&self, zone: &str) -> Option<String> {
        let page = self.page(&format!("/alerts?q={zone}")).await?;
        path_in(&page, "/alerts/", |id| id.len() == 36)
    }

    /// Path of the case; opens it unless it is open.
    pub async fn case_with(&self, alert: &str) -> Option<String> {
        let list = self.page("/cases").await?;
        if let Some(case) = path_in(&list, "/cases/", |number| number.starts_with("DNSCERT-")) {
            return Some(case);
        }
        let id = alert.trim_start_matches("/alerts/");
        self.portal
            .submit(alert, "/alerts/selected/case", &[(&format!("alert-{id}"), "1")])
            .await
            .ok()?;
        None
    }

    /// Path of the request; makes it from the first proposal unless it is there.
    pub async fn request_in(&self, case: &str) -> Option<String> {
        let page = self.page(case).await?;
        if let Some(request) = path_in(&page, &format!("{case}/requests/"), |number| number == "1") {
            return Some(request);
        }
        let form = crate::portal::hidden_fields(&page);
        assert!(form.contains_key("proposal"), "routing proposes nobody:\n{page}");
        self.portal.post(&format!("{case}/requests"), &form).await.ok()?;
        None
    }

    /// Sends the notice unless it is queued.
    pub async fn sent(&self, request: &str, outbox: &std::path::Path) -> Option<()> {
        if !mails(outbox).is_empty() {
            return Some(());
        }
        let page = self.page(request).await?;
        if has_state(&page, "not-notified") {
            self.portal
                .submit(request, &format!("{request}/send"), &[])
                .await
                .ok()?;
        }
        None
    }

    async fn answered(&self, link: &str, kind: &str, request: &str) -> Option<()> {
        // a round may be faster than the answer, which is then refused
        if self.verified(request).await.is_some() {
            return Some(());
        }
        let reply = Portal::new(self.portal_address()).answer(link, kind).await.ok()?;
        if !(reply.status.is_success() || reply.status.is_redirection()) {
            return None;
        }
        self.page(request).await.map(|_| ())
    }

    async fn verified(&self, request: &str) -> Option<()> {
        let page = self.page(request).await?;
        has_state(&page, "verified").then_some(())
    }

    fn portal_address(&self) -> std::net::SocketAddr {
        self.portal.address()
    }
}

/// Whether the page of a request shows this state.
fn has_state(page: &str, state: &str) -> bool {
    let word = language::texts(model::Language::English).get(&format!("case-request-state-{state}"));
    let shown = page
        .split("data-part=\"state\">")
        .nth(1)
        .and_then(|rest| rest.split("</p>").next());
    shown.is_some_and(|shown| shown.contains(&word))
}

/// The first path in a page that begins with `start` and whose next part is as wanted.
fn path_in(page: &str, start: &str, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    page.match_indices(start).find_map(|(at, _)| {
        let rest = &page[at + start.len()..];
        let part = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next()?;
        is_wanted(part).then(|| format!("{start}{part}"))
    })
}
