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
        let mut command = Command::new(env!("CARGO_BIN_EXE_dnscert"));
        command.args(["serve", "--config", &self.configuration()]);
        self.run_in_background(command);
    }

    fn run_in_background(&mut self, mut command: Command) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        let child = self.child.as_mut().unwrap();
        let listens = wait_until_listening(self.address, || matches!(child.try_wait(), Ok(None)));
        assert!(listens, "the centre did not start:\n{}", self.log());
    }

    /// Keeps its records in this database from now on, in which it makes its administrator.
    pub fn move_to(&mut self, database: &str) {
        let path = self.configuration();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replacen(
            "data = \"data\"\n",
            &format!("data = \"data\"\ndatabase = \"{database}\"\n"),
            1,
        );
        std::fs::write(path, text).unwrap();
        let made = self.run(&["account", "add", &self.admin.0, "--role", "admin"]);
        // another centre on the same database may have made it
        if made.status.success() {
            let said = stdout(&made);
            let password = said.lines().find_map(|line| line.trim().strip_prefix("password"));
            self.admin.1 = password.unwrap().trim().to_owned();
        }
    }

    /// Number of its process, while it runs.
    pub fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends it a signal by name: `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.process().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Starts it with its data on a file system of its own with so much room.
    pub fn start_in_room(&mut self, megabytes: u32) {
        let data = self.home().join("data");
        let script = "cp -a \"$0\" \"$0.kept\" && mount -t tmpfs -o size=\"$1\"m tmpfs \"$0\" && cp -a \"$0.kept/.\" \"$0\" \
                      && exec \"$2\" serve --config \"$3\"";
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", script])
            .arg(data)
            .arg(megabytes.to_string());
        command.args([env!("CARGO_BIN_EXE_dnscert"), &self.configuration()]);
        self.run_in_background(command);
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
