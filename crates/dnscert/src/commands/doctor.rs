//! `dnscert doctor`: what is wrong with an installation, and how to mend it. It makes nothing and mends nothing by itself.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use csirt::accounts::TotpKey;
use csirt::audit::{self, Chain};
use csirt::{Records, Tables, accounts};
use futures_util::future::join_all;
use measure::authority::Authority;
use measure::{Internet, Question, Rtype};
use model::{Name, SystemClock};

use crate::centre;
use crate::cli::ConfigArg;
use crate::config::{Config, Wrong};

/// Longest wait for the mail relay's greeting.
const RELAY_PATIENCE: Duration = Duration::from_secs(10);

/// What one look found.
enum Health {
    Good(String),
    /// It works, but not as it should in earnest.
    Doubtful {
        what: String,
        mend: String,
    },
    Bad {
        what: String,
        mend: String,
    },
}

/// All that was found, told as it is found.
#[derive(Default)]
struct Findings {
    bad: usize,
    doubtful: usize,
}

impl Findings {
    fn tell(&mut self, health: Health) {
        match health {
            Health::Good(what) => println!("good      {what}"),
            Health::Doubtful { what, mend } => {
                self.doubtful += 1;
                println!("doubtful  {what}\n          mend: {mend}");
            }
            Health::Bad { what, mend } => {
                self.bad += 1;
                println!("BAD       {what}\n          mend: {mend}");
            }
        }
    }
}

/// Status 0 when nothing is bad, 1 otherwise.
pub async fn run(arguments: &ConfigArg) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    match Config::parse(&arguments.config) {
        Ok(config) => {
            let file = arguments.config.display();
            findings.tell(Health::Good(format!("the configuration `{file}` reads")));
            let wrong = config.wrong();
            for Wrong { key, reason } in &wrong {
                findings.tell(Health::Bad {
                    what: format!("`{key}` cannot be used: {reason}"),
                    mend: format!("correct it in `{file}`, or in the environment; the centre does not start else"),
                });
            }
            examine(&config, &wrong, &mut findings).await;
        }
        Err(error) => findings.tell(Health::Bad {
            what: format!("{error:#}"),
            mend: "correct the line that is named, or write a new file with `dnscert init DIR`".to_owned(),
        }),
    }
    println!();
    println!("{} bad, {} doubtful", findings.bad, findings.doubtful);
    Ok(if findings.bad == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn examine(config: &Config, wrong: &[Wrong], findings: &mut Findings) {
    let is_right = |key: &str| !wrong.iter().any(|wrong| wrong.key.starts_with(key));
    if config.data.is_dir() {
        findings.tell(folder(&config.data));
        findings.tell(secret(&config.data));
    } else {
        findings.tell(Health::Bad {
            what: format!("there is no data folder `{}`", config.data.display()),
            mend: "correct `data`; a new centre begins with `dnscert init DIR`".to_owned(),
        });
    }
    for health in records(config).await {
        findings.tell(health);
    }
    findings.tell(portal(config));
    if is_right("public_url") {
        findings.tell(address(config));
    }
    findings.tell(tables(config));
    if is_right("dns.") {
        for health in dns(config).await {
            findings.tell(health);
        }
    }
    findings.tell(mail(config).await);
    findings.tell(mailbox(config).await);
    if is_right("centre.mail") {
        findings.tell(sender(config));
    }
    for health in measuring_zone(config) {
        findings.tell(health);
    }
}

fn folder(data: &Path) -> Health {
    let probe = data.join(".doctor");
    let written = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Health::Good(format!("the data folder `{}` can be written", data.display())),
        Err(error) => Health::Bad {
            what: format!("the data folder `{}` cannot be written: {error}", data.display()),
            mend: "give it to the user who runs the centre, or free some disk space".to_owned(),
        },
    }
}

fn secret(data: &Path) -> Health {
    let what = match centre::secret::read_present(data) {
        Ok(Some(_)) => return Health::Good("the secret of the portal is there".to_owned()),
        Ok(None) => format!(
            "the secret of the portal is missing: there is no file `{}`",
            data.join("secret").display()
        ),
        Err(error) => format!("{error:#}"),
    };
    Health::Bad {
        what,
        mend: "restore the file from the backup; if there is none, remove it and start the centre, which makes another: open \
               forms must then be filled again, and second factors set up anew"
            .to_owned(),
    }
}

async fn records(config: &Config) -> Vec<Health> {
    let url = super::without_password(&config.database_url());
    let (records, tables) = match Records::look_at(&config.database_url(), Arc::new(SystemClock)).await {
        Ok(opened) => opened,
        Err(error) => {
            let chain = format!("{:#}", anyhow::Error::from(error));
            return vec![Health::Bad {
                what: format!("the records at `{url}` do not open: {chain}"),
                mend: "check `database` and `data`, that the server runs, and that its user may make tables; a new centre \
                       begins with `dnscert init DIR`"
                    .to_owned(),
            }];
        }
    };
    let found = match tables {
        Tables::Current => content(config, &records, &url).await,
        Tables::Behind(steps) => vec![Health::Doubtful {
            what: format!("the records at `{url}` are those of an older dnscert, {steps} steps behind"),
            mend: "make a backup and start the centre, which brings them up to date".to_owned(),
        }],
        Tables::Ahead(steps) => vec![Health::Bad {
            what: format!("the records at `{url}` are those of a newer dnscert, {steps} steps ahead"),
            mend: "run the newer one".to_owned(),
        }],
    };
    // SQLite would else leave the files of its log behind
    let _ = records.close().await;
    found
}

async fn content(config: &Config, records: &Records, url: &str) -> Vec<Health> {
    let mut found = vec![Health::Good(format!("the records at `{url}` open"))];
    found.push(match audit::verify(records).await {
        Ok(Chain::Whole { rows, .. }) => Health::Good(format!("the audit chain is whole, {rows} rows")),
        Ok(Chain::Broken { seq, reason }) => Health::Bad {
            what: format!("the audit chain is broken at row {seq}: {reason}"),
            mend: "somebody changed the records outside of the centre: compare with the last backup".to_owned(),
        },
        Err(error) => Health::Bad {
            what: format!("the audit chain could not be read: {error}"),
            mend: "check the database's own log".to_owned(),
        },
    });
    found.push(match accounts::list(records).await {
        Ok(all)
            if all
                .iter()
                .any(|account| account.role == accounts::Role::Admin && account.disabled.is_none()) =>
        {
            Health::Good(format!("{} accounts, an administrator among them", all.len()))
        }
        Ok(_) => Health::Bad {
            what: "nobody can administrate: there is no enabled account with the role admin".to_owned(),
            mend: "make one with `dnscert account add NAME --role admin`".to_owned(),
        },
        Err(error) => Health::Bad {
            what: format!("the accounts cannot be read: {error}"),
            mend: "see above".to_owned(),
        },
    });
    if let Ok(Some(secret)) = centre::secret::read_present(&config.data) {
        found.push(second_factors(records, &TotpKey::derive(&secret)).await);
    }
    found
}

async fn second_factors(records: &Records, key: &TotpKey) -> Health {
    match accounts::totp_unreadable(records, key).await {
        Ok(unreadable) if unreadable.is_empty() => Health::Good("all second factors can be checked".to_owned()),
        Ok(unreadable) => {
            let told: Vec<String> = unreadable
                .iter()
                .map(|(name, error)| format!("{name} ({error})"))
                .collect();
            Health::Bad {
                what: format!("second factors cannot be checked with the secret of this centre: {}", told.join(", ")),
                mend: "put back the file `secret` under which they were set up. If it is lost, each signs in with a recovery \
                       code and sets the factor up anew, or `dnscert account reset NAME` removes it"
                    .to_owned(),
            }
        }
        Err(error) => Health::Bad {
            what: format!("the second factors cannot be read: {error}"),
            mend: "see above".to_owned(),
        },
    }
}

fn portal(config: &Config) -> Health {
    match std::net::TcpListener::bind(config.listen) {
        Ok(_) => Health::Good(format!("the portal can listen at {}", config.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Health::Doubtful {
            what: format!("something listens at {} already", config.listen),
            mend: "if it is not this centre, change `listen`".to_owned(),
        },
        Err(error) => Health::Bad {
            what: format!("the portal cannot listen at {}: {error}", config.listen),
            mend: "change `listen` to an address of this machine and a port above 1023".to_owned(),
        },
    }
}

fn address(config: &Config) -> Health {
    if config.public_url.starts_with("https://") {
        Health::Good(format!("people reach the portal at {}", config.public_url))
    } else {
        Health::Doubtful {
            what: format!(
                "`public_url` is {}: answers and passwords would travel in the clear",
                config.public_url
            ),
            mend: "put a TLS proxy before the portal and write its https:// address into `public_url`".to_owned(),
        }
    }
}

fn tables(config: &Config) -> Health {
    let profile = match centre::profile(config) {
        Ok(profile) => profile,
        Err(error) => {
            return Health::Bad {
                what: format!("a table that rounds are judged by cannot be used: {error:#}"),
                mend: "fetch the file anew, or take it out of `dns.routes` or `dns.special_registries`".to_owned(),
            };
        }
    };
    let registries = format!("special-purpose addresses as of {}", profile.special_purpose.as_of());
    Health::Good(match &profile.routes {
        Some(routes) => {
            let written = routes
                .as_of()
                .map(|time| format!(", written {time:.0}"))
                .unwrap_or_default();
            format!(
                "{registries}; {} prefixes in the table of routes{written}",
                routes.prefixes()
            )
        }
        None => format!("{registries}; who announces an address is asked of a service in the DNS"),
    })
}

async fn dns(config: &Config) -> Vec<Health> {
    let internet = match centre::dns_settings(config).and_then(|settings| Ok(Internet::open(settings)?)) {
        Ok(internet) => internet,
        Err(error) => {
            return vec![Health::Bad {
                what: format!("the DNS cannot be asked: {error:#}"),
                mend: "check `dns.hints` and the limits on open files".to_owned(),
            }];
        }
    };
    let inquiry = internet.inquiry();
    let question = Question::plain(&Name::root(), Rtype::SOA);
    let mut found = Vec::new();
    for (family, is_on) in [("IPv4", config.dns.ipv4), ("IPv6", config.dns.ipv6)] {
        if !is_on {
            found.push(Health::Good(format!("{family} is off")));
            continue;
        }
        let servers: Vec<IpAddr> = inquiry
            .hints()
            .iter()
            .flat_map(|(_, addresses)| addresses.iter().copied())
            .filter(|address| address.is_ipv4() == (family == "IPv4"))
            .collect();
        let exchanges = join_all(servers.iter().map(|address| inquiry.ask(*address, &question))).await;
        let answered = exchanges
            .iter()
            .filter(|exchange| exchange.response().is_some())
            .count();
        let what = format!("{answered} of {} root servers answer over {family}", servers.len());
        found.push(if answered > 0 || servers.is_empty() {
            Health::Good(what)
        } else {
            let key = family.to_ascii_lowercase();
            let port = config.dns.port;
            Health::Bad {
                what,
                mend: format!("let UDP and TCP port {port} out; without {family} here set `dns.{key} = false`"),
            }
        });
    }
    found
}

async fn mail(config: &Config) -> Health {
    let Some(relay) = &config.mail.relay else {
        return Health::Doubtful {
            what: format!(
                "no relay is set: notices are only written to `{}`",
                config.outbox().display()
            ),
            mend: "set [mail.relay] so that notices reach the parties".to_owned(),
        };
    };
    let place = format!("{}:{}", relay.host, relay.port);
    let mailer = match centre::mailer(config) {
        Ok(mailer) => mailer,
        Err(error) => {
            return Health::Bad {
                what: format!("{error:#}"),
                mend: "correct [mail.relay]".to_owned(),
            };
        }
    };
    match tokio::time::timeout(RELAY_PATIENCE, mailer.test()).await {
        Ok(Ok(true)) => Health::Good(format!("the relay {place} takes mail from here")),
        Ok(Ok(false)) => Health::Bad {
            what: format!("the relay {place} hangs up"),
            mend: "ask those who run it whether this machine may send".to_owned(),
        },
        Ok(Err(error)) => Health::Bad {
            what: format!(
                "the relay {place} does not take mail from here: {:#}",
                anyhow::Error::from(error)
            ),
            mend: "check host, port, security, user and password in [mail.relay]".to_owned(),
        },
        Err(_) => Health::Bad {
            what: format!("the relay {place} did not answer within {} s", RELAY_PATIENCE.as_secs()),
            mend: "check host and port, and that this machine may reach it".to_owned(),
        },
    }
}

async fn mailbox(config: &Config) -> Health {
    let Some(mailbox) = &config.mailbox else {
        return Health::Doubtful {
            what: format!(
                "no mailbox is set: nobody here reads what is written to `{}`",
                config.centre.mail
            ),
            mend: "set [mailbox] so that answers, delivery reports and reports by mail are read".to_owned(),
        };
    };
    match centre::imap::Session::open(mailbox).await {
        Ok(session) => {
            let mails = session.exists;
            session.close().await;
            Health::Good(format!(
                "the mailbox {} can be read, {mails} mails are in it",
                mailbox.name()
            ))
        }
        Err(error) => Health::Bad {
            what: format!("the mailbox {} cannot be read: {error:#}", mailbox.name()),
            mend: "check host, port, security, user, password and folder in [mailbox]".to_owned(),
        },
    }
}

/// What the measuring zone's parent needs, and whether its server may listen.
fn measuring_zone(config: &Config) -> Vec<Health> {
    let Some(zone) = &config.measuring_zone else {
        return Vec::new();
    };
    if !Authority::has_key(&zone.name, &config.measuring_key_folder()) {
        return vec![Health::Doubtful {
            what: format!("the measuring zone {} has no key yet", zone.name),
            mend: "start the centre, which makes one and says which DS record the parent needs".to_owned(),
        }];
    }
    let authority = match centre::measuring::open(config, zone) {
        Ok(authority) => authority,
        Err(error) => {
            return vec![Health::Bad {
                what: format!("{error:#}"),
                mend: "restore the key from the backup; without it a new one is made, and the parent needs a new DS"
                    .to_owned(),
            }];
        }
    };
    let (name, server, ds) = (
        &zone.name,
        authority.server(),
        authority.ds().to_string().replace(',', " "),
    );
    let mut found = vec![Health::Good(format!(
        "the parent of {name} needs: {name}. NS {server}. and {name}. DS {ds}"
    ))];
    for address in &zone.listen {
        found.push(match std::net::UdpSocket::bind(address) {
            Ok(_) => Health::Good(format!("the measuring zone's server can listen at {address}")),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Health::Doubtful {
                what: format!("something listens at {address} already"),
                mend: "if it is not this centre, change `measuring_zone.listen`".to_owned(),
            },
            Err(error) => Health::Bad {
                what: format!("the measuring zone's server cannot listen at {address}: {error}"),
                mend:
                    "name an address of this machine; port 53 takes CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities)"
                        .to_owned(),
            },
        });
    }
    found
}

fn sender(config: &Config) -> Health {
    if config.centre.mail.contains("localhost") {
        Health::Doubtful {
            what: format!(
                "notices come from `{}`: nobody outside could answer",
                config.centre.mail
            ),
            mend: "set `centre.mail` to an address that the team reads".to_owned(),
        }
    } else {
        Health::Good(format!("notices come from `{}`", config.centre.mail))
    }
}
