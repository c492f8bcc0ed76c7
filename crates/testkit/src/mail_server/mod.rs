//! A real relay (Postfix, with STARTTLS, TLS and AUTH) and real mailboxes (Dovecot, IMAP) on loopback, stopped on drop.
//!
//! Mail for an address of [`CENTRE_DOMAIN`] goes into the mailbox `centre`, mail for any other address into the mailbox
//! `party`, and mail for the user `gone` of any domain comes back with a delivery report. Both servers need root, to
//! switch to their own users.

mod configuration;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use crate::authority::{self, Authority};
use crate::loopback::{free_port, wait_until, wait_until_listening};
use crate::program::{run, stop};

/// Password of every user, for IMAP and for AUTH.
pub const PASSWORD: &str = "loopback";

/// Domain of the centre.
pub const CENTRE_DOMAIN: &str = "dns-cert.example";

/// What the servers need.
pub const PROGRAMS: &[&str] = &["/usr/sbin/postfix", "/usr/sbin/dovecot", authority::PROGRAM];

/// Where the servers listen on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// SMTP: offers STARTTLS, demands nothing.
    pub smtp: u16,
    /// SMTP: demands STARTTLS, then AUTH.
    pub submission: u16,
    /// SMTP behind TLS: demands AUTH.
    pub smtps: u16,
    /// SMTP: offers no STARTTLS, demands AUTH.
    pub clear: u16,
    /// IMAP: offers STARTTLS.
    pub imap: u16,
    /// IMAP behind TLS.
    pub imaps: u16,
}

/// The two servers.
pub struct MailServer {
    /// Where they listen.
    pub ports: Ports,
    folder: tempfile::TempDir,
    smtp: Option<Child>,
    imap: Option<Child>,
    put: AtomicU32,
}

impl MailServer {
    /// Starts both and waits until they greet.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dnscert-mail-")
            .tempdir()
            .context("making a folder")?;
        let mut server = Self {
            ports: Ports {
                smtp: free_port()?,
                submission: free_port()?,
                smtps: free_port()?,
                clear: free_port()?,
                imap: free_port()?,
                imaps: free_port()?,
            },
            folder,
            smtp: None,
            imap: None,
            put: AtomicU32::new(0),
        };
        server.prepare()?;
        server.start_imap()?;
        server.start_smtp()?;
        Ok(server)
    }

    /// Cuts the relay, as when its machine goes down.
    pub fn stop_smtp(&mut self) {
        stop(&mut self.smtp);
        // the relay's own children hold its port a moment longer
        wait_until(Duration::from_secs(5), || {
            TcpStream::connect(("127.0.0.1", self.ports.smtp)).is_err()
        });
    }

    /// Starts the relay (again).
    pub fn start_smtp(&mut self) -> anyhow::Result<()> {
        let configuration = self.path("postfix").display().to_string();
        let program = "/usr/lib/postfix/sbin/master";
        self.smtp = Some(self.spawn(program, &["-s", "-c", &configuration], "smtp.log")?);
        self.wait_for(self.ports.smtp, "smtp.log")
    }

    /// Cuts the mailboxes.
    pub fn stop_imap(&mut self) {
        stop(&mut self.imap);
    }

    /// Opens the mailboxes (again).
    pub fn start_imap(&mut self) -> anyhow::Result<()> {
        let configuration = self.path("dovecot.conf").display().to_string();
        self.imap = Some(self.spawn("/usr/sbin/dovecot", &["-F", "-c", &configuration], "imap.log")?);
        self.wait_for(self.ports.imap, "imap.log")
    }

    fn prepare(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        // Postfix and Dovecot walk in as users of their own.
        run("chmod", &["755", &folder.display().to_string()])?;
        for name in ["postfix", "queue", "data", "mail", "run"] {
            std::fs::create_dir_all(self.path(name)).with_context(|| format!("making `{name}`"))?;
        }
        run("chown", &["mail:mail", &self.path("mail").display().to_string()])?;
        run("chown", &["postfix", &self.path("data").display().to_string()])?;
        let issued = Authority::make(folder)?.issue("localhost")?;
        let files = [
            ("postfix/main.cf", configuration::main_cf(folder, &issued)),
            ("postfix/master.cf", configuration::master_cf(&self.ports)),
            ("domains", configuration::DOMAINS.to_owned()),
            ("mailboxes", configuration::mailboxes()),
            (
                "dovecot.conf",
                configuration::dovecot_conf(folder, &self.ports, &issued),
            ),
        ];
        for (name, text) in files {
            std::fs::write(self.path(name), text).with_context(|| format!("writing `{name}`"))?;
        }
        // Makes the folders of the queue, each with its owner.
        run(
            "/usr/sbin/postfix",
            &["-c", &self.path("postfix").display().to_string(), "check"],
        )
    }

    fn spawn(&self, path: &str, arguments: &[&str], name: &str) -> anyhow::Result<Child> {
        let mut log = std::fs::OpenOptions::new();
        let log = log
            .create(true)
            .append(true)
            .open(self.path(name))
            .context("making the log")?;
        Command::new(path)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting `{path}`"))
    }

    fn wait_for(&self, port: u16, log: &str) -> anyhow::Result<()> {
        if wait_until_listening(SocketAddr::from(([127, 0, 0, 1], port)), || true) {
            return Ok(());
        }
        bail!("nothing listens on port {port}:\n{}", self.log(log))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// What the relay wrote.
    pub fn smtp_log(&self) -> String {
        self.log("smtp.log")
    }

    /// What both servers wrote.
    pub fn logs(&self) -> String {
        format!("{}\n{}", self.log("smtp.log"), self.log("imap.log"))
    }

    /// The certificate of the authority that both servers' certificate is from; it is for the host `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Hands a mail to the relay in the clear, as another server would. `from` is empty for a delivery report.
    pub fn send(&self, from: &str, to: &str, mail: &str) -> anyhow::Result<()> {
        let stream = TcpStream::connect(("127.0.0.1", self.ports.smtp)).context("connecting to the relay")?;
        let mut heard = BufReader::new(stream.try_clone().context("sharing the connection")?);
        let mut say = stream;
        let stuffed = mail.replace("\r\n", "\n").replace("\n.", "\n..").replace('\n', "\r\n");
        for (line, wanted) in [
            (String::new(), "220"),
            ("HELO there.example\r\n".to_owned(), "250"),
            (format!("MAIL FROM:<{from}>\r\n"), "250"),
            (format!("RCPT TO:<{to}>\r\n"), "250"),
            ("DATA\r\n".to_owned(), "354"),
            (format!("{stuffed}\r\n.\r\n"), "250"),
        ] {
            say.write_all(line.as_bytes()).context("speaking to the relay")?;
            let mut answer = String::new();
            heard.read_line(&mut answer).context("hearing the relay")?;
            ensure!(answer.starts_with(wanted), "the relay said {answer} to {line}");
        }
        Ok(())
    }

    /// Has the mailbox of `user` count its mails anew under another UIDVALIDITY, as after a move to another server.
    pub fn forget_uids(&mut self, user: &str) -> anyhow::Result<()> {
        self.stop_imap();
        let folder = self.path("mail").join(user);
        for entry in std::fs::read_dir(&folder).context("listing the mailbox")? {
            let path = entry.context("listing the mailbox")?.path();
            if path.is_file() {
                std::fs::remove_file(&path).with_context(|| format!("removing `{}`", path.display()))?;
            }
        }
        self.start_imap()
    }

    /// Puts a mail into the mailbox of `user` as it is, past the relay, which would refuse or mend some.
    pub fn put(&self, user: &str, mail: &[u8]) -> anyhow::Result<()> {
        let number = self.put.fetch_add(1, Ordering::Relaxed);
        let folder = self.path("mail").join(user);
        for name in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(folder.join(name)).with_context(|| format!("making `{name}`"))?;
        }
        let file = folder.join(format!("new/{:010}.M{number}.relay", 1_700_000_000 + number));
        std::fs::write(&file, mail).context("writing the mail")?;
        run("chown", &["-R", "mail:mail", &folder.display().to_string()])
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        stop(&mut self.smtp);
        stop(&mut self.imap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::are_installed;

    fn greeting(port: u16) -> String {
        let mut line = String::new();
        BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap())
            .read_line(&mut line)
            .unwrap();
        line
    }

    #[test]
    fn both_servers_greet_and_the_relay_can_be_cut() {
        if !are_installed(PROGRAMS).unwrap() {
            return;
        }
        let mut server = MailServer::start().unwrap();
        for port in [server.ports.smtp, server.ports.submission, server.ports.clear] {
            assert!(greeting(port).starts_with("220 "), "{}", server.logs());
        }
        assert!(greeting(server.ports.imap).starts_with("* OK"), "{}", server.logs());
        server.stop_smtp();
        assert!(TcpStream::connect(("127.0.0.1", server.ports.smtp)).is_err());
        server.start_smtp().unwrap();
        assert!(greeting(server.ports.smtp).starts_with("220 "), "{}", server.logs());
    }
}
