//! As much CBOR (RFC 8949) as C-DNS needs, pulled from the input and bounded.
//!
//! Written here because what is read must count against a bound before it is held, and faults must name the octet; no crate whose
//! licence is allowed gives both.

use crate::input::Octets;
use crate::pcap::{Fault, need};

/// Values in one block. A block of 5,000 pairs, which `compactor` writes, has fewer than 500,000; each takes 32 octets here.
const MOST_VALUES: usize = 4 << 20;

/// Octets of strings in one block.
const MOST_OCTETS: usize = 64 << 20;

/// How deep values lie in each other; C-DNS needs eight.
const DEEPEST: usize = 16;

/// A value, of the kinds that C-DNS has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Number(i64),
    Octets(Vec<u8>),
    List(Vec<Value>),
    /// Keys are numbers; entries with other keys are left out.
    Map(Vec<(i64, Value)>),
    /// Booleans, nothing, floating point: not used.
    Other,
}

impl Value {
    /// The value of a key, where this is a map that has it.
    pub(crate) fn get(&self, key: i64) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.iter().find(|(other, _)| *other == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn octets(&self) -> Option<&[u8]> {
        match self {
            Value::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Value] {
        match self {
            Value::List(values) => values,
            _ => &[],
        }
    }
}

/// The head of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Number(i64),
    /// Octets or text, by length.
    String(usize),
    /// Strings in parts until a break.
    Parts,
    /// With the number of values, `None`: until a break.
    List(Option<usize>),
    Map(Option<usize>),
    Tag,
    Break,
    Other,
}

/// Pulls values out of the input.
pub(crate) struct Puller<'a> {
    input: &'a mut Octets,
    values: usize,
    octets: usize,
}

impl<'a> Puller<'a> {
    pub(crate) fn new(input: &'a mut Octets) -> Self {
        Self {
            input,
            values: 0,
            octets: 0,
        }
    }

    fn broken(&self, what: &'static str) -> Fault {
        Fault::Broken(self.input.position, what)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Fault> {
        if !need(self.input, count)? {
            return Err(Fault::Cut(self.input.position));
        }
        Ok(self.input.take(count))
    }

    /// Reads a head.
    pub(crate) fn head(&mut self) -> Result<Head, Fault> {
        let first = self.take(1)?[0];
        let (major, minor) = (first >> 5, first & 0x1f);
        let argument = match minor {
            0..=23 => Some(u64::from(minor)),
            24..=27 => {
                let octets = self.take(1 << (minor - 24))?;
                Some(octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
            }
            31 => None,
            _ => return Err(self.broken("a value is of no known form")),
        };
        let signed = |argument: Option<u64>| argument.and_then(|argument| i64::try_from(argument).ok());
        let length = argument.map(|argument| usize::try_from(argument).unwrap_or(usize::MAX));
        Ok(match (major, argument) {
            (0, _) => Head::Number(signed(argument).ok_or(self.broken("a number is too large"))?),
            (1, _) => Head::Number(-1 - signed(argument).ok_or(self.broken("a number is too large"))?),
            (2 | 3, None) => Head::Parts,
            (2 | 3, Some(_)) => Head::String(length.unwrap_or(usize::MAX)),
            (4, _) => Head::List(length),
            (5, _) => Head::Map(length),
            (6, _) => Head::Tag,
            (_, None) => Head::Break,
            _ => Head::Other,
        })
    }

    /// Reads a string of at most the bound.
    pub(crate) fn string(&mut self, length: usize) -> Result<Vec<u8>, Fault> {
        if length > MOST_OCTETS - self.octets.min(MOST_OCTETS) {
            return Err(self.broken("a block is larger than 64 MiB"));
        }
        self.octets += length;
        // in parts: a length that lies takes no memory that the input does not fill
        let mut string = Vec::new();
        while string.len() < length {
            let part = (length - string.len()).min(65_536);
            string.extend_from_slice(self.take(part)?);
        }
        Ok(string)
    }

    /// Reads a value whole.
    pub(crate) fn value(&mut self) -> Result<Value, Fault> {
        let head = self.head()?;
        self.value_of(head, 0)
    }

    /// Reads the value that this head begins.
    pub(crate) fn value_of(&mut self, head: Head, depth: usize) -> Result<Value, Fault> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(self.broken("a block has more than four million values"));
        }
        if depth > DEEPEST {
            return Err(self.broken("values lie too deep in each other"));
        }
        Ok(match head {
            Head::Number(number) => Value::Number(number),
            Head::String(length) => Value::Octets(self.string(length)?),
            Head::Parts => {
                let mut whole = Vec::new();
                loop {
                    match self.head()? {
                        Head::Break => break,
                        Head::String(length) => whole.extend(self.string(length)?),
                        _ => return Err(self.broken("a string in parts has something else in it")),
                    }
                }
                Value::Octets(whole)
            }
            Head::List(count) => {
                let mut values = Vec::new();
                while let Some(head) = self.another(count, values.len())? {
                    values.push(self.value_of(head, depth + 1)?);
                }
                Value::List(values)
            }
            Head::Map(count) => {
                let mut entries = Vec::new();
                let mut read = 0;
                while let Some(head) = self.another(count, read)? {
                    let key = self.value_of(head, depth + 1)?;
                    let head = self.head()?;
                    let value = self.value_of(head, depth + 1)?;
                    read += 1;
                    if let Value::Number(key) = key {
                        entries.push((key, value));
                    }
                }
                Value::Map(entries)
            }
            Head::Tag => {
                let head = self.head()?;
                self.value_of(head, depth + 1)?
            }
            Head::Break => return Err(self.broken("a break stands where a value should")),
            Head::Other => Value::Other,
        })
    }

    /// The head of the next value of a list or map of `count`, of which `read` were read; `None` at its end.
    pub(crate) fn another(&mut self, count: Option<usize>, read: usize) -> Result<Option<Head>, Fault> {
        if count == Some(read) {
            return Ok(None);
        }
        match self.head()? {
            Head::Break if count.is_none() => Ok(None),
            head => Ok(Some(head)),
        }
    }
}
