//! The centre reads its mail from a real mailbox: Dovecot.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use model::Name;
use testkit::loopback::free_port;
use testkit::mail_server::{MailServer, PASSWORD, PROGRAMS};
use testkit::program::are_installed;

use crate::centre::{Centre, stderr, stdout};
use crate::portal::Portal;

/// Longest wait for one step.
const PATIENCE: Duration = Duration::from_secs(60);

/// The section `[mailbox]` for a way into it.
pub fn section(server: &MailServer, security: &str) -> String {
    let port = if security == "tls" {
        server.ports.imaps
    } else {
        server.ports.imap
    };
    format!(
        "[mailbox]\nhost = \"localhost\"\nport = {port}\nsecurity = \"{security}\"\nuser = \"centre\"\n\
         password = \"{PASSWORD}\"\nca_file = \"{}\"\ninterval_secs = 1\n",
        server.authority().display()
    )
}

/// The mailbox of `user`, as a person's mail program sees it.
pub async fn open_mailbox(port: u16, user: &str) -> async_imap::Session<tokio::net::TcpStream> {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut client = async_imap::Client::new(stream);
    client.read_response().await.unwrap();
    let signed_in = client.login(user, PASSWORD).await;
    let mut session = signed_in.map_err(|(error, _)| error).unwrap();
    session.select("INBOX").await.unwrap();
    session
}

/// Root hints for a centre that has nothing to ask the DNS.
fn nobody() -> Vec<(Name, Vec<IpAddr>)> {
    vec![("ns.test".parse().unwrap(), vec![IpAddr::from([127, 0, 73, 1])])]
}

async fn mark_all_seen(server: &MailServer) {
    let mut session = open_mailbox(server.ports.imap, "centre").await;
    let mut marked = session.store("1:*", "+FLAGS (\\Seen)").await.unwrap();
    while marked.next().await.is_some() {}
    drop(marked);
    session.logout().await.unwrap();
}

/// How many mails of the centre's mailbox nobody has seen.
async fn unseen(server: &MailServer) -> usize {
    let mut session = open_mailbox(server.ports.imap, "centre").await;
    let found = session.search("UNSEEN").await.unwrap().len();
    session.logout().await.unwrap();
    found
}

/// A figure of `/metrics`.
async fn figure(portal: &Portal, name: &str) -> Option<i64> {
    let text = portal.get("/metrics").await.unwrap().body;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}

async fn wait_for_mails(portal: &Portal, kind: &str, wanted: i64, centre: &Centre) {
    let name = format!("dnscert_mails{{kind=\"{kind}\"}}");
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let found = figure(portal, &name).await;
        if found == Some(wanted) {
            return;
        }
        let log = centre.log();
        assert!(
            tokio::time::Instant::now() < end,
            "{name} is {found:?}, not {wanted}:\n{log}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the mailbox has been read to its end once more.
async fn wait_for_round(portal: &Portal) {
    let name = "dnscert_mailbox_fetched_timestamp_seconds";
    let before = figure(portal, name).await;
    let end = tokio::time::Instant::now() + PATIENCE;
    while figure(portal, name).await <= before {
        assert!(tokio::time::Instant::now() < end, "the mailbox is not read");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn mail(subject: &str, head: &str, text: &[u8]) -> Vec<u8> {
    let mut mail =
        format!("From: ada@bank.example\r\nMessage-ID: <{subject}@bank.example>\r\nSubject: {subject}\r\n{head}\r\n")
            .into_bytes();
    mail.extend_from_slice(text);
    mail
}

fn deep() -> Vec<u8> {
    let levels =
        (0..20_000).map(|level| format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    format!(
        "From: eve@evil.example\r\nSubject: deep\r\n{}",
        levels.collect::<String>()
    )
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mail_is_taken_once_whatever_happens_in_between() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let mut server = tokio::task::block_in_place(MailServer::start).unwrap();
    let put = |server: &MailServer, mail: &[u8]| tokio::task::block_in_place(|| server.put("centre", mail)).unwrap();
    put(
        &server,
        &mail("handled", "", b"People have seen this one before there was a centre."),
    );
    mark_all_seen(&server).await;
    put(&server, &mail("first", "", b"bank.example is gone"));
    put(&server, &deep());
    put(&server, &vec![b'x'; 13 << 20]);
    put(
        &server,
        &mail(
            "odd",
            "Content-Type: text/plain; charset=x-unknown\r\n",
            &[b'h', 0xff, 0, b'i'],
        ),
    );

    let mut centre = Centre::set_up(&nobody(), free_port().unwrap(), &section(&server, "tls"));
    tokio::task::block_in_place(|| centre.start());
    let portal = Portal::new(centre.address);
    wait_for_mails(&portal, "unreadable", 2, &centre).await;
    wait_for_mails(&portal, "report", 2, &centre).await;
    wait_for_round(&portal).await;
    assert_eq!(unseen(&server).await, 2, "what cannot be read is left to people");

    // The centre dies; what comes meanwhile is read by somebody's mail program first.
    tokio::task::block_in_place(|| centre.kill());
    put(&server, &mail("meanwhile", "", b"and so is shop.example"));
    mark_all_seen(&server).await;
    tokio::task::block_in_place(|| centre.start());
    wait_for_mails(&portal, "report", 3, &centre).await;
    wait_for_round(&portal).await;

    // The mail server loses its numbers, as after a move: the same mails lie there under other UIDs.
    tokio::task::block_in_place(|| server.forget_uids("centre")).unwrap();
    wait_for_mails(&portal, "duplicate", 5, &centre).await;
    wait_for_mails(&portal, "report", 4, &centre).await;
    wait_for_mails(&portal, "unreadable", 2, &centre).await;

    let officer = Portal::new(centre.address);
    officer.sign_in(&centre.admin.0, &centre.admin.1).await;
    let queue = officer.get("/alerts").await.unwrap().body;
    let (reports, unread) = (
        queue.matches("Report by a person").count(),
        queue.matches("could not be read").count(),
    );
    assert_eq!((reports, unread), (4, 2), "{queue}");
    assert!(tokio::task::block_in_place(|| centre.stop()), "{}", centre.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_cannot_be_read_shows_until_it_can_again() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let mut server = tokio::task::block_in_place(MailServer::start).unwrap();
    let mut centre = Centre::set_up(&nobody(), free_port().unwrap(), &section(&server, "required"));
    tokio::task::block_in_place(|| centre.start());
    let officer = Portal::new(centre.address);
    officer.sign_in(&centre.admin.0, &centre.admin.1).await;
    wait_for_round(&officer).await;
    let page = officer.get("/centre").await.unwrap().body;
    assert!(
        page.contains("centre@localhost/INBOX") && !page.contains("First failure"),
        "{page}"
    );

    tokio::task::block_in_place(|| server.stop_imap());
    let end = tokio::time::Instant::now() + PATIENCE;
    while figure(&officer, "dnscert_mailbox_failing").await != Some(1) {
        assert!(tokio::time::Instant::now() < end, "{}", centre.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let page = officer.get("/centre").await.unwrap().body;
    assert!(
        page.contains("First failure") && page.contains("the mail server"),
        "{page}"
    );
    tokio::task::block_in_place(|| {
        server
            .put("centre", &mail("patient", "", b"I wrote while you were deaf."))
            .unwrap();
        server.start_imap().unwrap();
    });
    wait_for_mails(&officer, "report", 1, &centre).await;
    wait_for_round(&officer).await;
    assert_eq!(figure(&officer, "dnscert_mailbox_failing").await, Some(0));
    assert!(tokio::task::block_in_place(|| centre.stop()), "{}", centre.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_why_a_mailbox_cannot_be_read() {
    if !are_installed(PROGRAMS).unwrap() {
        return;
    }
    let server = tokio::task::block_in_place(MailServer::start).unwrap();
    let right = section(&server, "tls");
    let (authority, clear) = (server.authority().display().to_string(), section(&server, "none"));
    for (section, told) in [
        (
            right.clone(),
            "good      the mailbox centre@localhost/INBOX can be read, 0 mails",
        ),
        (
            section(&server, "required"),
            "good      the mailbox centre@localhost/INBOX can be read",
        ),
        (
            clear.clone(),
            "good      the mailbox centre@localhost/INBOX can be read",
        ),
        (
            right.replace(PASSWORD, "wrong"),
            "does not take the user `centre` with this password",
        ),
        (
            right.replace("\"localhost\"", "\"127.0.0.1\""),
            "agreeing on TLS with `127.0.0.1`",
        ),
        (
            right.replace(&format!("ca_file = \"{authority}\"\n"), ""),
            "agreeing on TLS with `localhost`",
        ),
        (right.clone() + "folder = \"Nowhere\"", "opening the folder `Nowhere`"),
        (clear.replace("localhost", "192.0.2.1"), "`mailbox.security` is `none`"),
        (right.replace("\"tls\"", "\"opportunistic\""), "opportunistic"),
        (
            right.clone() + "password_file = \"nowhere\"",
            "both `mailbox.password` and `mailbox.password_file`",
        ),
        (String::new(), "doubtful  no mailbox is set"),
    ] {
        let centre = Centre::set_up(&nobody(), free_port().unwrap(), &section);
        let output = tokio::task::block_in_place(|| centre.run(&["doctor"]));
        let text = stdout(&output);
        assert!(
            text.contains(told),
            "`{told}` is missing for\n{section}\n{text}{}",
            stderr(&output)
        );
    }
}
