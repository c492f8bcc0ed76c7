//! Real authoritative servers on loopback: NSD, Knot DNS, BIND and PowerDNS, each with its own folder, stopped on drop.
//!
//! All serve a signed zone as its file has it: none signs or mends anything.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::loopback::{PATIENCE, wait_until, wait_until_listening};
use crate::program::{run, stop};

/// Which server software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Software {
    /// NLnet Labs NSD.
    Nsd,
    /// CZ.NIC Knot DNS.
    Knot,
    /// ISC BIND.
    Bind,
    /// PowerDNS Authoritative Server with its backend that reads BIND's files.
    PowerDns,
}

impl Software {
    /// All of them.
    pub const ALL: [Software; 4] = [Software::Nsd, Software::Knot, Software::Bind, Software::PowerDns];

    fn program(self) -> &'static str {
        match self {
            Software::Nsd => "/usr/sbin/nsd",
            Software::Knot => "/usr/sbin/knotd",
            Software::Bind => "/usr/sbin/named",
            Software::PowerDns => "/usr/sbin/pdns_server",
        }
    }
}

/// What all of [`Software::ALL`] need to be installed.
pub const PROGRAMS: &[&str] = &[
    "/usr/sbin/nsd",
    "/usr/sbin/knotd",
    "/usr/sbin/named",
    "/usr/sbin/pdns_server",
    PDNSUTIL,
    "/usr/share/pdns-backend-bind",
];

/// The program that tells PowerDNS what a zone file cannot.
const PDNSUTIL: &str = "/usr/bin/pdnsutil";

/// A zone as it is served.
#[derive(Debug, Clone)]
pub struct ZoneText {
    /// Its name, with the final dot; `.` for the root.
    pub name: String,
    /// Its zone file.
    pub text: String,
}

impl ZoneText {
    fn has_signatures(&self) -> bool {
        self.data_of("RRSIG").is_some()
    }

    /// Hash algorithm, flags, iterations and salt of its NSEC3 records.
    fn nsec3_parameters(&self) -> Option<String> {
        Some(self.data_of("NSEC3PARAM")?.join(" "))
    }

    /// The words of the first record of this type after its type, where each record has a line.
    fn data_of(&self, rtype: &str) -> Option<Vec<&str>> {
        self.text.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // owner, TTL and class go before it
            let at = words.iter().take(4).position(|word| *word == rtype)?;
            Some(words[at + 1..].to_vec())
        })
    }
}

/// A key with which a server lets zones be transferred (RFC 8945), for HMAC-SHA256.
#[derive(Debug, Clone)]
pub struct TransferKey {
    /// Its name.
    pub name: String,
    /// Its secret, in Base64.
    pub secret: String,
}

/// A server that runs.
pub struct NameServer {
    software: Software,
    address: IpAddr,
    port: u16,
    folder: tempfile::TempDir,
    zones: Vec<ZoneText>,
    /// `None`: nobody may transfer zones.
    transfers: Option<TransferKey>,
    /// Where BIND sends dnstap.
    tap: Option<PathBuf>,
    child: Option<Child>,
}

impl NameServer {
    /// Starts the software at `address` and `port` with these zones, and waits until it answers over TCP.
    pub fn start(software: Software, address: IpAddr, port: u16, zones: Vec<ZoneText>) -> anyhow::Result<Self> {
        Self::begin(software, address, port, zones, None, None)
    }

    /// As [`NameServer::start`], and whoever has the key may transfer the zones: as differences too (IXFR), but for PowerDNS, which keeps none.
    pub fn start_with(
        software: Software,
        address: IpAddr,
        port: u16,
        zones: Vec<ZoneText>,
        transfers: Option<TransferKey>,
    ) -> anyhow::Result<Self> {
        Self::begin(software, address, port, zones, transfers, None)
    }

    /// Starts BIND, which tells a Unix socket by dnstap what it is asked and answers.
    pub fn start_bind_with_dnstap(
        address: IpAddr,
        port: u16,
        zones: Vec<ZoneText>,
        socket: &Path,
    ) -> anyhow::Result<Self> {
        Self::begin(Software::Bind, address, port, zones, None, Some(socket.to_owned()))
    }

    fn begin(
        software: Software,
        address: IpAddr,
        port: u16,
        zones: Vec<ZoneText>,
        transfers: Option<TransferKey>,
        tap: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
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
            transfers,
            tap,
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

    /// Puts another edition of a zone in place of the one it serves, and has the server read it while it runs, so that it knows the
    /// difference.
    pub fn reload(&mut self, zone: ZoneText) -> anyhow::Result<()> {
        let Some(child) = self.child.as_ref().filter(|_| self.software != Software::PowerDns) else {
            return self.replace(zone);
        };
        let path = self.folder.path().join(file_name(&zone.name));
        std::fs::write(&path, &zone.text).with_context(|| format!("writing `{}`", path.display()))?;
        // servers that compare a file's times do so by the second
        let file = std::fs::File::options().append(true).open(&path);
        file.and_then(|file| {
            let written = file.metadata()?.modified()?;
            file.set_modified(written + Duration::from_secs(2))
        })
        .with_context(|| format!("dating `{}`", path.display()))?;
        let id = child.id().to_string();
        self.zones.retain(|old| old.name != zone.name);
        self.zones.push(zone);
        run("/bin/kill", &["-HUP", &id]).map(drop)
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
        // PowerDNS finds its configuration by this name alone
        let configuration = self.folder.path().join("pdns.conf");
        std::fs::write(&configuration, self.configuration()).context("writing the server's configuration")?;
        if self.software == Software::PowerDns {
            self.prepare_powerdns()?;
        }
        let log = std::fs::File::create(self.folder.path().join("server.log")).context("making the log")?;
        let arguments = match self.software {
            Software::Nsd => vec!["-d".to_owned(), "-c".to_owned(), configuration.display().to_string()],
            Software::Knot => vec!["-c".to_owned(), configuration.display().to_string()],
            Software::Bind => vec!["-g".to_owned(), "-c".to_owned(), configuration.display().to_string()],
            Software::PowerDns => vec![self.config_dir()],
        };
        let mut command = Command::new(self.software.program());
        command.args(arguments);
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
        }) && self.has_its_zones()
        {
            return Ok(());
        }
        bail!("{:?} does not answer at {address}:\n{}", self.software, self.log())
    }

    /// Waits until the zones are there: BIND listens before it reads them, and answers SERVFAIL meanwhile.
    fn has_its_zones(&self) -> bool {
        self.software != Software::Bind || wait_until(PATIENCE, || self.log().contains("all zones loaded"))
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    fn config_dir(&self) -> String {
        format!("--config-dir={}", self.folder.path().display())
    }

    /// Writes the list of zones, and notes which are signed: PowerDNS takes the chain of NSEC3 records from its own database.
    fn prepare_powerdns(&self) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let mut list = String::new();
        for zone in &self.zones {
            let file = folder.join(file_name(&zone.name));
            // Writing to a String cannot fail.
            let _ = writeln!(
                list,
                "zone \"{}\" {{ type native; file \"{}\"; }};",
                zone.name,
                file.display()
            );
        }
        std::fs::write(folder.join("zones.conf"), list).context("writing the list of zones")?;
        let database = folder.join("dnssec.db");
        if database.exists() {
            std::fs::remove_file(&database).with_context(|| format!("removing `{}`", database.display()))?;
        }
        let home = self.config_dir();
        let tell = |words: &[&str]| run(PDNSUTIL, &[&[home.as_str()], words].concat());
        tell(&["create-bind-db", &database.display().to_string()])?;
        for zone in self.zones.iter().filter(|zone| zone.has_signatures()) {
            tell(&["set-presigned", &zone.name])?;
            if let Some(parameters) = zone.nsec3_parameters() {
                tell(&["set-nsec3", &zone.name, &parameters])?;
            }
        }
        if let Some(key) = &self.transfers {
            tell(&["import-tsig-key", &key.name, "hmac-sha256", &key.secret])?;
            for zone in &self.zones {
                tell(&["activate-tsig-key", &zone.name, &key.name, "primary"])?;
            }
        }
        Ok(())
    }

    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        let (address, port) = (self.address, self.port);
        let key = self.transfers.as_ref();
        let mut text = match self.software {
            Software::Nsd => format!(
                "server:\n  ip-address: {address}@{port}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{folder}\"\n  \
                 database: \"\"\n  pidfile: \"{folder}/pid\"\n  xfrdfile: \"{folder}/xfrd\"\n  zonelistfile: \"{folder}/list\"\n  \
                 xfrdir: \"{folder}\"\n  hide-version: yes\n  server-count: 1\nremote-control:\n  control-enable: no\n{}",
                key.map_or_else(String::new, |key| format!(
                    "key:\n  name: \"{}\"\n  algorithm: hmac-sha256\n  secret: \"{}\"\n",
                    key.name, key.secret
                ))
            ),
            Software::Knot => format!(
                "server:\n  listen: {address}@{port}\n  rundir: \"{folder}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
                 background-workers: 1\ndatabase:\n  storage: \"{folder}\"\nlog:\n  - target: stderr\n    any: info\n{}\
                 template:\n  - id: default\n    storage: \"{folder}\"\n    zonefile-sync: -1\n{}zone:\n",
                key.map_or_else(String::new, |key| format!(
                    "key:\n  - id: {name}\n    algorithm: hmac-sha256\n    secret: {}\n\
                     acl:\n  - id: transfer\n    key: {name}\n    action: transfer\n",
                    key.secret,
                    name = key.name
                )),
                match key {
                    None => "    journal-content: none\n",
                    Some(_) => "    journal-content: changes\n    zonefile-load: difference\n    acl: transfer\n",
                }
            ),
            Software::Bind => format!(
                "options {{ directory \"{folder}\"; pid-file \"{folder}/pid\"; session-keyfile \"{folder}/session\";\n  \
                 listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no;\n  \
                 dnssec-validation no; version none; check-integrity no; notify no;\n  {} }};\ncontrols {{ }};\n{}",
                key.map_or_else(
                    || "allow-transfer { none; };".to_owned(),
                    |key| format!("allow-transfer {{ key {}; }}; ixfr-from-differences yes;", key.name)
                ),
                key.map_or_else(String::new, |key| format!(
                    "key \"{}\" {{ algorithm hmac-sha256; secret \"{}\"; }};\n",
                    key.name, key.secret
                ))
            ),
            Software::PowerDns => format!(
                "allow-axfr-ips=\ndisable-axfr={}\nlaunch=bind\nlocal-address={address}\nlocal-port={port}\nbind-config={folder}/zones.conf\n\
                 bind-dnssec-db={folder}/dnssec.db\nsocket-dir={folder}\ndaemon=no\nguardian=no\ndisable-syslog=yes\n\
                 version-string=anonymous\nsecurity-poll-suffix=\n",
                if key.is_some() { "no" } else { "yes" }
            ),
        };
        if let Some(tap) = &self.tap {
            // Debian's BIND has it; it connects again by itself, after five seconds where nothing else is said
            let options = format!(
                "{{ dnstap {{ auth; client; }}; dnstap-output unix \"{}\"; fstrm-set-reopen-interval 1;",
                tap.display()
            );
            text = text.replacen('{', &options, 1);
        }
        for zone in &self.zones {
            let (name, file) = (&zone.name, file_name(&zone.name));
            // Writing to a String cannot fail.
            let _ = match self.software {
                Software::Nsd => {
                    let provide = key.map_or_else(String::new, |key| {
                        format!(
                            "\n  provide-xfr: 127.0.0.0/8 {}\n  create-ixfr: yes\n  store-ixfr: yes",
                            key.name
                        )
                    });
                    writeln!(text, "zone:\n  name: \"{name}\"\n  zonefile: \"{file}\"{provide}")
                }
                Software::Knot => writeln!(text, "  - domain: \"{name}\"\n    file: \"{file}\""),
                Software::Bind => writeln!(text, "zone \"{name}\" {{ type primary; file \"{file}\"; }};"),
                Software::PowerDns => Ok(()),
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
        if !are_installed(PROGRAMS).unwrap() {
            return;
        }
        let text = "@ 3600 SOA ns1 hostmaster 1 14400 3600 1209600 300\n@ 3600 NS ns1\nns1 3600 A 127.0.0.1\n";
        for software in Software::ALL {
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
