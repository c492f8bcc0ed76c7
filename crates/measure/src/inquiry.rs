//! An inquiry: one run in which one question to one server is asked once, and every exchange is kept.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use model::{Name, Outcome, Sample, Transport};
use serde::Serialize;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::dnssec::Anchor;
use crate::exchange::{Ended, Exchange};
use crate::internet::Internet;
use crate::internet::health::Health;
use crate::question::Question;
use crate::saved::{RestoreError, Saved, SavedCheck};

type Answered = Arc<OnceCell<Arc<Exchange>>>;

/// One run of questions; cheap to clone, all clones share what was asked.
///
/// A restored inquiry answers from its file alone and sends nothing.
#[derive(Clone)]
pub struct Inquiry(Arc<Inner>);

struct Inner {
    source: Source,
    vantage_point: Option<String>,
    hints: Vec<(Name, Vec<IpAddr>)>,
    anchors: Vec<Anchor>,
    started: Timestamp,
    memo: Mutex<HashMap<IpAddr, HashMap<Question, Answered>>>,
    kept: Mutex<Vec<Kept>>,
    names: Mutex<HashMap<IpAddr, Name>>,
    health: Health,
    begun: Instant,
    is_spent: AtomicBool,
}

struct Kept {
    exchange: Arc<Exchange>,
    /// Whether this inquiry asked, and not another that shares the answer.
    is_own: bool,
}

enum Source {
    Internet {
        internet: Internet,
        /// Whether it takes answers that other inquiries got.
        may_share: bool,
    },
    File {
        known: HashMap<(IpAddr, Question), Arc<Exchange>>,
        ipv4: bool,
        ipv6: bool,
        check: Option<SavedCheck>,
    },
}

impl Inquiry {
    pub(crate) fn over(internet: Internet, may_share: bool) -> Self {
        let started = internet.clock().now();
        let settings = internet.settings();
        let (hints, anchors) = (settings.hints.clone(), settings.anchors.clone());
        let vantage_point = settings.vantage_point.clone();
        let source = Source::Internet { internet, may_share };
        Self::new(source, vantage_point, hints, anchors, started)
    }

    fn new(
        source: Source,
        vantage_point: Option<String>,
        hints: Vec<(Name, Vec<IpAddr>)>,
        anchors: Vec<Anchor>,
        started: Timestamp,
    ) -> Self {
        Self(Arc::new(Inner {
            source,
            vantage_point,
            hints,
            anchors,
            started,
            memo: Mutex::default(),
            kept: Mutex::default(),
            names: Mutex::default(),
            health: Health::default(),
            begun: Instant::now(),
            is_spent: AtomicBool::new(false),
        }))
    }

    /// An inquiry that answers from what [`Inquiry::save`] wrote.
    pub fn restore(json: &str) -> Result<Self, RestoreError> {
        let saved = Saved::parse(json)?;
        let by_question = saved
            .exchanges
            .into_iter()
            .map(|exchange| ((exchange.address, exchange.question.clone()), exchange));
        let source = Source::File {
            known: by_question.collect(),
            ipv4: saved.ipv4,
            ipv6: saved.ipv6,
            check: saved.check,
        };
        let inquiry = Self::new(source, saved.vantage_point, saved.hints, saved.anchors, saved.started);
        inquiry.0.is_spent.store(saved.is_spent, Ordering::Relaxed);
        Ok(inquiry)
    }

    /// All exchanges as JSON, for [`Inquiry::restore`].
    pub fn save(&self) -> String {
        self.save_with(None)
    }

    /// The same with what they were asked for, which [`Inquiry::saved_check`] gives back.
    pub fn save_check(&self, check: SavedCheck) -> String {
        self.save_with(Some(check))
    }

    /// What a restored inquiry was made for; `None` where its file does not say, and for one that asks.
    pub fn saved_check(&self) -> Option<&SavedCheck> {
        match &self.0.source {
            Source::Internet { .. } => None,
            Source::File { check, .. } => check.as_ref(),
        }
    }

    fn save_with(&self, check: Option<SavedCheck>) -> String {
        let is_on = |address: IpAddr| self.is_enabled(address);
        let saved = Saved {
            check,
            vantage_point: self.0.vantage_point.clone(),
            hints: self.0.hints.clone(),
            anchors: self.0.anchors.clone(),
            started: self.0.started,
            ipv4: is_on(Ipv4Addr::LOCALHOST.into()),
            ipv6: is_on(Ipv6Addr::LOCALHOST.into()),
            is_spent: self.is_spent(),
            exchanges: self.exchanges(),
        };
        saved.to_json()
    }

    /// When it began; for a restored one, when the saved one began. Signatures are judged against this time.
    pub fn started(&self) -> Timestamp {
        self.0.started
    }

    /// Name of the vantage point that asks, or that asked what is restored; `None` where nobody said.
    pub fn vantage_point(&self) -> Option<&str> {
        self.0.vantage_point.as_deref()
    }

    /// The root name servers that it begins with.
    pub fn hints(&self) -> &[(Name, Vec<IpAddr>)] {
        &self.0.hints
    }

    /// The trust anchors that chains begin with.
    pub fn anchors(&self) -> &[Anchor] {
        &self.0.anchors
    }

    /// Whether addresses of this family are asked.
    pub fn is_enabled(&self, address: IpAddr) -> bool {
        match &self.0.source {
            Source::Internet { internet, .. } => internet.settings().is_enabled(address),
            Source::File { ipv4, ipv6, .. } => *if address.is_ipv4() { ipv4 } else { ipv6 },
        }
    }

    /// Pause between two odd questions to one address; none where nothing is sent.
    pub(crate) fn odd_question_pause(&self) -> Duration {
        match &self.0.source {
            Source::Internet { internet, .. } => internet.settings().odd_question_pause,
            Source::File { .. } => Duration::ZERO,
        }
    }

    /// Asks `address`, or gives what it said before. Whoever asks the same while the answer is awaited waits with it.
    pub async fn ask(&self, address: IpAddr, question: &Question) -> Arc<Exchange> {
        self.ask_or_share(address, question, false).await
    }

    /// As [`Inquiry::ask`], but where `is_shared` the answer may be one that another inquiry got a moment ago.
    pub(crate) async fn ask_or_share(&self, address: IpAddr, question: &Question, is_shared: bool) -> Arc<Exchange> {
        let cell = {
            let mut memo = self.0.memo.lock().expect("no holder of this lock panics");
            let asked = memo.entry(address).or_default();
            match asked.get(question) {
                Some(cell) => cell.clone(),
                None => asked.entry(question.clone()).or_default().clone(),
            }
        };
        if let Some(exchange) = cell.get() {
            return exchange.clone();
        }
        cell.get_or_init(|| self.put(address, question, is_shared))
            .await
            .clone()
    }

    async fn put(&self, address: IpAddr, question: &Question, is_shared: bool) -> Arc<Exchange> {
        let unasked = || {
            let ended = Ended::without_answer(Outcome::Unreachable, 0);
            Arc::new(Exchange::new(address, question.clone(), self.0.started, ended))
        };
        let (exchange, is_own) = match &self.0.source {
            Source::Internet { internet, .. } if self.spends_too_much(internet) => (unasked(), true),
            Source::Internet {
                internet,
                may_share: true,
            } if is_shared => internet.exchange_shared(address, question, &self.0.health).await,
            Source::Internet { internet, .. } => {
                let exchange = internet.exchange(address, question, &self.0.health).await;
                (Arc::new(exchange), true)
            }
            Source::File { known, .. } => {
                let saved = known.get(&(address, question.clone()));
                (saved.cloned().unwrap_or_else(unasked), true)
            }
        };
        let kept = Kept {
            exchange: exchange.clone(),
            is_own,
        };
        self.0.kept.lock().expect("no holder of this lock panics").push(kept);
        exchange
    }

    fn spends_too_much(&self, internet: &Internet) -> bool {
        let settings = internet.settings();
        let memo = self.0.memo.lock().expect("no holder of this lock panics");
        let asked: usize = memo.values().map(HashMap::len).sum();
        drop(memo);
        let is_over = asked > settings.inquiry_questions || self.0.begun.elapsed() > settings.inquiry_time;
        if is_over {
            self.0.is_spent.store(true, Ordering::Relaxed);
        }
        is_over
    }

    /// Whether it stopped asking because it had used up its questions or its time. Silence means nothing then.
    pub fn is_spent(&self) -> bool {
        self.0.is_spent.load(Ordering::Relaxed)
    }

    /// Remembers whose address it is, for samples and evidence.
    pub(crate) fn note_name(&self, address: IpAddr, name: &Name) {
        let mut names = self.0.names.lock().expect("no holder of this lock panics");
        names.entry(address).or_insert_with(|| name.clone());
    }

    fn name_of(&self, address: IpAddr) -> Option<Name> {
        self.0
            .names
            .lock()
            .expect("no holder of this lock panics")
            .get(&address)
            .cloned()
    }

    /// How many questions are answered or given up so far.
    pub fn answered(&self) -> usize {
        self.0.kept.lock().expect("no holder of this lock panics").len()
    }

    /// The addresses that still owe an answer, each with the name it is known by, the most questions first.
    pub fn awaited(&self) -> Vec<(IpAddr, Option<Name>)> {
        let mut open: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for (address, asked) in self.0.memo.lock().expect("no holder of this lock panics").iter() {
            let questions = asked.values().filter(|answer| answer.get().is_none()).count();
            if questions > 0 {
                open.insert(*address, questions);
            }
        }
        let mut open: Vec<(IpAddr, usize)> = open.into_iter().collect();
        open.sort_by_key(|(_, questions)| std::cmp::Reverse(*questions));
        open.into_iter()
            .map(|(address, _)| (address, self.name_of(address)))
            .collect()
    }

    /// All exchanges so far, in the order in which they ended.
    pub fn exchanges(&self) -> Vec<Arc<Exchange>> {
        let kept = self.0.kept.lock().expect("no holder of this lock panics");
        kept.iter().map(|kept| kept.exchange.clone()).collect()
    }

    /// All exchanges in which this inquiry sent something, as samples of vantage point `probe` on behalf of `zone`.
    pub fn samples(&self, probe: &str, zone: &Name) -> Vec<Sample> {
        let kept = self.0.kept.lock().expect("no holder of this lock panics");
        let sent = kept.iter().filter(|kept| kept.is_own && kept.exchange.attempts > 0);
        sent.map(|kept| kept.exchange.sample(probe, zone, self.name_of(kept.exchange.address)))
            .collect()
    }

    /// All exchanges in which something was sent, as they are shown to people and attached to notices.
    pub fn evidence(&self) -> Vec<Evidence> {
        let exchanges = self.exchanges();
        let sent = exchanges.iter().filter(|exchange| exchange.attempts > 0);
        sent.map(|exchange| Evidence::of(exchange, self.name_of(exchange.address)))
            .collect()
    }
}

/// One exchange for people and for machines of others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// When the question was sent.
    pub time: Timestamp,
    /// Name of the server where known.
    pub server: Option<Name>,
    /// Its address.
    pub address: IpAddr,
    /// How the question travelled.
    pub transport: Transport,
    /// The question: `example.test SOA`.
    pub question: String,
    /// What came of it.
    pub outcome: Outcome,
    /// From sending to the answer, in microseconds.
    pub rtt_us: Option<u64>,
    /// The answer in presentation form, or a word on why there is none.
    pub text: String,
    /// The octets that came back, in base64 (RFC 4648 §4).
    pub wire_base64: String,
}

impl Evidence {
    fn of(exchange: &Exchange, server: Option<Name>) -> Self {
        Self {
            time: exchange.time,
            server,
            address: exchange.address,
            transport: exchange.question.transport,
            question: exchange.question.short(),
            outcome: exchange.outcome,
            rtt_us: exchange.rtt_us,
            text: text_of(exchange),
            wire_base64: BASE64.encode(&exchange.wire),
        }
    }
}

fn text_of(exchange: &Exchange) -> String {
    use std::fmt::Write as _;
    let Some(response) = exchange.response() else {
        return exchange.outcome.as_str().to_owned();
    };
    let mut text = format!(";; {}", response.rcode_name());
    let flags = [
        ("aa", response.authoritative),
        ("tc", exchange.truncated),
        ("rd", response.recursion_desired),
        ("ra", response.recursion_available),
        ("ad", response.authentic_data),
        ("cd", response.checking_disabled),
    ];
    for (flag, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        text.push(' ');
        text.push_str(flag);
    }
    let sections = [
        ("answer", &response.answer),
        ("authority", &response.authority),
        ("additional", &response.additional),
    ];
    for (title, records) in sections.iter().filter(|(_, records)| !records.is_empty()) {
        // writing to a String cannot fail
        let _ = write!(text, "\n;; {title}");
        for record in records.iter() {
            let _ = write!(
                text,
                "\n{}. {} {} {} {}",
                record.owner,
                record.ttl,
                record.class,
                record.rtype(),
                record.data
            );
        }
    }
    text
}
