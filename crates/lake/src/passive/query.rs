//! What can be asked of passive DNS.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use domain::base::iana::Rtype;
use jiff::Timestamp;
use model::{Name, NameError, Prefix};

use super::key::{self, Keys};
use super::source::Scope;
use super::value;

/// Names that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This name.
    Exact(Name),
    /// `*.example.com`: this name and all below it.
    Below(Name),
    /// `www.example.*`: all names that begin with the labels of this one.
    Beginning(Name),
}

impl FromStr for NamePattern {
    type Err = NameError;

    /// A name, or one with `*` as its first or last label. A name whose first label is an asterisk (RFC 4592) can therefore not be
    /// asked for by this alone: `Exact` can be made.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text == "*" || text == "*." {
            return Ok(Self::Below(Name::root()));
        }
        if let Some(rest) = text.strip_prefix("*.") {
            return Ok(Self::Below(rest.parse()?));
        }
        match text.strip_suffix(".*.").or_else(|| text.strip_suffix(".*")) {
            Some(rest) => Ok(Self::Beginning(rest.parse()?)),
            None => Ok(Self::Exact(text.parse()?)),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(f),
            Self::Below(name) if name.is_root() => f.write_str("*"),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Beginning(name) => write!(f, "{name}.*"),
        }
    }
}

/// Values of records that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePattern {
    /// Records that point to such a name.
    Name(NamePattern),
    /// A and AAAA records of this address.
    Address(IpAddr),
    /// Those of the addresses of a prefix.
    Prefix(Prefix),
    /// Those of the addresses from one to the other, both included.
    Range(IpAddr, IpAddr),
    /// Records whose data is these octets as on the wire.
    Raw(Vec<u8>),
    /// All records, once for each value by which they are found.
    Any,
}

/// How a pattern is looked up.
pub(crate) enum Plan {
    /// These ranges of keys.
    Ranges(Vec<Keys>),
    /// The names that begin with this key, as they are read; then each of them.
    ByNames(Keys),
}

/// A pattern that one of the tables answers.
pub trait Pattern: Clone + Send + Sync + 'static {
    #[doc(hidden)]
    fn plan(&self) -> Plans;
}

/// How a pattern is looked up, for `Pattern` alone.
pub struct Plans(pub(crate) Plan);

impl Pattern for NamePattern {
    fn plan(&self) -> Plans {
        Plans(match self {
            Self::Exact(name) => Plan::Ranges(vec![key::only(key::reversed(name).into())]),
            Self::Below(name) => Plan::Ranges(vec![key::beginning_with(key::reversed(name).into())]),
            Self::Beginning(name) => Plan::ByNames(key::beginning_with(key::forward(name).into())),
        })
    }
}

impl Pattern for ValuePattern {
    fn plan(&self) -> Plans {
        Plans(match self {
            Self::Name(NamePattern::Exact(name)) => Plan::Ranges(vec![key::only(key::of_target(name))]),
            Self::Name(NamePattern::Below(name)) => Plan::Ranges(vec![key::beginning_with(key::of_target(name))]),
            Self::Name(NamePattern::Beginning(name)) => Plan::ByNames(key::beginning_with(key::forward(name).into())),
            Self::Address(address) => Plan::Ranges(vec![key::only(key::of_address(*address))]),
            Self::Prefix(prefix) => Plan::Ranges(vec![key::prefix(*prefix)]),
            Self::Range(first, last) => Plan::Ranges(vec![key::addresses(*first, *last)]),
            Self::Any => Plan::Ranges(vec![key::beginning_with(Vec::new())]),
            Self::Raw(octets) => {
                let mut ranges: Vec<Keys> = value::raw_keys(octets).into_iter().map(key::only).collect();
                ranges.sort_by(|a, b| a.start.cmp(&b.start));
                Plan::Ranges(ranges)
            }
        })
    }
}

/// Between which times something must have been seen first and last, both ends included. What has several rows counts by the
/// earliest first and the latest last of all that the reader may see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fences {
    /// Seen first at this time or later.
    pub first_after: Option<Timestamp>,
    /// Seen first at this time or earlier.
    pub first_before: Option<Timestamp>,
    /// Seen last at this time or later.
    pub last_after: Option<Timestamp>,
    /// Seen last at this time or earlier.
    pub last_before: Option<Timestamp>,
}

impl Fences {
    pub(crate) fn hold(&self, first: Timestamp, last: Timestamp) -> bool {
        self.first_after.is_none_or(|fence| fence <= first)
            && self.first_before.is_none_or(|fence| first <= fence)
            && self.last_after.is_none_or(|fence| fence <= last)
            && self.last_before.is_none_or(|fence| last <= fence)
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<P> {
    /// What is asked for.
    pub pattern: P,
    /// Types; `None` for all.
    pub rtypes: Option<Vec<Rtype>>,
    /// The bailiwick that RRsets must have; `None` for any. Records have none: for them it is not looked at.
    pub bailiwick: Option<Name>,
    /// Times.
    pub fences: Fences,
    /// What may be seen.
    pub scope: Scope,
    /// Answers to leave out at the beginning.
    pub offset: usize,
    /// Answers to give at most.
    pub limit: usize,
    /// Rows to look at most, so that a question with many candidates and few answers ends. Default 20 million, some seconds.
    pub rows: u64,
}

impl<P: Pattern> Query<P> {
    /// All that the pattern finds, up to `limit`.
    pub fn new(pattern: P, limit: usize) -> Self {
        Self {
            pattern,
            rtypes: None,
            bailiwick: None,
            fences: Fences::default(),
            scope: Scope::ALL,
            offset: 0,
            limit,
            rows: 20_000_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asterisks_stand_at_one_end_of_a_name() {
        for (text, shown) in [
            ("www.Example.com.", "www.example.com"),
            ("*.example.com", "*.example.com"),
            ("*.example.com.", "*.example.com"),
            ("www.example.*", "www.example.*"),
            ("www.example.*.", "www.example.*"),
            ("*", "*"),
            ("*.", "*"),
        ] {
            assert_eq!(text.parse::<NamePattern>().unwrap().to_string(), shown, "{text}");
        }
        assert!("*.a..b".parse::<NamePattern>().is_err());
        assert_eq!("a.*.b".parse(), Ok(NamePattern::Exact("a.*.b".parse().unwrap())));
    }
}
