//! A real mail server (OpenSMTPD, with STARTTLS) and a real mailbox (Dovecot, IMAP) on loopback, stopped on drop.
//!
//! Mail for any address goes into one Maildir, which IMAP shows to the user `party`. Both servers need root, to switch to
//! their own users.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::loopback::{free_port, wait_until_listening};
use crate::program::stop;

/// Password of the one mailbox.
pub const PASSWORD: &str = "loopback";

/// The two servers.
pub struct MailServer {
    /// Port of SMTP on 127.0.0.1.
    pub smtp_port: u16,
    /// Port of IMAP on 127.0.0.1.
    pub imap_port: u16,
    folder: tempfile::TempDir,
    smtp: Option<Child>,
    imap: Option<Child>,
}

impl MailServer {
    /// Starts both and waits until they greet.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dnscert-mail-")
            .tempdir()
            .context("making a folder")?;
        let mut server = Self {
            smtp_port: free_port()?,
            imap_port: free_port()?,
            folder,
            smtp: None,
            imap: None,
        };
        server.prepare()?;
        server.start_imap()?;
        server.start_smtp()?;
        Ok(server)
    }

    /// Cuts the relay, as when its machine goes down.
    pub fn stop_smtp(&mut self) {
        stop(&mut self.smtp);
    }

    /// Starts the relay (again).
    pub fn start_smtp(&mut self) -> anyhow::Result<()> {
        let configuration = self.path("smtpd.conf");
        self.smtp = Some(self.spawn("/usr/sbin/smtpd", &["-d", "-f"], &configuration, "smtp.log")?);
        self.wait_for(self.smtp_port, "smtp.log")
    }

    fn start_imap(&mut self) -> anyhow::Result<()> {
        let configuration = self.path("dovecot.conf");
        self.imap = Some(self.spawn("/usr/sbin/dovecot", &["-F", "-c"], &configuration, "imap.log")?);
        self.wait_for(self.imap_port, "imap.log")
    }

    fn prepare(&self) -> anyhow::Result<()> {
        let folder = self.folder.path().display().to_string();
        // Mail is delivered and read as `mail`, a system user of Debian.
        run("chmod", &["755", &folder])?;
        for name in ["Maildir", "run"] {
            std::fs::create_dir_all(self.path(name)).with_context(|| format!("making `{name}`"))?;
        }
        for name in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(self.path("Maildir").join(name)).with_context(|| format!("making `{name}`"))?;
        }
        run(
            "chown",
            &["-R", "mail:mail", &self.path("Maildir").display().to_string()],
        )?;
        let (key, certificate) = (self.path("key.pem"), self.path("cert.pem"));
        run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout",
                &key.display().to_string(),
                "-out",
                &certificate.display().to_string(),
            ],
        )?;
        run("chmod", &["600", &key.display().to_string()])?;
        std::fs::write(self.path("aliases"), "@: mail\n").context("writing the aliases")?;
        std::fs::write(
            self.path("smtpd.conf"),
            format!(
                "pki here cert \"{certificate}\"\npki here key \"{key}\"\ntable everyone {{ \"@\" = \"mail\" }}\n\
                 listen on 127.0.0.1 port {port} tls pki here\n\
                 action keep maildir \"{folder}/Maildir\" virtual <everyone>\n\
                 match from any for any action keep\n",
                certificate = certificate.display(),
                key = key.display(),
                port = self.smtp_port,
            ),
        )
        .context("writing smtpd.conf")?;
        std::fs::write(
            self.path("dovecot.conf"),
            format!(
                "protocols = imap\nbase_dir = {folder}/run\nlog_path = /dev/stderr\nssl = no\ndisable_plaintext_auth = no\n\
                 listen = 127.0.0.1\nmail_location = maildir:{folder}/Maildir\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
                 mail_privileged_group = mail\n\
                 passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}\n\
                 userdb {{\n  driver = static\n  args = uid=mail gid=mail home={folder}\n}}\n\
                 service imap-login {{\n  inet_listener imap {{\n    port = {port}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n",
                port = self.imap_port,
            ),
        )
        .context("writing dovecot.conf")
    }

    fn spawn(&self, path: &str, arguments: &[&str], last: &Path, log: &str) -> anyhow::Result<Child> {
        let log = std::fs::File::create(self.path(log)).context("making the log")?;
        Command::new(path)
            .args(arguments)
            .arg(last)
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

    /// What both servers wrote.
    pub fn logs(&self) -> String {
        format!("{}\n{}", self.log("smtp.log"), self.log("imap.log"))
    }

    /// The certificate of the SMTP server, which signs itself.
    pub fn certificate(&self) -> PathBuf {
        self.path("cert.pem")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        stop(&mut self.smtp);
        stop(&mut self.imap);
    }
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("starting `{program}`"))?;
    if !output.status.success() {
        bail!(
            "`{program} {}` failed:\n{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpStream;

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
        if !are_installed(&["/usr/sbin/smtpd", "/usr/sbin/dovecot", "/usr/bin/openssl"]).unwrap() {
            return;
        }
        let mut server = MailServer::start().unwrap();
        assert!(greeting(server.smtp_port).starts_with("220 "), "{}", server.logs());
        assert!(greeting(server.imap_port).starts_with("* OK"), "{}", server.logs());
        server.stop_smtp();
        assert!(TcpStream::connect(("127.0.0.1", server.smtp_port)).is_err());
        server.start_smtp().unwrap();
        assert!(greeting(server.smtp_port).starts_with("220 "), "{}", server.logs());
    }
}
