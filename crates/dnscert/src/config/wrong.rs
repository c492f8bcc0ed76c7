//! What is wrong with a configuration that reads well: values that no centre can work with.

use std::fmt;

use csirt::directory::{check_email, check_time_zone};

use super::Config;

/// A value that no centre can work with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its key, with the section: `centre.mail`.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.reason)
    }
}

/// All that is wrong, in the order of the file.
pub fn wrong(config: &Config) -> Vec<Wrong> {
    let at_least_1 = |number: u64| match number {
        0 => Err("it must be 1 at least".to_owned()),
        _ => Ok(()),
    };
    let dns = &config.dns;
    let checks = [
        ("public_url", public_url(&config.public_url)),
        ("centre.mail", check_email(&config.centre.mail)),
        ("centre.time_zone", check_time_zone(&config.centre.time_zone)),
        ("dns.port", at_least_1(dns.port.into())),
        ("dns.ipv4", families(dns.ipv4, dns.ipv6)),
        ("dns.timeout_ms", at_least_1(dns.timeout_ms)),
        ("dns.zones_at_once", at_least_1(dns.zones_at_once as u64)),
        ("dns.whole_every_minutes", at_least_1(dns.whole_every_minutes.into())),
        (
            "lake.keep.days",
            config
                .lake
                .keep
                .iter()
                .try_for_each(|keep| at_least_1(keep.days.into())),
        ),
        ("lake.traffic", config.lake.traffic.check()),
        (
            "transfer",
            config.transfer.iter().try_for_each(super::TransferConfig::check),
        ),
        (
            "mailbox.interval_secs",
            config
                .mailbox
                .as_ref()
                .map_or(Ok(()), |mailbox| at_least_1(mailbox.interval_secs)),
        ),
    ];
    let wrong = checks.into_iter().filter_map(|(key, checked)| {
        let reason = checked.err()?;
        Some(Wrong { key, reason })
    });
    wrong.collect()
}

/// Links are made by putting paths after it, and pages name theirs from the root.
fn public_url(text: &str) -> Result<(), String> {
    let wrong = || Err(format!("`{text}` is no address like https://dnscert.example"));
    if !text.starts_with("http://") && !text.starts_with("https://") || text.contains(char::is_whitespace) {
        return wrong();
    }
    match reqwest::Url::parse(text) {
        Ok(url)
            if url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() =>
        {
            Ok(())
        }
        _ => wrong(),
    }
}

fn families(ipv4: bool, ipv6: bool) -> Result<(), String> {
    match ipv4 || ipv6 {
        true => Ok(()),
        false => Err("without it and without `dns.ipv6` no server can be asked".to_owned()),
    }
}
