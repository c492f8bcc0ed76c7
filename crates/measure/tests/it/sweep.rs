//! Sweeps against scripted servers and worlds of the lab: what is believed, what is kept, what a bad server costs.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::base::iana::Rtype;
use lab::{Fault, Lab};
use measure::sweep::{Batch, End, Keeper, Line, LineWriter, Moment, Names, Root, Settings, State, Swept, ask, iterate};
use model::{Outcome, SystemClock, Transport};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use tokio::sync::mpsc;

use crate::case_in_lab::{pocket, spoil};
use crate::scripted::{HERE, Reply, Scripted, answer, name_end};

const TRUE: [u8; 4] = [192, 0, 2, 1];
const FORGED: [u8; 4] = [203, 0, 113, 66];

/// Keeps everything, as a person would read it.
#[derive(Default)]
struct Notebook {
    lines: BTreeMap<u64, Line>,
    /// Lines that were told of more than once.
    twice: Vec<u64>,
    writer: LineWriter,
    most_pending: usize,
    last: State,
    disbelieved: u64,
    silent: usize,
    /// After so many names the disk is full.
    room: Option<usize>,
}

impl Keeper for Notebook {
    fn keep(&mut self, swept: &Swept<'_>) -> io::Result<()> {
        if self.room.is_some_and(|room| self.lines.len() >= room) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut text = Vec::new();
        self.writer.write(swept, &mut text);
        if self.lines.insert(swept.line, Line::read(&text).unwrap()).is_some() {
            self.twice.push(swept.line);
        }
        Ok(())
    }

    fn pause(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        self.most_pending = self.most_pending.max(moment.pending.len());
        self.last = State {
            lines: moment.lines,
            digest: moment.digest,
            pending: moment.pending.to_vec(),
            skipped: moment.skipped,
            ..State::default()
        };
        self.disbelieved = moment.disbelieved;
        self.silent = moment.servers.map_or(0, |(_, silent)| silent);
        Ok(())
    }
}

impl Notebook {
    fn line(&self, line: u64) -> &Line {
        &self.lines[&line]
    }

    /// How often each outcome came.
    fn outcomes(&self) -> BTreeMap<Outcome, usize> {
        let mut counts = BTreeMap::new();
        for line in self.lines.values() {
            *counts.entry(line.outcome).or_default() += 1;
        }
        counts
    }

    fn data(&self, line: u64) -> Vec<&str> {
        self.line(line)
            .answers
            .iter()
            .map(|record| record.rdata.as_str())
            .collect()
    }
}

fn feed(mut names: Names<impl io::Read + Send + 'static>) -> mpsc::Receiver<Batch> {
    let (sender, receiver) = mpsc::channel(2);
    std::thread::spawn(move || {
        while let Some(batch) = names.next_batch(&mut |_| {}).unwrap() {
            if sender.blocking_send(batch).is_err() {
                return;
            }
        }
    });
    receiver
}

fn names(text: impl Into<String>) -> mpsc::Receiver<Batch> {
    feed(Names::new(io::Cursor::new(text.into().into_bytes())))
}

fn many(count: usize) -> mpsc::Receiver<Batch> {
    names(
        (0..count)
            .map(|number| format!("n{number}.example.test\n"))
            .collect::<String>(),
    )
}

/// Long waits: what answers is heard, however busy the machine is.
fn patient() -> Settings {
    Settings {
        timeout: Duration::from_secs(30),
        ..Settings::default()
    }
}

/// Short waits, for what is silent for ever.
fn settings() -> Settings {
    Settings {
        timeout: Duration::from_millis(300),
        ..Settings::default()
    }
}

async fn sweep(settings: &Settings, servers: &[SocketAddr], names: mpsc::Receiver<Batch>) -> Notebook {
    let mut notebook = Notebook::default();
    let random = StdRng::seed_from_u64(1);
    let stop = std::future::pending();
    let end = ask(settings, servers, names, &mut notebook, stop, &SystemClock, random).await;
    assert_eq!(end.unwrap(), End::Done);
    assert_eq!((notebook.twice.len(), notebook.last.pending.len()), (0, 0));
    notebook
}

fn at(server: &Scripted) -> SocketAddr {
    (HERE, server.port).into()
}

fn in_lab(lab: &Lab, address: &str) -> SocketAddr {
    (address.parse::<IpAddr>().unwrap(), lab.port()).into()
}

fn truth(question: &[u8]) -> Vec<Reply> {
    vec![Reply::FromHere(answer(question, TRUE))]
}

fn changed(question: &[u8], at: usize, flip: u8) -> Reply {
    let mut octets = answer(question, FORGED);
    octets[at] ^= flip;
    Reply::FromHere(octets)
}

#[tokio::test]
async fn each_name_is_asked_once_and_told_of_once() {
    let server = Scripted::start(truth).await;
    let notebook = sweep(&patient(), &[at(&server)], many(3_000)).await;
    assert_eq!((notebook.lines.len(), server.count()), (3_000, 3_000));
    assert_eq!(notebook.line(1).name.to_string(), "n0.example.test");
    assert_eq!(notebook.line(3_000).name.to_string(), "n2999.example.test");
    assert!((1..=3_000).all(|line| notebook.data(line) == ["192.0.2.1"]));
    assert_eq!(notebook.line(7).server, at(&server).to_string());
}

#[tokio::test]
async fn a_forged_answer_is_never_believed() {
    let server = Scripted::start(|question| {
        vec![
            changed(question, 0, 0x55),
            changed(question, 1, 0x55),
            changed(question, 14, 0x02),
            changed(question, name_end(question) + 1, 0x10),
            Reply::FromElsewhere(answer(question, FORGED)),
            Reply::FromHere(answer(question, TRUE)),
        ]
    })
    .await;
    let notebook = sweep(&patient(), &[at(&server)], many(500)).await;
    assert!((1..=500).all(|line| notebook.data(line) == ["192.0.2.1"]));
    assert!(notebook.disbelieved >= 500, "{}", notebook.disbelieved);
}

#[tokio::test]
async fn forged_answers_alone_are_no_answer() {
    let forgeries: [fn(&[u8]) -> Reply; 3] = [
        |question| changed(question, 14, 0x02),
        |question| changed(question, name_end(question) + 1, 0x10),
        |question| Reply::FromElsewhere(answer(question, FORGED)),
    ];
    for forge in forgeries {
        let server = Scripted::start(move |question| vec![forge(question)]).await;
        let notebook = sweep(&settings(), &[at(&server)], many(20)).await;
        assert_eq!(notebook.outcomes(), [(Outcome::Timeout, 20)].into());
        assert_eq!(server.count(), 40, "each is asked twice");
        assert_eq!(notebook.disbelieved, 40);
    }
}

#[tokio::test]
async fn what_a_bad_server_does_is_kept_as_it_is() {
    for (fault, outcome, rcode) in [
        (Fault::Silent, Outcome::Timeout, None),
        (Fault::WrongId, Outcome::Timeout, None),
        (Fault::WrongQuestion, Outcome::Timeout, None),
        (Fault::Garbage, Outcome::Garbage, None),
        (Fault::Refused, Outcome::Answer, Some("REFUSED")),
        (Fault::Servfail, Outcome::Answer, Some("SERVFAIL")),
        (Fault::Truncates, Outcome::Answer, Some("NOERROR")),
    ] {
        let lab = pocket().await;
        spoil(&lab, "ns1.good.test", fault);
        let server = in_lab(&lab, "127.10.3.1");
        let notebook = sweep(&settings(), &[server], names("web.good.test\n")).await;
        let line = notebook.line(1);
        assert_eq!((line.outcome, line.rcode.as_deref()), (outcome, rcode), "{fault}");
        let over_tcp = fault == Fault::Truncates;
        assert_eq!(line.transport == Transport::Tcp, over_tcp, "{fault}");
        assert_eq!(line.flags.contains(&"tc".to_owned()), over_tcp, "{fault}");
    }
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_again_over_tcp_and_one_that_cannot_be_had_so_is_told_of() {
    let lab = pocket().await;
    let server = in_lab(&lab, "127.10.3.1");
    let big = Settings {
        rtype: Rtype::TXT,
        ..patient()
    };
    let notebook = sweep(&big, &[server], names("big.good.test\n")).await;
    assert_eq!(
        (notebook.line(1).transport, notebook.line(1).answers.len()),
        (Transport::Tcp, 11)
    );
    spoil(&lab, "ns1.good.test", Fault::UdpOnly);
    let notebook = sweep(&big, &[server], names("big.good.test\n")).await;
    assert_eq!(notebook.line(1).transport, Transport::Tcp);
    assert_ne!(notebook.line(1).outcome, Outcome::Answer);
}

#[tokio::test]
async fn a_server_that_truncates_all_and_lets_no_connection_through_does_not_hold_the_sweep_up() {
    // its queue of connections is full, so that further ones are not taken up
    let listener = tokio::net::TcpSocket::new_v4().unwrap();
    listener.bind((HERE, 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = listener.listen(1).unwrap();
    let mut full = Vec::new();
    for _ in 0..8 {
        let connect = tokio::net::TcpStream::connect(address);
        full.extend(tokio::time::timeout(Duration::from_millis(200), connect).await);
    }
    let socket = tokio::net::UdpSocket::bind(address).await.unwrap();
    tokio::spawn(async move {
        let mut room = [0; 512];
        loop {
            let (size, from) = socket.recv_from(&mut room).await.unwrap();
            let mut truncated = answer(&room[..size], TRUE);
            truncated[2] |= 2;
            socket.send_to(&truncated, from).await.unwrap();
        }
    });
    let unhurried = Settings {
        timeout: Duration::from_secs(2),
        ..settings()
    };
    let notebook = sweep(&unhurried, &[address], many(2_000)).await;
    let over_tcp = notebook.lines.values().filter(|line| line.transport == Transport::Tcp);
    assert_eq!(over_tcp.clone().count(), 2_000);
    assert!(over_tcp.clone().all(|line| line.outcome == Outcome::Timeout));
    let tried = over_tcp.filter(|line| line.attempts == 2).count();
    assert!((1..=250).contains(&tried), "{tried} of them were tried");
    drop(listener);
}

#[tokio::test]
async fn a_closed_port_is_a_refusal() {
    let closed = {
        let socket = tokio::net::UdpSocket::bind((HERE, 0)).await.unwrap();
        socket.local_addr().unwrap()
    };
    let notebook = sweep(&settings(), &[closed], many(10)).await;
    assert_eq!(notebook.outcomes(), [(Outcome::Refused, 10)].into());
}

#[tokio::test]
async fn an_answer_that_comes_after_its_question_was_given_up_still_counts() {
    let socket = tokio::net::UdpSocket::bind((HERE, 0)).await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut room = [0; 512];
        let (size, from) = socket.recv_from(&mut room).await.unwrap();
        let late = answer(&room[..size], TRUE);
        // the second question brings the answer to the first
        socket.recv_from(&mut room).await.unwrap();
        socket.send_to(&late, from).await.unwrap();
    });
    let unhurried = Settings {
        timeout: Duration::from_secs(3),
        ..settings()
    };
    let notebook = sweep(&unhurried, &[server], names("late.example.test\n")).await;
    assert_eq!(notebook.line(1).outcome, Outcome::Answer);
    let waited = notebook.line(1).rtt_us.unwrap();
    assert!(waited >= 1_000_000, "measured from the first question: {waited}");
}

#[tokio::test]
async fn a_dead_server_costs_the_names_little_when_others_live() {
    let (dead, live) = (Scripted::start(|_| Vec::new()).await, Scripted::start(truth).await);
    let unhurried = Settings {
        timeout: Duration::from_secs(6),
        ..settings()
    };
    let notebook = sweep(&unhurried, &[at(&dead), at(&live)], many(4_000)).await;
    assert_eq!(notebook.outcomes(), [(Outcome::Answer, 4_000)].into());
    // at first as many as may be out, then one at a time
    assert!(dead.count() < 400, "{}", dead.count());
}

#[tokio::test]
async fn a_sweep_gives_up_when_nobody_answers_any_more_and_names_stay_unasked() {
    let dead = Scripted::start(|_| Vec::new()).await;
    let impatient = Settings {
        patience: Duration::from_secs(1),
        ..settings()
    };
    let mut notebook = Notebook::default();
    let random = StdRng::seed_from_u64(1);
    let stop = std::future::pending();
    let end = ask(
        &impatient,
        &[at(&dead)],
        many(5_000),
        &mut notebook,
        stop,
        &SystemClock,
        random,
    )
    .await;
    assert_eq!(end.unwrap(), End::Silence);
    assert_eq!(notebook.silent, 1);
    assert!(notebook.lines.len() < 1_000, "{}", notebook.lines.len());
    assert!(!notebook.last.pending.is_empty());
}

#[tokio::test]
async fn letters_are_random_where_wanted_and_an_answer_in_other_letters_is_not_taken_over_udp() {
    let wanted = Settings {
        case_randomization: true,
        ..patient()
    };
    let server = Scripted::start(truth).await;
    let notebook = sweep(&wanted, &[at(&server)], many(50)).await;
    assert_eq!(notebook.outcomes(), [(Outcome::Answer, 50)].into());
    assert_eq!(
        notebook.line(1).name.to_string(),
        "n0.example.test",
        "names are told of in lower case"
    );

    let levelling = Scripted::start(|question| truth(&question.to_ascii_lowercase())).await;
    let notebook = sweep(
        &wanted,
        &[at(&levelling)],
        names("a-name-of-many-letters.example.test\n"),
    )
    .await;
    // nobody listens for TCP there
    assert_eq!(
        (notebook.line(1).outcome, notebook.line(1).transport),
        (Outcome::Refused, Transport::Tcp)
    );
}

#[tokio::test]
async fn questions_to_one_server_keep_their_distance() {
    let server = Scripted::start(truth).await;
    let slow = Settings {
        server_interval: Some(Duration::from_millis(20)),
        ..patient()
    };
    let twice = [at(&server), at(&server)];
    let notebook = sweep(&slow, &twice, many(20)).await;
    let mut times: Vec<_> = notebook.lines.values().map(|line| line.time.as_microsecond()).collect();
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 19_999), "{times:?}");
}

#[tokio::test]
async fn both_families_are_asked_in_one_sweep() {
    let Ok(six) = tokio::net::UdpSocket::bind("[::1]:0").await else {
        testkit::program::leave_out("no IPv6 on loopback").unwrap();
        return;
    };
    let address = six.local_addr().unwrap();
    tokio::spawn(async move {
        let mut room = [0; 512];
        loop {
            let (size, from) = six.recv_from(&mut room).await.unwrap();
            six.send_to(&answer(&room[..size], TRUE), from).await.unwrap();
        }
    });
    let four = Scripted::start(truth).await;
    let notebook = sweep(&patient(), &[at(&four), address], many(1_000)).await;
    assert_eq!(notebook.outcomes(), [(Outcome::Answer, 1_000)].into());
    let by_six = notebook
        .lines
        .values()
        .filter(|line| line.server == address.to_string())
        .count();
    assert!(by_six > 100 && four.count() > 100, "{by_six}");
}

#[tokio::test]
async fn what_is_under_way_and_pending_is_bounded_whatever_the_number_of_names() {
    /// Names without end, made when they are read: nobody holds them all.
    struct Generator(u64);
    impl io::Read for Generator {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Ok(0);
            }
            self.0 -= 1;
            let line = format!("n{}.example.test\n", self.0);
            room[..line.len()].copy_from_slice(line.as_bytes());
            Ok(line.len())
        }
    }
    /// Counts, and keeps nothing.
    #[derive(Default)]
    struct Counter {
        names: u64,
        most_pending: usize,
    }
    impl Keeper for Counter {
        fn keep(&mut self, _: &Swept<'_>) -> io::Result<()> {
            self.names += 1;
            Ok(())
        }
        fn pause(&mut self, moment: &Moment<'_>) -> io::Result<()> {
            self.most_pending = self.most_pending.max(moment.pending.len());
            Ok(())
        }
    }
    let server = Scripted::start(truth).await;
    let small = Settings {
        under_way: 64,
        ..patient()
    };
    let mut counter = Counter::default();
    let (stop, random) = (std::future::pending(), StdRng::seed_from_u64(1));
    let names = feed(Names::new(io::BufReader::new(Generator(60_000))));
    let end = ask(&small, &[at(&server)], names, &mut counter, stop, &SystemClock, random).await;
    assert_eq!((end.unwrap(), counter.names), (End::Done, 60_000));
    assert!(
        counter.most_pending <= 64 + 1024,
        "the table and one batch: {}",
        counter.most_pending
    );
}

#[tokio::test]
async fn a_sweep_that_was_stopped_goes_on_with_what_is_missing() {
    let server = Scripted::start(truth).await;
    let text: String = (0..20_000).map(|number| format!("n{number}.example.test\n")).collect();
    let mut first = Notebook::default();
    let (stop, told) = tokio::sync::oneshot::channel::<()>();
    let names_until_stop = {
        let mut names = Names::new(io::Cursor::new(text.clone().into_bytes()));
        let (sender, receiver) = mpsc::channel(1);
        std::thread::spawn(move || {
            for _ in 0..5 {
                let batch = names.next_batch(&mut |_| {}).unwrap().unwrap();
                sender.blocking_send(batch).unwrap();
            }
            let _ = stop.send(());
            // the channel stays open: only the word to stop ends the sweep
            std::thread::park_timeout(Duration::from_secs(60));
        });
        receiver
    };
    let random = || StdRng::seed_from_u64(1);
    let told = async {
        let _ = told.await;
    };
    let end = ask(
        &patient(),
        &[at(&server)],
        names_until_stop,
        &mut first,
        told,
        &SystemClock,
        random(),
    )
    .await;
    assert_eq!(end.unwrap(), End::Stopped);
    let state = State::from_json(&first.last.to_json()).unwrap();
    assert_eq!(state.lines as usize, first.lines.len() + state.pending.len());

    let rest = feed(Names::resume(
        io::Cursor::new(text.into_bytes()),
        &state,
        HashMap::new(),
    ));
    let mut second = Notebook::default();
    let stop = std::future::pending();
    let end = ask(
        &patient(),
        &[at(&server)],
        rest,
        &mut second,
        stop,
        &SystemClock,
        random(),
    )
    .await;
    assert_eq!(end.unwrap(), End::Done);
    assert!(second.lines.keys().all(|line| !first.lines.contains_key(line)));
    assert_eq!(first.lines.len() + second.lines.len(), 20_000);
}

#[tokio::test]
async fn a_sweep_ends_with_the_reason_when_nothing_more_can_be_kept() {
    let server = Scripted::start(truth).await;
    let mut notebook = Notebook {
        room: Some(100),
        ..Notebook::default()
    };
    let (stop, random) = (std::future::pending(), StdRng::seed_from_u64(1));
    let end = ask(
        &patient(),
        &[at(&server)],
        many(500),
        &mut notebook,
        stop,
        &SystemClock,
        random,
    )
    .await;
    assert!(matches!(end, Err(measure::sweep::SweepError::Keep(_))));
    assert_eq!(notebook.lines.len(), 100);
}

async fn walk(lab: &Lab, settings: &Settings, names: mpsc::Receiver<Batch>) -> Notebook {
    let root = Root {
        hints: lab.hints(),
        port: lab.port(),
        ipv4: true,
        ipv6: false,
    };
    let mut notebook = Notebook::default();
    let stop = std::future::pending();
    let end = iterate(settings, &root, names, &mut notebook, stop, Arc::new(SystemClock)).await;
    assert_eq!(end.unwrap(), End::Done);
    assert_eq!((notebook.twice.len(), notebook.last.pending.len()), (0, 0));
    notebook
}

#[tokio::test]
async fn names_are_found_along_the_walk_from_the_root() {
    let lab = pocket().await;
    let text = "www.good.test\nwww.shop.example\nno-such-name.good.test\ntest\ngood.test\n";
    let notebook = walk(&lab, &patient(), names(text)).await;
    let rcodes: Vec<&str> = (1..=5)
        .map(|line| notebook.line(line).rcode.as_deref().unwrap())
        .collect();
    assert_eq!(rcodes, ["NOERROR", "NOERROR", "NXDOMAIN", "NOERROR", "NOERROR"]);
    assert_eq!(
        notebook.data(1),
        ["web.good.test.", "127.10.3.4"],
        "the alias, and what it leads to"
    );
    assert_eq!(notebook.data(2).len(), 1);
    assert!(
        notebook.line(2).server.starts_with("127.10.3."),
        "{}",
        notebook.line(2).server
    );
}

#[tokio::test]
async fn the_root_is_asked_a_few_times_for_any_number_of_names() {
    let lab = pocket().await;
    let names = names(
        (0..2_000)
            .map(|number| format!("n{number}.shop.example\n"))
            .collect::<String>(),
    );
    let few = Settings {
        under_way: 20,
        ..patient()
    };
    let notebook = walk(&lab, &few, names).await;
    assert_eq!(notebook.lines.len(), 2_000);
    let asked = lab.questions();
    let of = |address: &str| asked[&address.parse::<IpAddr>().unwrap()].udp;
    let root = of("127.10.0.1") + of("127.10.0.2");
    assert!(root <= 200, "{root} questions to the root");
    let zone = of("127.10.3.1") + of("127.10.3.2");
    assert!(
        zone < 2 * 2_000,
        "{zone} questions to the zone: its servers' addresses are not looked up for each name"
    );
}

#[tokio::test]
async fn on_the_walk_a_bad_server_is_passed_over_and_bad_servers_alone_are_told_of() {
    let lab = pocket().await;
    spoil(&lab, "ns1.good.test", Fault::Silent);
    let notebook = walk(&lab, &settings(), names("www.plain.test\n")).await;
    assert_eq!(notebook.line(1).outcome, Outcome::Answer);
    for (fault, outcome, rcode) in [
        (Fault::Refused, Outcome::Answer, Some("REFUSED")),
        (Fault::WrongId, Outcome::Timeout, None),
        (Fault::Garbage, Outcome::Garbage, None),
    ] {
        let lab = pocket().await;
        spoil(&lab, "ns1.good.test", fault);
        spoil(&lab, "ns2.good.test", fault);
        let notebook = walk(&lab, &settings(), names("www.plain.test\n")).await;
        let line = notebook.line(1);
        assert_eq!((line.outcome, line.rcode.as_deref()), (outcome, rcode), "{fault}");
    }
}
