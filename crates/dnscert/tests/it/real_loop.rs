//! The loop against what people run: NSD, Knot DNS and BIND as servers, Postfix and Dovecot between the centre and the
//! party.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use mail_parser::MessageParser;
use model::Name;
use testkit::loopback::free_port;
use testkit::mail_server::{self, MailServer, PASSWORD};
use testkit::name_server::{NameServer, Software, ZoneText};
use testkit::program::are_installed;

use crate::centre::{Centre, stderr};
use crate::mailbox;
use crate::portal::{Portal, hidden_fields};

/// Longest wait for one step.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the test needs besides cargo and the mail servers.
const NAME_SERVERS: &[&str] = &["/usr/sbin/nsd", "/usr/sbin/knotd", "/usr/sbin/named"];

const SOA: &str = "$TTL 3600\n@ SOA ns1 hostmaster SERIAL 14400 3600 1209600 3600\n";

/// An edition of a zone with this serial and these lines.
fn zone(name: &str, serial: u32, lines: &str) -> ZoneText {
    let text = format!("$ORIGIN {name}\n{}{lines}", SOA.replace("SERIAL", &serial.to_string()));
    ZoneText {
        name: name.to_owned(),
        text,
    }
}

/// The zones of the world: a root on NSD, `test` on Knot DNS and NSD, `shop.test` on BIND and Knot DNS.
struct World {
    port: u16,
    root: NameServer,
    test: [NameServer; 2],
    shop: [NameServer; 2],
}

impl World {
    fn start() -> Self {
        let port = free_port().unwrap();
        let address = |last: u8| IpAddr::from([127, 0, 72, last]);
        let root = "@ NS ns1\nns1 A 127.0.72.1\ntest NS ns1.test.\ntest NS ns2.test.\nns1.test A 127.0.72.2\nns2.test A 127.0.72.3\n";
        let start = |software, last, zone| NameServer::start(software, address(last), port, vec![zone]).unwrap();
        Self {
            port,
            root: start(Software::Nsd, 1, zone(".", 1, root)),
            test: [
                start(Software::Knot, 2, test_zone(1, "ns1.shop", "ns2.shop")),
                start(Software::Nsd, 3, test_zone(1, "ns1.shop", "ns2.shop")),
            ],
            shop: [
                start(Software::Bind, 4, shop_zone()),
                start(Software::Knot, 5, shop_zone()),
            ],
        }
    }

    fn hints(&self) -> Vec<(Name, Vec<IpAddr>)> {
        assert!(!self.root.log().contains("error"), "{}", self.root.log());
        vec![("ns1".parse().unwrap(), vec![IpAddr::from([127, 0, 72, 1])])]
    }
}

fn test_zone(serial: u32, first: &str, second: &str) -> ZoneText {
    let lines = format!(
        "@ NS ns1\n@ NS ns2\nns1 A 127.0.72.2\nns2 A 127.0.72.3\nshop NS {first}\nshop NS {second}\n\
         ns1.shop A 127.0.72.4\nns2.shop A 127.0.72.5\nns1.thief A 127.0.72.4\nns2.thief A 127.0.72.5\n"
    );
    zone("test.", serial, &lines)
}

fn shop_zone() -> ZoneText {
    zone(
        "shop.test.",
        1,
        "@ NS ns1\n@ NS ns2\nns1 A 127.0.72.4\nns2 A 127.0.72.5\nwww A 127.0.72.9\n",
    )
}

const DIRECTORY: &str = r#"{"format": "dnscert-directory-1", "organisations": [{
    "handle": "shop", "name": "متجر الاختبار", "kind": "registrant", "region": "AF",
    "preferred_language": "ar", "time_zone": "Africa/Cairo",
    "channels": [{"kind": "email", "value": "noc@shop.example", "purpose": "security"}],
    "responsibilities": [{"kind": "zone", "value": "shop.test", "role": "operator"}]}, {
    "handle": "test-registry", "name": "Registre de test", "kind": "registry", "region": "EU",
    "preferred_language": "fr", "time_zone": "Europe/Paris",
    "channels": [{"kind": "email", "value": "security@registry.example", "purpose": "security"}],
    "responsibilities": [{"kind": "zone", "value": "test", "role": "registry"}]}, {
    "handle": "absent", "name": "Absent Operator", "kind": "operator", "region": "EU",
    "preferred_language": "en", "time_zone": "UTC",
    "channels": [{"kind": "email", "value": "gone@absent.example", "purpose": "security"}]}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_server_and_a_redelegation_are_told_by_real_mail_and_verified_on_real_servers() {
    if !are_installed(&[NAME_SERVERS, mail_server::PROGRAMS].concat()).unwrap() {
        return;
    }
    let mut world = tokio::task::block_in_place(World::start);
    let mut mail = tokio::task::block_in_place(MailServer::start).unwrap();
    let relay = format!(
        "[mail.relay]\nhost = \"localhost\"\nport = {}\nsecurity = \"required\"\nuser = \"centre\"\n\
         password = \"{PASSWORD}\"\nca_file = \"{}\"\n{}",
        mail.ports.submission,
        mail.authority().display(),
        mailbox::section(&mail, "required")
    );
    let mut centre = Centre::set_up(&world.hints(), world.port, &relay);
    tokio::task::block_in_place(|| {
        let file = centre.home().join("contacts.json");
        std::fs::write(&file, DIRECTORY).unwrap();
        for arguments in [
            &["directory", "import", file.to_str().unwrap()][..],
            &["watch", "add", "shop.test", "--interval", "5"],
        ] {
            let output = centre.run(arguments);
            assert!(output.status.success(), "{}", stderr(&output));
        }
        centre.start();
    });
    let officer = Portal::new(centre.address);
    officer.sign_in(&centre.admin.0, &centre.admin.1).await;

    // Both servers of the shop die; the relay is down as well when the notice is to leave.
    tokio::task::block_in_place(|| {
        world.shop.iter_mut().for_each(NameServer::stop);
        mail.stop_smtp();
    });
    let request = ask_first_proposal(&officer, "shop.test", "متجر الاختبار").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    tokio::task::block_in_place(|| mail.start_smtp()).unwrap();
    let notice = wait_for_mail(&mail, "noc@shop.example").await;
    assert!(notice.body.contains("shop.test"), "{}", notice.body);
    // Somebody who knows the subject answers by mail, and so does an absent colleague's program. Neither moves anything.
    tokio::task::block_in_place(|| {
        let answer = notice.answer("Noc@shop.example", "", "نعمل على ذلك.");
        mail.send("noc@shop.example", "duty@dns-cert.example", &answer).unwrap();
        let absent = notice.answer(
            "night@shop.example",
            "Auto-Submitted: auto-replied\r\n",
            "Back on Monday.",
        );
        mail.send("", "duty@dns-cert.example", &absent).unwrap();
    });
    let case = request.split("/requests/").next().unwrap().to_owned();
    wait_for_text(&officer, &case, "نعمل على ذلك.").await;
    wait_for_text(&officer, &case, "Back on Monday.").await;
    let page = officer.get(&case).await.unwrap().body;
    let line = |text: &str| page.split("<li>").find(|line| line.contains(text)).unwrap().to_owned();
    let (answer, absent) = (line("نعمل على ذلك."), line("Back on Monday."));
    assert!(
        answer.contains("متجر الاختبار") && answer.contains(">answer<"),
        "{answer}"
    );
    assert!(!answer.contains("not an address of the party"), "{answer}");
    assert!(absent.contains(">automatic answer<"), "{absent}");
    wait_for_state(&officer, &request, "sent").await;

    // Another party cannot be reached: the relay takes the notice, and it comes back.
    let absent = ask_by_hand(&officer, &case, "Absent Operator").await;
    wait_for_state(&officer, &absent, "bounced").await;
    wait_for_text(&officer, &case, "failed gone@absent.example 5.1.1").await;

    let party = Portal::new(centre.address);
    party.answer(&notice.link, "acknowledge").await.unwrap();
    wait_for_state(&officer, &request, "acknowledged").await;
    party.answer(&notice.link, "done").await.unwrap();
    wait_for_state(&officer, &request, "working").await;
    tokio::task::block_in_place(|| world.shop.iter_mut().for_each(|server| server.restart().unwrap()));
    party.answer(&notice.link, "done").await.unwrap();
    wait_for_state(&officer, &request, "verified").await;
    close(&officer, &request, "the absent operator is not needed").await;

    // The registry delegates the shop to somebody else's names, without a word beforehand.
    tokio::task::block_in_place(|| {
        for server in &mut world.test {
            server.replace(test_zone(2, "ns1.thief", "ns2.thief")).unwrap();
        }
    });
    let request = ask_first_proposal(&officer, "shop.test", "Registre de test").await;
    let notice = wait_for_mail(&mail, "security@registry.example").await;
    party.answer(&notice.link, "acknowledge").await.unwrap();
    tokio::task::block_in_place(|| {
        for server in &mut world.test {
            server.replace(test_zone(3, "ns1.shop", "ns2.shop")).unwrap();
        }
    });
    party.answer(&notice.link, "done").await.unwrap();
    wait_for_state(&officer, &request, "verified").await;
    close(&officer, &request, "").await;
    assert!(tokio::task::block_in_place(|| centre.stop()), "{}", centre.log());
}

/// Waits for an alert about `zone`, opens a case from it, asks `party`, sends. Path of the request.
async fn ask_first_proposal(officer: &Portal, zone: &str, party: &str) -> String {
    let end = tokio::time::Instant::now() + PATIENCE;
    let alert = loop {
        let page = officer.get("/alerts").await.unwrap().body;
        if let Some(at) = page.find("name=\"alert-").filter(|_| page.contains(zone)) {
            break page[at + "name=\"alert-".len()..][..36].to_owned();
        }
        assert!(tokio::time::Instant::now() < end, "no alert about {zone}:\n{page}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let opened = officer
        .submit("/alerts", "/alerts/selected/case", &[(&format!("alert-{alert}"), "1")])
        .await
        .unwrap();
    let case = opened.to;
    assert!(case.starts_with("/cases/DNSCERT-"), "{}", opened.body);
    let page = officer.get(&case).await.unwrap().body;
    let form = page
        .split("<form")
        .find(|form| form.contains("name=\"proposal\"") && form.contains(party))
        .unwrap_or_else(|| panic!("routing does not propose {party}:\n{page}"));
    let made = officer
        .post(&format!("{case}/requests"), &hidden_fields(form))
        .await
        .unwrap();
    let request = made.to;
    assert!(request.contains("/requests/"), "{}", made.body);
    let sent = officer.submit(&request, &format!("{request}/send"), &[]).await.unwrap();
    assert!(sent.status.is_redirection(), "{}", sent.body);
    request
}

/// Asks an organisation that routing does not propose, and sends. Path of the request.
async fn ask_by_hand(officer: &Portal, case: &str, organisation: &str) -> String {
    let page = officer.get(case).await.unwrap().body;
    let form = page
        .split("<form")
        .find(|form| form.contains("name=\"organisation\""))
        .unwrap();
    let mut fields = hidden_fields(form);
    for (name, value) in [
        ("organisation", organisation),
        ("zone", "shop.test"),
        ("ask", "explain"),
        ("because", "It serves the zone as well."),
    ] {
        fields.insert(name.to_owned(), value.to_owned());
    }
    let made = officer.post(&format!("{case}/requests"), &fields).await.unwrap();
    let request = made.to;
    assert!(request.contains("/requests/"), "{}", made.body);
    let sent = officer.submit(&request, &format!("{request}/send"), &[]).await.unwrap();
    assert!(sent.status.is_redirection(), "{}", sent.body);
    request
}

async fn wait_for_text(officer: &Portal, path: &str, text: &str) {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let page = officer.get(path).await.unwrap().body;
        if page.contains(text) {
            return;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "`{text}` does not appear in {path}:\n{page}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn wait_for_state(officer: &Portal, request: &str, state: &str) {
    let word = language::texts(model::Language::English).get(&format!("case-request-state-{state}"));
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let page = officer.get(request).await.unwrap().body;
        let shown = page
            .split("data-part=\"state\">")
            .nth(1)
            .and_then(|rest| rest.split("</p>").next())
            .unwrap_or("");
        if shown.contains(&word) {
            return;
        }
        assert!(
            tokio::time::Instant::now() < end,
            "{request} did not come to `{word}`: {shown}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn close(officer: &Portal, request: &str, reason: &str) {
    let case = request.split("/requests/").next().unwrap();
    let fields = [("reason", reason)];
    let closed = officer.submit(case, &format!("{case}/close"), &fields).await.unwrap();
    assert!(closed.status.is_redirection(), "{}", closed.body);
}

/// A mail as its reader sees it.
struct Notice {
    message_id: String,
    subject: String,
    body: String,
    link: String,
}

impl Notice {
    /// An answer to it, as a mail program writes it: by its threading, or by the subject alone.
    fn answer(&self, from: &str, head: &str, text: &str) -> String {
        let thread = if head.is_empty() {
            String::new()
        } else {
            format!("In-Reply-To: <{}>\r\n", self.message_id)
        };
        format!(
            "From: {from}\r\nTo: duty@dns-cert.example\r\nSubject: Re: {}\r\nMessage-ID: <{}.{from}>\r\n{thread}{head}\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n",
            self.subject.chars().filter(char::is_ascii).collect::<String>(),
            text.len(),
        )
    }
}

/// Reads the mailbox by IMAP until there is a mail for `address`.
async fn wait_for_mail(server: &MailServer, address: &str) -> Notice {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        for raw in fetch_all(server.ports.imap).await {
            let mail = MessageParser::default().parse(&raw).unwrap();
            let is_for = mail.to().unwrap().iter().any(|to| to.address() == Some(address));
            let body = mail.body_text(0).unwrap_or_default().into_owned();
            if let Some(at) = body.find("/a/").filter(|_| is_for) {
                let end = |c: char| c.is_whitespace() || c == '\u{2069}' || c == '>';
                let link = body[at..].split(end).next().unwrap().to_owned();
                return Notice {
                    message_id: mail.message_id().unwrap().to_owned(),
                    subject: mail.subject().unwrap().to_owned(),
                    body,
                    link,
                };
            }
        }
        assert!(
            tokio::time::Instant::now() < end,
            "no mail for {address}:\n{}",
            server.logs()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn fetch_all(port: u16) -> Vec<Vec<u8>> {
    let mut session = mailbox::open_mailbox(port, "party").await;
    let mut mails = Vec::new();
    let mut fetched = session.uid_fetch("1:*", "RFC822").await.unwrap();
    while let Some(mail) = fetched.next().await {
        mails.extend(mail.unwrap().body().map(<[u8]>::to_vec));
    }
    drop(fetched);
    session.logout().await.unwrap();
    mails
}
