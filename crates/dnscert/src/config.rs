//! `dnscert.toml`: where everything is, with defaults that work on one machine.
//!
//! Precedence: defaults < file < environment (`DNSCERT_LISTEN`, `DNSCERT_MAIL__RELAY__HOST`, …). An unknown key is an error.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use csirt::notices::SmtpSettings;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};

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
    /// How notices leave.
    pub mail: MailConfig,
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
    /// Time zone of the team (IANA).
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
            mail: MailConfig::default(),
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
            zones_at_once: 32,
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
        "mail",
    ]
    .iter()
    .any(|known| section.eq_ignore_ascii_case(known))
}

impl Config {
    /// Reads `file`. Paths in it are relative to its folder.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
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
        let certificate = config.mail.relay.as_mut().and_then(|relay| relay.ca_file.as_mut());
        let paths = [
            &mut config.data,
            &mut config.dns.hints,
            &mut config.dns.anchors,
            &mut config.dns.routes,
            &mut config.mail.folder,
        ];
        let registries = &mut config.dns.special_registries;
        for path in paths.into_iter().chain(registries).chain(certificate) {
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
    fn a_misspelt_key_is_named() {
        let error = format!("{:#}", read("lissten = \"127.0.0.1:1\"").unwrap_err());
        assert!(error.contains("lissten"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let error = format!("{:#}", read("[dns]\nport = 70000").unwrap_err());
        assert!(error.contains("dns.port") || error.contains("port"), "{error}");
    }
}
