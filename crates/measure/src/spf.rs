//! SPF records (RFC 7208): whether a text follows the grammar, and what it says. Nothing is looked up.
//!
//! Written here because the crate that reads this grammar strictly may not be linked into a program of our licence, and
//! the others are lenient.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The version that begins every SPF record, in any letter case (RFC 7208 §4.5).
const VERSION: &str = "v=spf1";

/// An SPF record that follows the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpfRecord {
    /// Its terms in their order.
    pub terms: Vec<Term>,
}

/// One term of a record (RFC 7208 §4.6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A mechanism and what follows when it matches.
    Directive(Qualifier, Mechanism),
    /// A modifier.
    Modifier(Modifier),
}

/// What follows when a mechanism matches (RFC 7208 §4.6.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`, also where nothing is written.
    #[default]
    Pass,
    /// `-`
    Fail,
    /// `~`
    Softfail,
    /// `?`
    Neutral,
}

/// A mechanism (RFC 7208 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Matches always.
    All,
    /// Matches what another domain's record passes.
    Include(DomainSpec),
    /// Matches the addresses of a domain; of the mail's own where none is named.
    A(Option<DomainSpec>, PrefixLengths),
    /// Matches the addresses of a domain's mail servers.
    Mx(Option<DomainSpec>, PrefixLengths),
    /// Matches by reverse mapping; not to be used (RFC 7208 §5.5).
    Ptr(Option<DomainSpec>),
    /// Matches an IPv4 network; a single address where no length is given.
    Ip4(Ipv4Addr, Option<u8>),
    /// Matches an IPv6 network; a single address where no length is given.
    Ip6(Ipv6Addr, Option<u8>),
    /// Matches when a name has an A record.
    Exists(DomainSpec),
}

/// Lengths of network prefixes, in bits (`dual-cidr-length`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrefixLengths {
    /// Of IPv4 networks, 0 to 32.
    pub ipv4: Option<u8>,
    /// Of IPv6 networks, 0 to 128.
    pub ipv6: Option<u8>,
}

/// A modifier (RFC 7208 §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modifier {
    /// Go on with another domain's record.
    Redirect(DomainSpec),
    /// Where the explanation for a refusal is found.
    Explanation(DomainSpec),
    /// One that readers pass over: its name, in lower case, and its value.
    Unknown(String, String),
}

/// A domain name with macros, as written (RFC 7208 §7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec(String);

/// A text that is no SPF record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{term}` in an SPF record: {reason}")]
pub struct SpfError {
    /// The first term that is wrong, as written.
    pub term: String,
    /// Which rule it breaks.
    pub reason: &'static str,
}

/// Whether a text means to be an SPF record: `v=spf1` alone or before a space, in any letter case (RFC 7208 §4.5).
pub fn is_spf(text: &[u8]) -> bool {
    match text.split_at_checked(VERSION.len()) {
        Some((version, rest)) => version.eq_ignore_ascii_case(VERSION.as_bytes()) && matches!(rest, [] | [b' ', ..]),
        None => false,
    }
}

impl SpfRecord {
    /// Whether it is `-all` alone: nobody may send mail for the domain.
    pub fn is_null(&self) -> bool {
        self.terms == [Term::Directive(Qualifier::Fail, Mechanism::All)]
    }
}

impl FromStr for SpfRecord {
    type Err = SpfError;

    fn from_str(text: &str) -> Result<Self, SpfError> {
        let wrong = |term: &str, reason| SpfError {
            term: term.to_owned(),
            reason,
        };
        if !is_spf(text.as_bytes()) {
            let first = text.split(' ').next().unwrap_or_default();
            return Err(wrong(first, "the record does not begin with `v=spf1`"));
        }
        let mut terms = Vec::new();
        for word in text[VERSION.len()..].split(' ').filter(|word| !word.is_empty()) {
            let term = term(word).map_err(|reason| wrong(word, reason))?;
            // RFC 7208 §6: neither may stand twice.
            if let Term::Modifier(new) = &term
                && terms.iter().any(|old| is_second(old, new))
            {
                return Err(wrong(word, "this modifier may stand only once"));
            }
            terms.push(term);
        }
        Ok(Self { terms })
    }
}

fn is_second(old: &Term, new: &Modifier) -> bool {
    let Term::Modifier(old) = old else { return false };
    matches!(
        (old, new),
        (Modifier::Redirect(_), Modifier::Redirect(_)) | (Modifier::Explanation(_), Modifier::Explanation(_))
    )
}

fn term(word: &str) -> Result<Term, &'static str> {
    if let Some((name, value)) = word.split_once('=')
        && is_modifier_name(name)
    {
        return modifier(&name.to_ascii_lowercase(), value).map(Term::Modifier);
    }
    let (qualifier, rest) = match word.as_bytes() {
        [b'+', ..] => (Qualifier::Pass, &word[1..]),
        [b'-', ..] => (Qualifier::Fail, &word[1..]),
        [b'~', ..] => (Qualifier::Softfail, &word[1..]),
        [b'?', ..] => (Qualifier::Neutral, &word[1..]),
        _ => (Qualifier::default(), word),
    };
    mechanism(rest).map(|mechanism| Term::Directive(qualifier, mechanism))
}

fn is_modifier_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet))
}

fn modifier(name: &str, value: &str) -> Result<Modifier, &'static str> {
    match name {
        "redirect" => value.parse().map(Modifier::Redirect),
        "exp" => value.parse().map(Modifier::Explanation),
        _ => {
            macro_string(value, EVERY_LETTER).ok_or("the value is no text with macros")?;
            Ok(Modifier::Unknown(name.to_owned(), value.to_owned()))
        }
    }
}

fn mechanism(text: &str) -> Result<Mechanism, &'static str> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let value = rest.strip_prefix(':');
    let required = || value.ok_or("a value is missing after the mechanism");
    match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Ok(Mechanism::All),
        "all" => Err("`all` takes no value"),
        "include" => Ok(Mechanism::Include(required()?.parse()?)),
        "exists" => Ok(Mechanism::Exists(required()?.parse()?)),
        "ptr" if rest.is_empty() => Ok(Mechanism::Ptr(None)),
        "ptr" => Ok(Mechanism::Ptr(Some(required()?.parse()?))),
        "a" => hosts(rest).map(|(domain, lengths)| Mechanism::A(domain, lengths)),
        "mx" => hosts(rest).map(|(domain, lengths)| Mechanism::Mx(domain, lengths)),
        "ip4" => network(required()?, 32).map(|(address, length)| Mechanism::Ip4(address, length)),
        "ip6" => network(required()?, 128).map(|(address, length)| Mechanism::Ip6(address, length)),
        _ => Err("there is no such mechanism"),
    }
}

/// What `a` and `mx` take: a domain, lengths of prefixes, both or nothing.
fn hosts(text: &str) -> Result<(Option<DomainSpec>, PrefixLengths), &'static str> {
    let mut rest = text;
    let mut lengths = PrefixLengths::default();
    // A domain never ends in a slash and digits, so what does so at the end is a length.
    if let Some((before, digits)) = split_length(rest)
        && let Some(before) = before.strip_suffix('/')
    {
        (lengths.ipv6, rest) = (Some(prefix_length(digits, 128)?), before);
    }
    if let Some((before, digits)) = split_length(rest) {
        (lengths.ipv4, rest) = (Some(prefix_length(digits, 32)?), before);
    }
    match rest.strip_prefix(':') {
        Some(domain) => Ok((Some(domain.parse()?), lengths)),
        None if rest.is_empty() => Ok((None, lengths)),
        None => Err(NO_LENGTH),
    }
}

/// Cuts off a slash with digits at the end: what stands before the slash, and the digits.
fn split_length(text: &str) -> Option<(&str, &str)> {
    let (before, digits) = text.rsplit_once('/')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then_some((before, digits))
}

const NO_LENGTH: &str = "the length of a prefix is wrong";

fn prefix_length(digits: &str, most: u8) -> Result<u8, &'static str> {
    let is_plain = digits == "0" || !digits.starts_with('0');
    let length = digits.parse().ok().filter(|length| is_plain && *length <= most);
    length.ok_or(NO_LENGTH)
}

fn network<A: FromStr + Into<IpAddr>>(text: &str, bits: u8) -> Result<(A, Option<u8>), &'static str> {
    let (address, length) = match text.split_once('/') {
        Some((address, digits)) if !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            (address, Some(prefix_length(digits, bits)?))
        }
        Some(_) => return Err(NO_LENGTH),
        None => (text, None),
    };
    let address = address.parse().map_err(|_| "the address is wrong")?;
    Ok((address, length))
}

/// Letters of the macros that may stand in a domain (RFC 7208 §7.2: `c`, `r` and `t` belong to explanations alone).
const DOMAIN_LETTERS: &[u8] = b"slodiphv";
/// Letters of all macros.
const EVERY_LETTER: &[u8] = b"slodiphvcrt";

impl FromStr for DomainSpec {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let tail = macro_string(text, DOMAIN_LETTERS).ok_or("a macro or a letter in the domain is wrong")?;
        let ends_in_macro = tail.is_empty() && !text.is_empty();
        let has_top_label = || {
            let tail = tail.strip_suffix('.').unwrap_or(tail);
            tail.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
        };
        if ends_in_macro || has_top_label() {
            Ok(Self(text.to_owned()))
        } else {
            Err("the domain does not end in a top-level domain or a macro")
        }
    }
}

/// Reads text with macros (`macro-string`) and gives back what follows the last macro, or `None` for other text.
fn macro_string<'t>(text: &'t str, letters: &[u8]) -> Option<&'t str> {
    let mut tail = text;
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        match first {
            b'%' => {
                rest = after_macro(rest, letters)?;
                tail = rest;
            }
            0x21..=0x7e => rest = &rest[1..],
            _ => return None,
        }
    }
    Some(tail)
}

/// What follows the macro (`macro-expand`) at the beginning of the text.
fn after_macro<'t>(text: &'t str, letters: &[u8]) -> Option<&'t str> {
    if let Some(rest) = ["%%", "%_", "%-"].iter().find_map(|short| text.strip_prefix(short)) {
        return Some(rest);
    }
    let (inside, rest) = text.strip_prefix("%{")?.split_once('}')?;
    let letter = inside.bytes().next()?;
    if !letters.contains(&letter.to_ascii_lowercase()) {
        return None;
    }
    let transformed = inside[1..].trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &inside[1..inside.len() - transformed.len()];
    // RFC 7208 §7.3: a number of labels to keep must not be zero.
    if !digits.is_empty() && digits.bytes().all(|digit| digit == b'0') {
        return None;
    }
    let delimiters = transformed.strip_prefix(['r', 'R']).unwrap_or(transformed);
    delimiters
        .bytes()
        .all(|octet| b".-+,/_=".contains(&octet))
        .then_some(rest)
}

/// Whether a label may be a top-level domain (`toplabel`): letters, digits and inner hyphens, not digits alone.
fn is_top_label(label: &str) -> bool {
    let is_inner = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().any(|octet| !octet.is_ascii_digit())
}

impl fmt::Display for SpfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Directive(qualifier, mechanism) => {
                f.write_str(match qualifier {
                    Qualifier::Pass => "",
                    Qualifier::Fail => "-",
                    Qualifier::Softfail => "~",
                    Qualifier::Neutral => "?",
                })?;
                mechanism.fmt(f)
            }
            Term::Modifier(Modifier::Redirect(domain)) => write!(f, "redirect={}", domain.0),
            Term::Modifier(Modifier::Explanation(domain)) => write!(f, "exp={}", domain.0),
            Term::Modifier(Modifier::Unknown(name, value)) => write!(f, "{name}={value}"),
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with = |name: &str, domain: &Option<DomainSpec>, lengths: &PrefixLengths| {
            f.write_str(name)?;
            domain.iter().try_for_each(|domain| write!(f, ":{}", domain.0))?;
            lengths.ipv4.iter().try_for_each(|length| write!(f, "/{length}"))?;
            lengths.ipv6.iter().try_for_each(|length| write!(f, "//{length}"))
        };
        let none = PrefixLengths::default();
        match self {
            Mechanism::All => f.write_str("all"),
            Mechanism::Include(domain) => write!(f, "include:{}", domain.0),
            Mechanism::Exists(domain) => write!(f, "exists:{}", domain.0),
            Mechanism::A(domain, lengths) => with("a", domain, lengths),
            Mechanism::Mx(domain, lengths) => with("mx", domain, lengths),
            Mechanism::Ptr(domain) => with("ptr", domain, &none),
            Mechanism::Ip4(address, length) => {
                write!(f, "ip4:{address}")?;
                length.iter().try_for_each(|length| write!(f, "/{length}"))
            }
            Mechanism::Ip6(address, length) => {
                write!(f, "ip6:{address}")?;
                length.iter().try_for_each(|length| write!(f, "/{length}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
