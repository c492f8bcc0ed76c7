//! A centre in a folder of its own, run by the real binary.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use model::Name;
use tempfile::TempDir;
use testkit::loopback::{free_port, wait_until_listening};

/// What `dnscert` with these arguments says.
pub fn dnscert(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dnscert"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A centre that was set up with `init` and runs with `serve`.
pub struct Centre {
    folder: TempDir,
    /// Where its portal listens.
    pub address: SocketAddr,
    /// Name and password of its administrator.
    pub admin: (String, String),
    child: Option<Child>,
}

impl Centre {
    /// Sets a centre up that asks the DNS by these hints and port. `mail` is the section `[mail]` of its configuration.
    pub fn set_up(hints: &[(Name, Vec<IpAddr>)], dns_port: u16, mail: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("centre");
        let output = dnscert(&["init", home.to_str().unwrap(), "--admin", "ada"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let password = stdout(&output)
            .lines()
            .find_map(|line| line.trim().strip_prefix("password").map(|rest| rest.trim().to_owned()))
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port().unwrap()));
        std::fs::write(home.join("root.hints"), hints_file(hints)).unwrap();
        let configuration = format!(
            "listen = \"{address}\"\npublic_url = \"http://{address}\"\ndata = \"data\"\n\
             [centre]\nname = \"Test DNS-CERT\"\nmail = \"duty@dns-cert.example\"\n\
             [dns]\nhints = \"root.hints\"\nport = {dns_port}\nipv6 = false\n\
             {mail}\n"
        );
        std::fs::write(home.join("dnscert.toml"), configuration).unwrap();
        Self {
            folder,
            address,
            admin: ("ada".to_owned(), password),
            child: None,
        }
    }

    /// Its folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("centre")
    }

    /// Folder of the mails, where it has no relay.
    pub fn outbox(&self) -> PathBuf {
        self.home().join("data/outbox")
    }

    /// Path of its configuration.
    pub fn configuration(&self) -> String {
        self.home().join("dnscert.toml").to_str().unwrap().to_owned()
    }

    /// Runs a command on it.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let configuration = self.configuration();
        dnscert(&[arguments, &["--config", &configuration]].concat())
    }

    /// Starts it and waits until its portal listens.
    pub fn start(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_dnscert"))
            .args(["serve", "--config", &self.configuration()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let child = self.child.as_mut().unwrap();
        let listens = wait_until_listening(self.address, || matches!(child.try_wait(), Ok(None)));
        assert!(listens, "the centre did not start:\n{}", self.log());
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end, and says whether it did so in order.
    pub fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else {
            return false;
        };
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        let ended = testkit::loopback::wait_until(Duration::from_secs(20), || matches!(child.try_wait(), Ok(Some(_))));
        ended && child.wait().unwrap().success()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("centre.log")
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Root hints in zone-file form.
pub fn hints_file(hints: &[(Name, Vec<IpAddr>)]) -> String {
    let mut text = String::new();
    for (server, addresses) in hints {
        text.push_str(&format!(". 3600000 NS {server}.\n"));
        for address in addresses {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            text.push_str(&format!("{server}. 3600000 {kind} {address}\n"));
        }
    }
    text
}

/// All mails in a folder, by file name.
pub fn mails(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}
