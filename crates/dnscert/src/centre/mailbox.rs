//! Fetches the centre's mail: each mail is in the records before the mail server is told that we have it.
//!
//! How far it came stands in the records. A centre that dies at any point fetches some mails again, and the records take each
//! once. The marks of people who look into the mailbox do not matter, except the very first time: what was seen by then
//! is theirs.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use csirt::mailbox::{self, Content, LARGEST, Place, Progress};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::Centre;
use super::imap::{Session, Trouble};
use crate::config::MailboxConfig;

/// Octets of the headers that are fetched of a mail that is too large.
const HEAD: usize = 128 << 10;

/// Longest pause after failures. A password that is wrong is not tried faster, or the account might be locked; longer, and
/// nobody's mail is read for so long after the fault is gone.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How often a dialogue may break off at one mail before that mail is told as one that cannot be fetched. Once is the
/// network; three times in a row, and the mails behind it have waited long enough.
const BREAKS: u32 = 3;

/// Mails that the server is told about in one command.
const MARKED_AT_ONCE: usize = 100;

/// How far before the last look mails are looked at again where the server counts anew. SINCE knows whole days only, in
/// the server's zone (RFC 9051 §6.4.4): less than a day could leave a mail out.
const OVERLAP: SignedDuration = SignedDuration::from_hours(48);

/// The mail at which dialogues break off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stuck {
    uid_validity: u32,
    uid: u32,
    times: u32,
}

/// Fetches mail until the centre stops; waits for that alone where no mailbox is set.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let Some(config) = &centre.config.mailbox else {
        stop.cancelled().await;
        return Ok(());
    };
    let (name, interval) = (config.name(), Duration::from_secs(config.interval_secs.max(1)));
    let (mut failures, mut stuck) = (0, None);
    loop {
        let round = tokio::select! {
            round = round(&centre, config, &name, &mut stuck) => round,
            () = stop.cancelled() => return Ok(()),
        };
        let pause = match round {
            Ok(()) => {
                failures = 0;
                interval
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(mailbox = name, failures, "the mailbox could not be read: {error:#}");
                mailbox::not_fetched(&centre.records, &name, &format!("{error:#}"))
                    .await
                    .context("keeping that the mailbox could not be read")?;
                pause_after(interval, failures)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

/// The interval after the first failure, twice that after the next, up to the longest pause.
fn pause_after(interval: Duration, failures: u32) -> Duration {
    let doubled = interval.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16)));
    doubled.min(LONGEST_PAUSE.max(interval))
}

/// Reads the mailbox to its end once.
async fn round(centre: &Centre, config: &MailboxConfig, name: &str, stuck: &mut Option<Stuck>) -> anyhow::Result<()> {
    let mut session = Session::open(config).await?;
    mark(centre, &mut session, name).await?;
    let progress = mailbox::progress(&centre.records, name, session.uid_validity)
        .await
        .context("looking how far the mailbox was read")?;
    let last = progress.last_uid.unwrap_or(0);
    let found = session
        .search(&wanted(&progress))
        .await
        .context("searching for new mail")?;
    let mut end = session.uid_next.map_or(0, |next| next.saturating_sub(1)).max(last);
    for uid in found {
        // `9:*` finds the last mail also where that is the 5th (RFC 9051 §6.4.9).
        if uid <= last {
            continue;
        }
        if session.uid_next.is_none() {
            end = end.max(uid);
        }
        if !progress.taken.contains(&uid) {
            take(centre, &mut session, name, uid, stuck).await?;
        }
    }
    mailbox::fetched(&centre.records, name, session.uid_validity, end)
        .await
        .context("keeping how far the mailbox was read")?;
    mark(centre, &mut session, name).await?;
    session.close().await;
    Ok(())
}

/// Which mails to look at: the new ones. The first time those that nobody has seen; and where the server counts anew (it
/// was restored, or moved) those too, with those that came since shortly before the last look: the records know which of
/// them they have.
fn wanted(progress: &Progress) -> String {
    match (progress.last_uid, progress.fetched_at) {
        (Some(last), _) => format!("UID {}:*", last.saturating_add(1)),
        (None, Some(fetched)) => format!("OR UNSEEN SINCE {}", (fetched - OVERLAP).strftime("%d-%b-%Y")),
        (None, None) => "UNSEEN".to_owned(),
    }
}

/// Fetches one mail and has it taken. A mail that cannot be fetched is taken as that.
async fn take(
    centre: &Centre,
    session: &mut Session,
    name: &str,
    uid: u32,
    stuck: &mut Option<Stuck>,
) -> anyhow::Result<()> {
    let uid_validity = session.uid_validity;
    let times = stuck.filter(|stuck| (stuck.uid_validity, stuck.uid) == (uid_validity, uid));
    let times = times.map_or(0, |stuck| stuck.times);
    let content = if times >= BREAKS {
        Some(Content::Withheld(format!(
            "the connection broke off at it {times} times"
        )))
    } else {
        match fetch(session, uid).await {
            Ok(content) => content,
            Err(Trouble::Refused(words)) => Some(Content::Withheld(words)),
            Err(Trouble::Broken(error)) => {
                *stuck = Some(Stuck {
                    uid_validity,
                    uid,
                    times: times + 1,
                });
                return Err(error.context(format!("fetching the mail with UID {uid}")));
            }
        }
    };
    let Some(content) = content else { return Ok(()) };
    let place = Place {
        mailbox: name,
        uid_validity,
        uid,
    };
    mailbox::take(&centre.records, place, content)
        .await
        .with_context(|| format!("keeping the mail with UID {uid}"))?;
    Ok(())
}

/// `None` where the mail is gone.
async fn fetch(session: &mut Session, uid: u32) -> Result<Option<Content>, Trouble> {
    let Some(size) = session.size(uid).await? else {
        return Ok(None);
    };
    if size <= LARGEST as u64 {
        let octets = session.octets(uid, false, LARGEST + 1).await?;
        return Ok(octets.map(Content::Whole));
    }
    let octets = session.octets(uid, true, HEAD).await?;
    Ok(octets.map(|octets| Content::Head { octets, size }))
}

/// Tells the mail server which mails we have by now. Where it does not let us, the mails stay unseen and nothing else is
/// held up.
async fn mark(centre: &Centre, session: &mut Session, name: &str) -> anyhow::Result<()> {
    let uids = mailbox::to_mark(&centre.records, name, session.uid_validity)
        .await
        .context("looking which mails are to be marked")?;
    for uids in uids.chunks(MARKED_AT_ONCE) {
        match session.mark_seen(uids).await {
            Ok(()) => {}
            Err(Trouble::Refused(words)) => {
                tracing::warn!(
                    mailbox = name,
                    "the mail server does not let mails be marked as seen: {words}"
                );
            }
            Err(Trouble::Broken(error)) => return Err(error.context("marking mails as seen")),
        }
        mailbox::marked(&centre.records, name, session.uid_validity, uids)
            .await
            .context("keeping which mails were marked")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use csirt::mailbox::Kind;
    use model::SystemClock;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::{Config, MailboxSecurity};

    #[test]
    fn the_first_time_what_people_have_seen_is_theirs_and_later_only_the_uid_counts() {
        let progress = |last_uid, fetched_at: Option<&str>| Progress {
            last_uid,
            fetched_at: fetched_at.map(|time| time.parse().unwrap()),
            ..Progress::default()
        };
        let noon = Some("2026-03-01T12:00:00Z");
        assert_eq!(wanted(&progress(None, None)), "UNSEEN");
        assert_eq!(wanted(&progress(Some(41), noon)), "UID 42:*");
        assert_eq!(wanted(&progress(None, noon)), "OR UNSEEN SINCE 27-Feb-2026");
    }

    #[test]
    fn failures_slow_it_down_to_five_minutes_and_never_below_its_interval() {
        let seconds = |interval, failures| pause_after(Duration::from_secs(interval), failures).as_secs();
        assert_eq!(
            [1, 2, 3, 4, 9].map(|failures| seconds(60, failures)),
            [60, 120, 240, 300, 300]
        );
        assert_eq!(seconds(900, 3), 900);
    }

    /// A mail server with the mails 1 to 3, which answers a command that begins as `odd` does by the line beside it, or
    /// hangs up where that is empty.
    async fn server(odd: &'static [(&'static str, &'static str)]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (read, mut write) = stream.into_split();
                    let mut lines = BufReader::new(read).lines();
                    write.write_all(b"* OK ready\r\n").await?;
                    while let Some(line) = lines.next_line().await? {
                        let (tag, command) = line.split_once(' ').unwrap();
                        let odd = odd.iter().find(|(start, _)| command.starts_with(start));
                        let answer = match odd {
                            Some((_, "")) => break,
                            Some((_, words)) => format!("{tag} {words}\r\n"),
                            None => format!("{}{tag} OK done\r\n", usual(command)),
                        };
                        write.write_all(answer.as_bytes()).await?;
                    }
                    std::io::Result::Ok(())
                });
            }
        });
        port
    }

    fn usual(command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["SELECT", ..] => "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n".to_owned(),
            ["UID", "SEARCH", ..] => "* SEARCH 3 1 2\r\n".to_owned(),
            ["UID", "FETCH", uid, "(UID", "RFC822.SIZE)"] => format!("* {uid} FETCH (UID {uid} RFC822.SIZE 60)\r\n"),
            ["UID", "FETCH", uid, ..] => {
                let mail = format!("From: ada@bank.example\r\nSubject: mail {uid}\r\n\r\nhello\r\n");
                // Another mail's flags may be told at any time.
                format!(
                    "* 9 FETCH (UID 9 FLAGS ())\r\n* {uid} FETCH (UID {uid} BODY[]<0> {{{}}}\r\n{mail})\r\n",
                    mail.len()
                )
            }
            _ => String::new(),
        }
    }

    /// A centre whose mailbox is at that server.
    async fn centre(folder: &tempfile::TempDir, port: u16) -> Centre {
        let config = Config {
            data: folder.path().to_owned(),
            mailbox: Some(MailboxConfig {
                port: Some(port),
                security: MailboxSecurity::None,
                user: "duty".to_owned(),
                ..MailboxConfig::default()
            }),
            ..Config::default()
        };
        let centre = Centre::open(config, Arc::new(SystemClock)).await.unwrap();
        crate::centre::lead::take_now(&centre).await;
        centre
    }

    const NAME: &str = "duty@localhost/INBOX";

    async fn try_once(centre: &Centre, stuck: &mut Option<Stuck>) -> anyhow::Result<()> {
        round(centre, centre.config.mailbox.as_ref().unwrap(), NAME, stuck).await
    }

    async fn count(centre: &Centre, kind: Kind) -> i64 {
        mailbox::counts(&centre.records).await.unwrap()[&kind]
    }

    #[tokio::test]
    async fn a_search_that_is_refused_is_no_empty_mailbox() {
        let folder = tempfile::tempdir().unwrap();
        let centre = centre(
            &folder,
            server(&[("UID SEARCH", "NO [SERVERBUG] index is broken")]).await,
        )
        .await;
        let error = format!("{:#}", try_once(&centre, &mut None).await.unwrap_err());
        assert!(
            error.contains("searching for new mail") && error.contains("index is broken"),
            "{error}"
        );
        let progress = mailbox::progress(&centre.records, NAME, 7).await.unwrap();
        assert_eq!(progress, Progress::default(), "nothing counts as read");
    }

    #[tokio::test]
    async fn a_mail_that_the_server_does_not_hand_out_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let odd: &[(&str, &str)] = &[
            ("UID FETCH 2 (UID BODY", "NO cannot open the file"),
            ("UID STORE", "NO this mailbox is read-only"),
        ];
        let centre = centre(&folder, server(odd).await).await;
        try_once(&centre, &mut None).await.unwrap();
        assert_eq!(
            (
                count(&centre, Kind::Report).await,
                count(&centre, Kind::Unreadable).await
            ),
            (2, 1)
        );
        let progress = mailbox::progress(&centre.records, NAME, 7).await.unwrap();
        assert_eq!(progress.last_uid, Some(3));
    }

    #[tokio::test]
    async fn a_mail_at_which_the_connection_breaks_off_again_and_again_is_told_and_passed() {
        let folder = tempfile::tempdir().unwrap();
        let centre = centre(&folder, server(&[("UID FETCH 2 (UID BODY", "")]).await).await;
        let mut stuck = None;
        for times in 1..=BREAKS {
            let error = format!("{:#}", try_once(&centre, &mut stuck).await.unwrap_err());
            assert!(error.contains("UID 2") && error.contains("hung up"), "{error}");
            assert_eq!(stuck.unwrap().times, times);
            assert_eq!(
                count(&centre, Kind::Report).await,
                1,
                "the mail before it is taken once"
            );
        }
        try_once(&centre, &mut stuck).await.unwrap();
        assert_eq!(
            (
                count(&centre, Kind::Report).await,
                count(&centre, Kind::Unreadable).await
            ),
            (2, 1)
        );
    }

    #[tokio::test]
    async fn what_is_no_mail_server_and_a_way_in_the_clear_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut centre = centre(&folder, server(&[("LOGIN", "NO [AUTHENTICATIONFAILED] wrong")]).await).await;
        let error = format!("{:#}", try_once(&centre, &mut None).await.unwrap_err());
        assert!(error.contains("the user `duty`") && error.contains("wrong"), "{error}");
        if let Some(mailbox) = &mut centre.config.mailbox {
            mailbox.host = "192.0.2.1".to_owned();
        }
        let error = format!("{:#}", try_once(&centre, &mut None).await.unwrap_err());
        assert!(error.contains("only a mail server on this machine"), "{error}");
    }
}
