//! Real authoritative servers on loopback: NSD, Knot DNS and BIND, each with its own folder, stopped on drop.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::loopback::wait_until_listening;
use crate::program::stop;

/// Which server software.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// NLnet Labs NSD.
    Nsd,
    /// CZ.NIC Knot DNS.
    Knot,
    /// ISC BIND.
    Bind,
}

/// A zone as it is served.
#[derive(Debug, Clone)]
pub struct ZoneText {
    /// Its name, with the final dot; `.` for the root.
    pub name: String,
    /// Its zone file.
    pub text: String,
}

/// A server that runs.
pub struct NameServer {
    software: Software,
    address: IpAddr,
    port: u16,
    folder: tempfile::TempDir,
    zones: Vec<ZoneText>,
    child: Option<Child>,
}

impl NameServer {
    /// Starts the software at `address` and `port` with these zones, and waits until it answers over TCP.
    pub fn start(software: Software, address: IpAddr, port: u16, zones: Vec<ZoneText>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dnscert-ns-")
            .tempdir()
            .context("making a folder")?;
        if software == Software::Bind && address != IpAddr::from([127, 0, 0, 1]) {
            // BIND listens only on addresses that an interface has by name; the others take any of 127/8.
            let added = Command::new("ip")
                .args(["address", "replace", &format!("{address}/8"), "dev", "lo"])
                .status();
            if !added.is_ok_and(|status| status.success()) {
                bail!("BIND needs {address} on the loopback interface, which takes root and iproute2");
            }
        }
        let mut server = Self {
            software,
            address,
            port,
            folder,
            zones,
            child: None,
        };
        server.restart()?;
        Ok(server)
    }

    /// Puts another edition of a zone in place of the one it serves, and restarts the server.
    pub fn replace(&mut self, zone: ZoneText) -> anyhow::Result<()> {
        self.zones.retain(|old| old.name != zone.name);
        self.zones.push(zone);
        self.restart()
    }

    /// Stops the server, as a machine that dies.
    pub fn stop(&mut self) {
        stop(&mut self.child);
    }

    /// Starts it (again) with the zones as they are.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.stop();
        for zone in &self.zones {
            let path = self.folder.path().join(file_name(&zone.name));
            std::fs::write(&path, &zone.text).with_context(|| format!("writing `{}`", path.display()))?;
        }
        let configuration = self.folder.path().join("server.conf");
        std::fs::write(&configuration, self.configuration()).context("writing the server's configuration")?;
        let log = std::fs::File::create(self.folder.path().join("server.log")).context("making the log")?;
        let mut command = match self.software {
            Software::Nsd => program("/usr/sbin/nsd", &["-d", "-c"], &configuration),
            Software::Knot => program("/usr/sbin/knotd", &["-c"], &configuration),
            Software::Bind => program("/usr/sbin/named", &["-g", "-c"], &configuration),
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing the log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {:?}", self.software))?;
        self.child = Some(child);
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        let address = SocketAddr::new(self.address, self.port);
        let child = &mut self.child;
        if wait_until_listening(address, || {
            child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
        }) {
            return Ok(());
        }
        bail!("{:?} does not answer at {address}:\n{}", self.software, self.log())
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        let (address, port) = (self.address, self.port);
        let mut text = match self.software {
            Software::Nsd => format!(
                "server:\n  ip-address: {address}@{port}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{folder}\"\n  \
                 database: \"\"\n  pidfile: \"{folder}/pid\"\n  xfrdfile: \"{folder}/xfrd\"\n  zonelistfile: \"{folder}/list\"\n  \
                 xfrdir: \"{folder}\"\n  hide-version: yes\n  server-count: 1\nremote-control:\n  control-enable: no\n"
            ),
            Software::Knot => format!(
                "server:\n  listen: {address}@{port}\n  rundir: \"{folder}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
                 background-workers: 1\ndatabase:\n  storage: \"{folder}\"\nlog:\n  - target: stderr\n    any: info\n\
                 template:\n  - id: default\n    storage: \"{folder}\"\n    zonefile-sync: -1\n    journal-content: none\nzone:\n"
            ),
            Software::Bind => format!(
                "options {{ directory \"{folder}\"; pid-file \"{folder}/pid\"; session-keyfile \"{folder}/session\";\n  \
                 listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no; allow-transfer {{ none; }};\n  \
                 dnssec-validation no; version none; check-integrity no; notify no; }};\ncontrols {{ }};\n"
            ),
        };
        for zone in &self.zones {
            let (name, file) = (&zone.name, file_name(&zone.name));
            // Writing to a String cannot fail.
            let _ = match self.software {
                Software::Nsd => writeln!(text, "zone:\n  name: \"{name}\"\n  zonefile: \"{file}\""),
                Software::Knot => writeln!(text, "  - domain: \"{name}\"\n    file: \"{file}\""),
                Software::Bind => writeln!(text, "zone \"{name}\" {{ type primary; file \"{file}\"; }};"),
            };
        }
        text
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program(path: &str, arguments: &[&str], last: &Path) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).arg(last);
    command
}

fn file_name(zone: &str) -> String {
    let name = zone.trim_end_matches('.');
    if name.is_empty() {
        "root.zone".to_owned()
    } else {
        format!("{name}.zone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loopback::free_port;
    use crate::program::are_installed;

    #[test]
    fn each_software_starts_dies_and_comes_back() {
        if !are_installed(&["/usr/sbin/nsd", "/usr/sbin/knotd", "/usr/sbin/named"]).unwrap() {
            return;
        }
        let text = "@ 3600 SOA ns1 hostmaster 1 14400 3600 1209600 300\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n";
        for software in [Software::Nsd, Software::Knot, Software::Bind] {
            let zone = ZoneText {
                name: "example.test.".into(),
                text: format!("$ORIGIN example.test.\n{text}"),
            };
            let address = IpAddr::from([127, 0, 71, 1]);
            let mut server = NameServer::start(software, address, free_port().unwrap(), vec![zone.clone()]).unwrap();
            server.stop();
            assert!(
                std::net::TcpStream::connect((address, server.port)).is_err(),
                "{software:?} is still there"
            );
            server.replace(zone).unwrap();
        }
    }
}
