//! Ids that cannot be mixed up: one type per noun.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The id of one `Noun`: a UUID of version 7 (RFC 9562), so ids sort by the time they were made.
pub struct Id<Noun>(Uuid, PhantomData<fn() -> Noun>);

impl<Noun> Id<Noun> {
    /// A new id for something made at `time`, with `random` for the rest of its bits.
    pub fn new(time: jiff::Timestamp, random: &mut impl rand::Rng) -> Self {
        let milliseconds = u64::try_from(time.as_millisecond()).unwrap_or(0);
        let mut bits = [0; 10];
        random.fill_bytes(&mut bits);
        Self(
            uuid::Builder::from_unix_timestamp_millis(milliseconds, &bits).into_uuid(),
            PhantomData,
        )
    }

    /// The id as its UUID.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl<Noun> From<Uuid> for Id<Noun> {
    fn from(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }
}

impl<Noun> Clone for Id<Noun> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Noun> Copy for Id<Noun> {}

impl<Noun> PartialEq for Id<Noun> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<Noun> Eq for Id<Noun> {}

impl<Noun> PartialOrd for Id<Noun> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<Noun> Ord for Id<Noun> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<Noun> Hash for Id<Noun> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<Noun> fmt::Display for Id<Noun> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<Noun> fmt::Debug for Id<Noun> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<Noun> FromStr for Id<Noun> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(|uuid| Self(uuid, PhantomData))
    }
}

impl<Noun> Serialize for Id<Noun> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, Noun> Deserialize<'de> for Id<Noun> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(|uuid| Self(uuid, PhantomData))
    }
}
