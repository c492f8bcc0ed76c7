//! `dnscert.toml`: where everything is, with defaults that work on one machine.
//!
//! Precedence: defaults < file < environment (`DNSCERT_LISTEN`, `DNSCERT_MAIL__RELAY__HOST`, …). An unknown key is an error.

mod observations;
mod transfer;
mod wrong;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use csirt::notices::SmtpSettings;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use model::Name;
use serde::{Deserialize, Serialize};

pub use observations::LakeConfig;
pub use transfer::TransferConfig;
pub use wrong::Wrong;

/// The whole configuration of a centre.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the portal listens.
    pub listen: SocketAddr,
    /// Address of the portal as people write it: links in notices begin with it.
    pub public_url: String,
    /// Whether a proxy of ours stands before the portal and names the reader's address in `X-Forwarded-For`. Wrongly true,
    /// anybody can pretend any address to the rate limits; wrongly false, all readers share one limit.
    pub behind_proxy: bool,
    /// Folder of everything that the centre keeps, unless said otherwise below.
    pub data: PathBuf,
    /// Records: `sqlite://…` or `postgres://…`; empty means SQLite in `data`.
    pub database: String,
    /// Who runs this centre.
    pub centre: CentreConfig,
    /// How the DNS is asked.
    pub dns: DnsConfig,
    /// How vantage points measure.
    pub probes: ProbesConfig,
    /// How notices leave.
    pub mail: MailConfig,
    /// Where mail to the centre comes in; none means that nobody reads it here.
    pub mailbox: Option<MailboxConfig>,
    /// The measuring zone for tests of resolvers; none when it is left out.
    pub measuring_zone: Option<MeasuringZoneConfig>,
    /// Observations.
    pub lake: LakeConfig,
    /// Zones that are transferred.
    pub transfer: Vec<TransferConfig>,
}

/// The measuring zone: a name that is delegated to this centre, whose server sees how resolvers ask.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuringZoneConfig {
    /// The name, as its parent delegates it.
    pub name: Name,
    /// Where its server listens, over UDP and TCP: addresses of this machine, each by itself, at port 53.
    pub listen: Vec<SocketAddr>,
    /// The addresses by which the world reaches it, where they differ from those that it listens at (behind an address
    /// translation): the zone gives them for its name server.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
}

impl MeasuringZoneConfig {
    /// The addresses that the zone gives for its name server.
    pub fn published(&self) -> Vec<IpAddr> {
        if self.addresses.is_empty() {
            self.listen.iter().map(SocketAddr::ip).collect()
        } else {
            self.addresses.clone()
        }
    }
}

/// How vantage points measure; the same for all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbesConfig {
    /// Seconds between two measurements. Default 300 (RSSAC047v2 §4.2). Specification 10 wants 60.
    pub interval_secs: u32,
    /// Seconds within which each vantage point chooses its start by chance. Default 60 (RSSAC047v2 §4.2).
    pub jitter_secs: u32,
    /// Milliseconds until a question counts as unanswered. Default 4000 (RSSAC047v2 §5.1).
    pub timeout_ms: u32,
    /// Ask over TCP too.
    pub tcp: bool,
    /// Measure the root too.
    pub root: bool,
    /// Seconds after which a vantage point that was not heard is an alert. Shorter than two intervals, and a restart is one.
    pub silent_after_secs: u32,
}

/// Who runs this centre, as it signs its notices and as RFC 2350 wants it known.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CentreConfig {
    /// Name of the team.
    pub name: String,
    /// Where people write to: the sender of notices, and where answers come back.
    pub mail: String,
    /// Where people call, day and night; empty if nowhere.
    pub phone: String,
    /// Time zone of the team (IANA): it stands on the RFC 2350 page, and accounts that `dnscert account add` makes begin with it.
    pub time_zone: String,
    /// Postal address for the RFC 2350 page, lines divided by newlines; empty when it is not published.
    pub address: String,
    /// Fingerprint of the team's OpenPGP key; empty when there is none.
    pub key_fingerprint: String,
}

/// How the DNS is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsConfig {
    /// File of root hints; empty for those of the IANA root.
    pub hints: PathBuf,
    /// File of trust anchors, DS or DNSKEY records; empty for those of the IANA root, or for none with other hints.
    pub anchors: PathBuf,
    /// Table of who announces which addresses, in a form that [`measure::RouteTable`] reads; empty: a look-up service
    /// is asked for every address in every round.
    pub routes: PathBuf,
    /// IANA's special-purpose address registries (CSV); empty: those that ship.
    pub special_registries: Vec<PathBuf>,
    /// Port of the name servers. Other than 53 only in a lab.
    pub port: u16,
    /// Ask over IPv4.
    pub ipv4: bool,
    /// Ask over IPv6.
    pub ipv6: bool,
    /// Name of this vantage point in samples.
    pub probe: String,
    /// How long one question may take over one transport, all attempts together, in milliseconds. It bounds how long a silent
    /// server delays its own zone's round (about twice this). Below 1200 a server behind a satellite link (RTT 600 ms)
    /// counts as silent when one packet is lost.
    pub timeout_ms: u64,
    /// How many zones are measured at the same time. Too high floods the own line, too low lets rounds slip behind
    /// their interval when many servers are silent (each costs a timeout ladder of about 3 s).
    pub zones_at_once: usize,
    /// Minutes after which a round asks the whole catalogue again; at each interval it asks only what tells an outage or a
    /// takeover. Default 60 (chosen by us). Lower asks over a hundred questions of each zone so often; higher shows a
    /// faulty set-up so much later.
    pub whole_every_minutes: u32,
}

/// How notices leave.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// Folder for `.eml` files when there is no relay; empty for `outbox` in `data`.
    pub folder: PathBuf,
    /// The SMTP relay; none means the folder.
    pub relay: Option<SmtpSettings>,
}

/// Where mail to the centre comes in: a mailbox that is read by IMAP (RFC 9051).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailboxConfig {
    /// Name or address of the mail server.
    pub host: String,
    /// Its port; none for 993 with `tls` and 143 else.
    pub port: Option<u16>,
    /// How the way to it is secured.
    pub security: MailboxSecurity,
    /// User.
    pub user: String,
    /// Its password.
    pub password: String,
    /// File that holds the password instead, read anew for each connection; empty for none.
    pub password_file: PathBuf,
    /// The folder that is read.
    pub folder: String,
    /// Pause between two looks, in seconds. How late an answer by mail is seen; much less than 10 is a burden for the
    /// mail server and wins nothing for people.
    pub interval_secs: u64,
    /// PEM file with a certificate to trust besides the system's; `None` for none.
    pub ca_file: Option<PathBuf>,
}

/// How the way to a mailbox is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailboxSecurity {
    /// TLS from the first octet.
    #[default]
    Tls,
    /// STARTTLS or nothing.
    Required,
    /// In the clear; only to this machine.
    None,
}

impl Default for MailboxConfig {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: None,
            security: MailboxSecurity::Tls,
            user: String::new(),
            password: String::new(),
            password_file: PathBuf::new(),
            folder: "INBOX".to_owned(),
            interval_secs: 60,
            ca_file: None,
        }
    }
}

impl MailboxConfig {
    /// The port.
    pub fn port(&self) -> u16 {
        let usual = if self.security == MailboxSecurity::Tls {
            993
        } else {
            143
        };
        self.port.unwrap_or(usual)
    }

    /// What the mailbox is called in the records, on the health page and in logs: `user@host/folder`.
    pub fn name(&self) -> String {
        format!("{}@{}/{}", self.user, self.host, self.folder)
    }

    /// The password, from where it stands.
    pub fn read_password(&self) -> anyhow::Result<String> {
        if self.password_file.as_os_str().is_empty() {
            return Ok(self.password.clone());
        }
        let path = self.password_file.display();
        if !self.password.is_empty() {
            anyhow::bail!("both `mailbox.password` and `mailbox.password_file` are set");
        }
        let text = std::fs::read_to_string(&self.password_file)
            .with_context(|| format!("reading the mailbox's password from `{path}`"))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl std::fmt::Debug for MailboxConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailboxConfig")
            .field("name", &self.name())
            .field("port", &self.port())
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8053)),
            public_url: "http://127.0.0.1:8053".to_owned(),
            behind_proxy: false,
            data: PathBuf::from("data"),
            database: String::new(),
            centre: CentreConfig::default(),
            dns: DnsConfig::default(),
            probes: ProbesConfig::default(),
            mail: MailConfig::default(),
            mailbox: None,
            measuring_zone: None,
            lake: LakeConfig::default(),
            transfer: Vec::new(),
        }
    }
}

impl Default for ProbesConfig {
    fn default() -> Self {
        let usual = csirt::vantage::PlanSettings::default();
        Self {
            interval_secs: usual.interval_secs,
            jitter_secs: usual.jitter_secs,
            timeout_ms: usual.timeout_ms,
            tcp: usual.tcp,
            root: true,
            silent_after_secs: usual.silent_after_secs,
        }
    }
}

impl Default for CentreConfig {
    fn default() -> Self {
        Self {
            name: "DNS-CERT".to_owned(),
            mail: "dnscert@localhost".to_owned(),
            phone: String::new(),
            time_zone: "UTC".to_owned(),
            address: String::new(),
            key_fingerprint: String::new(),
        }
    }
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            hints: PathBuf::new(),
            anchors: PathBuf::new(),
            routes: PathBuf::new(),
            special_registries: Vec::new(),
            port: 53,
            ipv4: true,
            ipv6: true,
            probe: "centre".to_owned(),
            timeout_ms: 1_200,
            zones_at_once: 100,
            whole_every_minutes: 60,
        }
    }
}

/// Environment variables that set a key here; `DNSCERT_CONFIG` and `DNSCERT_LOG` mean something else.
fn is_setting(key: &figment::value::UncasedStr) -> bool {
    let section = key.as_str().split("__").next().unwrap_or_default();
    [
        "listen",
        "public_url",
        "behind_proxy",
        "data",
        "database",
        "centre",
        "dns",
        "probes",
        "mail",
        "mailbox",
        "measuring_zone",
        "lake",
        "transfer",
    ]
    .iter()
    .any(|known| section.eq_ignore_ascii_case(known))
}

impl Config {
    /// Reads `file`. Paths in it are relative to its folder. Fails for values that no centre can work with; all are named.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let config = Self::parse(file)?;
        let wrong: Vec<String> = config.wrong().iter().map(Wrong::to_string).collect();
        anyhow::ensure!(
            wrong.is_empty(),
            "the configuration `{}` cannot be used: {}",
            file.display(),
            wrong.join("; ")
        );
        Ok(config)
    }

    /// The values that no centre can work with.
    pub fn wrong(&self) -> Vec<Wrong> {
        wrong::wrong(self)
    }

    /// As [`Config::read`], whatever the values are.
    pub fn parse(file: &Path) -> anyhow::Result<Self> {
        if !file.is_file() {
            anyhow::bail!(
                "there is no configuration at `{}`; `dnscert init DIR` writes one",
                file.display()
            );
        }
        let mut config: Config = Figment::from(Serialized::defaults(Config::default()))
            .merge(Toml::file_exact(file))
            .merge(Env::prefixed("DNSCERT_").filter(is_setting).split("__"))
            .extract()
            .map_err(|error| anyhow::anyhow!("{error}"))
            .with_context(|| format!("reading the configuration `{}`", file.display()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let relay = config.mail.relay.as_mut().and_then(|relay| relay.ca_file.as_mut());
        let mailbox = config.mailbox.as_mut();
        let mailbox = mailbox.map(|mailbox| (&mut mailbox.password_file, mailbox.ca_file.as_mut()));
        let mailbox = mailbox
            .into_iter()
            .flat_map(|(file, certificate)| [file].into_iter().chain(certificate));
        let paths = [
            &mut config.data,
            &mut config.dns.hints,
            &mut config.dns.anchors,
            &mut config.dns.routes,
            &mut config.mail.folder,
        ];
        let registries = &mut config.dns.special_registries;
        let keys = config.transfer.iter_mut().map(|transfer| &mut transfer.key_file);
        let others = registries.iter_mut().chain(relay).chain(mailbox).chain(keys);
        for path in paths.into_iter().chain(others) {
            if path.is_relative() && !path.as_os_str().is_empty() {
                *path = folder.join(&*path);
            }
        }
        Ok(config)
    }

    /// URL of the records.
    pub fn database_url(&self) -> String {
        if self.database.is_empty() {
            format!("sqlite://{}?mode=rwc", self.data.join("records.sqlite").display())
        } else {
            self.database.clone()
        }
    }

    /// Folder of the measuring zone's key.
    pub fn measuring_key_folder(&self) -> PathBuf {
        self.data.join("measuring-zone")
    }

    /// Folder of the zones that were transferred.
    pub fn zones_folder(&self) -> PathBuf {
        self.data.join("zones")
    }

    /// Folder of the observations.
    pub fn lake_folder(&self) -> PathBuf {
        self.data.join("lake")
    }

    /// Folder for `.eml` files.
    pub fn outbox(&self) -> PathBuf {
        if self.mail.folder.as_os_str().is_empty() {
            self.data.join("outbox")
        } else {
            self.mail.folder.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dnscert.toml");
        std::fs::write(&file, text).unwrap();
        Config::read(&file)
    }

    #[test]
    fn an_empty_file_gives_a_centre_on_this_machine() {
        let config = read("").unwrap();
        assert_eq!(config.listen.port(), 8053);
        assert!(config.database_url().starts_with("sqlite://"));
        assert!(config.outbox().ends_with("outbox"));
    }

    #[test]
    fn a_measuring_zone_gives_the_addresses_it_listens_at_unless_told_otherwise() {
        let text = "[measuring_zone]\nname = \"Measure.Example\"\nlisten = [\"192.0.2.1:53\", \"[2001:db8::1]:53\"]\n";
        let zone = read(text).unwrap().measuring_zone.unwrap();
        assert_eq!(zone.name.to_string(), "measure.example");
        assert_eq!(
            zone.published(),
            ["192.0.2.1", "2001:db8::1"].map(|address| address.parse::<IpAddr>().unwrap())
        );
        let text = format!("{text}addresses = [\"203.0.113.1\"]\n");
        let zone = read(&text).unwrap().measuring_zone.unwrap();
        assert_eq!(zone.published(), ["203.0.113.1".parse::<IpAddr>().unwrap()]);
        assert!(read("").unwrap().measuring_zone.is_none());
        let error = format!(
            "{:#}",
            read("[measuring_zone]\nname = \"a..b\"\nlisten = []").unwrap_err()
        );
        assert!(error.contains("a..b"), "{error}");
    }

    #[test]
    fn rows_are_kept_for_ever_unless_a_rule_lets_them_go() {
        let days = |table: &str, owner: Option<&str>, text: &str| {
            let kept = read(text).unwrap().lake.retention().of(table, owner);
            kept.map(|kept| kept.as_hours() / 24)
        };
        let text = "[[lake.keep]]\ntable = \"passive\"\ndays = 4000\n[[lake.keep]]\nowner = \"Bank\"\ndays = 90\n";
        assert_eq!(days("rdata", Some("Bank"), ""), None);
        assert_eq!(days("rdata", Some("Team"), text), Some(4000));
        assert_eq!(days("rdata", Some("Bank"), text), Some(90));
        assert_eq!(days("name", None, text), Some(4000));
        assert_eq!(days("traffic", Some("Team"), text), None);
        assert_eq!(days("sample", None, text), None, "nobody but the centre owns it");
        let text =
            "[[lake.keep]]\ntable = \"sample\"\ndays = 400\n[[lake.keep]]\ntable = \"zone_change\"\ndays = 4000\n";
        assert_eq!(days("sample", None, text), Some(400));
        assert_eq!(days("zone_change", None, text), Some(4000));
        assert_eq!(days("rrset", None, text), None);
        for text in [
            "[[lake.keep]]\ndays = 0",
            "[[lake.keep]]\ntable = \"samples\"\ndays = 1",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn figures_become_coarser_after_a_month_a_year_and_five_years_unless_told_otherwise() {
        let rule = |text: &str| read(text).unwrap().lake.roll_up();
        assert_eq!(rule(""), lake::passive::RollUp::default());
        let text = "[lake.traffic]\nminutes_days = 7\n[[lake.keep]]\ntable = \"traffic\"\ndays = 400\n";
        assert_eq!(
            (rule(text).minutes.as_hours(), rule(text).hours.as_hours()),
            (7 * 24, 366 * 24)
        );
        for text in ["minutes_days = 0", "minutes_days = 400", "days_days = 300", "years = 1"] {
            assert!(read(&format!("[lake.traffic]\n{text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn who_asked_most_is_kept_for_a_month_unless_a_rule_names_it() {
        let days = |text: &str| -> Vec<i64> {
            let rules = read(text).unwrap().lake.retention().rules;
            let of_clients = rules.iter().filter(|rule| rule.table.as_deref() == Some("client"));
            of_clients.map(|rule| rule.keep.as_hours() / 24).collect()
        };
        assert_eq!(days(""), [31]);
        assert_eq!(days("[[lake.keep]]\ntable = \"traffic\"\ndays = 400\n"), [31]);
        assert_eq!(days("[[lake.keep]]\ntable = \"client\"\ndays = 90\n"), [90]);
    }

    #[test]
    fn values_that_no_centre_can_work_with_are_all_named_with_the_file() {
        let text = "public_url = \"ftp:/x y\"\n[centre]\nmail = \"nomail\"\ntime_zone = \"Mars/X\"\n\
                    [dns]\nport = 0\ntimeout_ms = 0\nzones_at_once = 0\nwhole_every_minutes = 0\nipv4 = false\nipv6 = false\n\
                    [mailbox]\ninterval_secs = 0\n";
        let error = format!("{:#}", read(text).unwrap_err());
        for part in [
            "dnscert.toml",
            "`public_url`: `ftp:/x y`",
            "`centre.mail`",
            "`centre.time_zone`: `Mars/X`",
            "`dns.port`",
            "`dns.ipv4`",
            "`dns.timeout_ms`",
            "`dns.zones_at_once`",
            "`dns.whole_every_minutes`",
            "`mailbox.interval_secs`",
        ] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
        for (url, is_good) in [
            ("https://dnscert.example", true),
            ("http://127.0.0.1:8053/", true),
            ("https://[2001:db8::1]:8443", true),
            ("https://", false),
            ("https://dnscert.example/portal", false),
            ("https://dnscert.example?a=b", false),
            ("dnscert.example", false),
            ("http:dnscert.example", false),
        ] {
            assert_eq!(read(&format!("public_url = \"{url}\"")).is_ok(), is_good, "{url}");
        }
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let error = format!("{:#}", read("lissten = \"127.0.0.1:1\"").unwrap_err());
        assert!(error.contains("lissten"), "{error}");
    }

    #[test]
    fn a_mailbox_has_the_usual_port_and_reads_its_password_from_a_file() {
        assert!(read("").unwrap().mailbox.is_none());
        for (security, port) in [("tls", 993), ("required", 143), ("none", 143)] {
            let config = read(&format!("[mailbox]\nsecurity = \"{security}\"")).unwrap();
            assert_eq!(config.mailbox.unwrap().port(), port, "{security}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dnscert.toml");
        std::fs::write(folder.path().join("secret.txt"), "hunter 2\n").unwrap();
        std::fs::write(&file, "[mailbox]\nuser = \"duty\"\npassword_file = \"secret.txt\"").unwrap();
        let mut mailbox = Config::read(&file).unwrap().mailbox.unwrap();
        assert_eq!(mailbox.read_password().unwrap(), "hunter 2");
        assert!(!format!("{mailbox:?}").contains("hunter"));
        mailbox.password = "hunter 3".to_owned();
        assert!(mailbox.read_password().is_err(), "one of the two must be wrong");
        mailbox.password_file = PathBuf::new();
        assert_eq!(mailbox.read_password().unwrap(), "hunter 3");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let error = format!("{:#}", read("[dns]\nport = 70000").unwrap_err());
        assert!(error.contains("dns.port") || error.contains("port"), "{error}");
    }
}
