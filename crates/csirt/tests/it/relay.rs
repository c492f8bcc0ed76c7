//! Notices through a real relay: Postfix, which takes passwords from Dovecot.

use std::io::{BufRead, Write};
use std::time::Duration;

use csirt::notices::{Delivery, Mailer, Notice, NoticeState, Security, SmtpSettings, deliver, get};
use csirt::{links, requests::Request};
use testkit::mail_server::{MailServer, PASSWORD, PROGRAMS, Ports};
use testkit::program::are_installed;

use crate::World;
use crate::matter::{centre, open_request, queue, token_in};

/// Which port of the relay, and how the way to it is secured.
type Way = (fn(&Ports) -> u16, Security);

/// A notice that waits, and the relay that it is to go through.
struct Post {
    server: MailServer,
    world: World,
    request: Request,
    notice: Notice,
}

impl Post {
    /// `None` where the servers are not installed.
    async fn set_up() -> Option<Self> {
        if !are_installed(PROGRAMS).unwrap() {
            return None;
        }
        let server = tokio::task::block_in_place(MailServer::start).unwrap();
        let world = World::open(testkit::database::sqlite().unwrap()).await;
        let (_, request) = open_request(&world).await;
        let notice = queue(&world, &request).await;
        Some(Self {
            server,
            world,
            request,
            notice,
        })
    }

    /// A relay at `port` that is trusted and greeted as it should be.
    fn settings(&self, port: fn(&Ports) -> u16, security: Security) -> SmtpSettings {
        SmtpSettings {
            host: "localhost".to_owned(),
            port: port(&self.server.ports),
            security,
            user: "centre".to_owned(),
            password: PASSWORD.to_owned(),
            hello: "cert.example".to_owned(),
            ca_file: Some(self.server.authority()),
            ..SmtpSettings::default()
        }
    }

    async fn deliver(&self, settings: &SmtpSettings) -> Delivery {
        let mailer = Mailer::smtp(settings).unwrap();
        deliver(&self.world.records, &centre(), self.notice.id, &mailer)
            .await
            .unwrap()
    }

    /// Delivers where it must not come to that: the notice waits. Why, in the words that people see.
    async fn refusal(&self, settings: &SmtpSettings) -> String {
        let delivery = self.deliver(settings).await;
        assert!(matches!(delivery, Delivery::RetryAt(_)), "{delivery:?}");
        let notice = get(&self.world.records, self.notice.id).await.unwrap();
        assert_eq!(notice.state, NoticeState::Queued);
        notice.last_error.unwrap()
    }

    /// The newest mail that the party has, once it has one.
    async fn arrived(&self) -> String {
        for _ in 0..100 {
            let mail = tokio::task::block_in_place(|| newest_mail(self.server.ports.imap));
            if mail.contains(&self.notice.message_id) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("nothing arrived:\n{}", self.server.logs());
    }
}

/// What the party's mailbox holds of its newest mail.
fn newest_mail(port: u16) -> String {
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut lines = std::io::BufReader::new(stream.try_clone().unwrap());
    let (mut stream, mut all) = (stream, String::new());
    let login = format!("LOGIN party {PASSWORD}");
    for (tag, command) in [login.as_str(), "SELECT INBOX", "FETCH * BODY[]"].iter().enumerate() {
        write!(stream, "t{tag} {command}\r\n").unwrap();
        let end = format!("t{tag} ");
        loop {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "{all}");
            if line.starts_with(&end) {
                break;
            }
            all.push_str(&line);
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_goes_out_by_starttls_with_a_password() {
    let Some(post) = Post::set_up().await else { return };
    let settings = post.settings(|ports| ports.submission, Security::Required);
    assert_eq!(post.deliver(&settings).await, Delivery::Sent, "{}", post.server.logs());
    let token = token_in(&post.arrived().await).to_string();
    let shown = links::view(&post.world.records, &token).await.unwrap();
    assert_eq!(shown.request.id, post.request.id);
    // the relay writes its summary when the connection has ended, a moment after the mail lies in its box
    let is_told = || post.server.smtp_log().contains("starttls=1 auth=1 mail=1");
    testkit::loopback::wait_until(Duration::from_secs(10), is_told);
    let log = post.server.smtp_log();
    assert!(log.contains("sasl_username=centre"), "{log}");
    assert!(is_told(), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_goes_out_behind_tls_with_a_password() {
    let Some(post) = Post::set_up().await else { return };
    let settings = post.settings(|ports| ports.smtps, Security::Tls);
    assert_eq!(post.deliver(&settings).await, Delivery::Sent, "{}", post.server.logs());
    post.arrived().await;
    assert!(post.server.smtp_log().contains("sasl_username=centre"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_certificate_is_refused_before_anything_is_said() {
    let Some(post) = Post::set_up().await else { return };
    let ways: [Way; 3] = [
        (|ports| ports.submission, Security::Required),
        (|ports| ports.smtps, Security::Tls),
        // Where TLS is offered it must be right: else whoever stands between needs no more than a certificate of his own.
        (|ports| ports.submission, Security::Opportunistic),
    ];
    for (port, security) in ways {
        let nobody_knows = SmtpSettings {
            ca_file: None,
            ..post.settings(port, security)
        };
        let another_name = SmtpSettings {
            host: "127.0.0.1".to_owned(),
            ..post.settings(port, security)
        };
        for settings in [nobody_knows, another_name] {
            let reason = post.refusal(&settings).await;
            assert!(reason.contains("certificate"), "{security:?}: {reason}");
        }
    }
    let log = post.server.smtp_log();
    assert!(!log.contains("auth=") && !log.contains("mail="), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_in_the_clear_where_tls_is_wanted() {
    let Some(post) = Post::set_up().await else { return };
    let reason = post
        .refusal(&post.settings(|ports| ports.clear, Security::Required))
        .await;
    assert!(reason.contains("STARTTLS"), "{reason}");
    let hasty = SmtpSettings {
        timeout_secs: 2,
        ..post.settings(|ports| ports.clear, Security::Tls)
    };
    post.refusal(&hasty).await;
    let log = post.server.smtp_log();
    assert!(!log.contains("auth=") && !log.contains("mail="), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_and_the_notice_waits_for_the_right_one() {
    let Some(post) = Post::set_up().await else { return };
    let ways: [Way; 2] = [
        (|ports| ports.submission, Security::Required),
        (|ports| ports.smtps, Security::Tls),
    ];
    for (port, security) in ways {
        let wrong = SmtpSettings {
            password: "loopbakc".to_owned(),
            ..post.settings(port, security)
        };
        let reason = post.refusal(&wrong).await;
        assert!(reason.starts_with("the relay does not let us in: "), "{reason}");
        assert!(
            reason.contains("535") && reason.contains("authentication failed"),
            "{reason}"
        );
        assert!(!reason.contains("loopbakc"), "{reason}");
    }
    let right = post.settings(|ports| ports.submission, Security::Required);
    assert_eq!(post.deliver(&right).await, Delivery::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_down_takes_the_notice_once_it_is_back() {
    let Some(mut post) = Post::set_up().await else { return };
    let settings = post.settings(|ports| ports.submission, Security::Required);
    tokio::task::block_in_place(|| post.server.stop_smtp());
    post.refusal(&settings).await;
    tokio::task::block_in_place(|| post.server.start_smtp()).unwrap();
    assert_eq!(post.deliver(&settings).await, Delivery::Sent, "{}", post.server.logs());
    post.arrived().await;
    let attempts = get(&post.world.records, post.notice.id).await.unwrap().attempts;
    assert_eq!(attempts.len(), 2);
}
