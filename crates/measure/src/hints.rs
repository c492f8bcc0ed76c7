//! Root hints: the file of root name servers that a walk begins with, in zone-file syntax.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Name;

/// A hints file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HintsError {
    /// One line is wrong.
    #[error("line {line} of the hints, `{text}`: {reason}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What it says.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No root name server has an address.
    #[error("the hints name no root name server with an address")]
    Empty,
}

/// Reads hints such as `. 3600000 NS a.example.` and `a.example. 3600000 A 192.0.2.1`.
///
/// TTL and class may be left out; comments begin with `;`. Names are absolute with or without the final dot.
pub fn parse_hints(text: &str) -> Result<Vec<(Name, Vec<IpAddr>)>, HintsError> {
    let mut servers: BTreeMap<Name, Vec<IpAddr>> = BTreeMap::new();
    let mut addresses: Vec<(Name, IpAddr)> = Vec::new();
    for (number, raw) in text.lines().enumerate() {
        let line = raw.split(';').next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('$') {
            continue;
        }
        match parse_line(line) {
            Ok(Hint::Server(name)) => {
                servers.entry(name).or_default();
            }
            Ok(Hint::Address(name, address)) => addresses.push((name, address)),
            Err(reason) => {
                let text = line.chars().take(120).collect();
                return Err(HintsError::Line {
                    line: number + 1,
                    text,
                    reason,
                });
            }
        }
    }
    for (name, address) in addresses {
        if let Some(known) = servers.get_mut(&name)
            && !known.contains(&address)
        {
            known.push(address);
        }
    }
    if servers.values().all(Vec::is_empty) {
        return Err(HintsError::Empty);
    }
    Ok(servers.into_iter().collect())
}

enum Hint {
    Server(Name),
    Address(Name, IpAddr),
}

fn parse_line(line: &str) -> Result<Hint, String> {
    let mut words = line.split_whitespace();
    let owner: Name = words
        .next()
        .unwrap_or_default()
        .parse()
        .map_err(|error| format!("{error}"))?;
    let is_ttl_or_class = |word: &&str| {
        word.chars().all(|c| c.is_ascii_digit())
            || word.eq_ignore_ascii_case("IN")
            || word.eq_ignore_ascii_case("CLASS1")
    };
    let mut rest = words.skip_while(is_ttl_or_class);
    let rtype = rest.next().ok_or("the record type is missing")?;
    let value = rest.next().ok_or("the value is missing")?;
    if rest.next().is_some() {
        return Err("there is more than one value".to_owned());
    }
    match rtype.to_ascii_uppercase().as_str() {
        "NS" if owner.is_root() => Ok(Hint::Server(value.parse().map_err(|error| format!("{error}"))?)),
        "NS" => Err("only the root has name servers in hints".to_owned()),
        "A" => match value.parse::<Ipv4Addr>() {
            Ok(address) => Ok(Hint::Address(owner, address.into())),
            Err(_) => Err(format!("`{value}` is not an IPv4 address")),
        },
        "AAAA" => match value.parse::<Ipv6Addr>() {
            Ok(address) => Ok(Hint::Address(owner, address.into())),
            Err(_) => Err(format!("`{value}` is not an IPv6 address")),
        },
        _ => Err(format!("`{rtype}` is none of NS, A and AAAA")),
    }
}
