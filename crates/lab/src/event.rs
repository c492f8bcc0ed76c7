//! Events: what can happen to a world while it runs.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Ds, Name};
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, FaultRule};
use crate::span::Span;

/// One change to the running world. As TOML or JSON: `{ name = "cut", at = "+40s", change = { cut = { server = "ns1.x" } } }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Name by which `repair` can undo it; several events may share one and are undone together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it happens, counted from the lab's start; by command only when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Span>,
    /// What happens.
    pub change: Change,
}

/// What an event does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// The parent delegates the zone to other servers.
    Redelegate {
        /// The zone.
        zone: Name,
        /// NS names with the addresses that become glue (for names at or below the parent; others get none).
        ns: BTreeMap<Name, Vec<IpAddr>>,
        /// What becomes of the DS RRset.
        #[serde(default)]
        ds: DsChange,
    },
    /// The parent changes the DS RRset and nothing else.
    ReplaceDs {
        /// The zone.
        zone: Name,
        /// What becomes of the DS RRset.
        ds: DsChange,
    },
    /// The zone is signed with a new key alone.
    SwapKey {
        /// Id of the zone.
        zone: String,
        /// Whether the parent's DS moves along. If not, the chain of trust breaks.
        #[serde(default)]
        ds_follows: bool,
    },
    /// The zone's signatures expire: at all its servers they ended a minute before the event.
    ExpireSignatures {
        /// Id of the zone.
        zone: String,
    },
    /// The zone is signed afresh, valid from the event on.
    Resign {
        /// Id of the zone.
        zone: String,
    },
    /// The server goes silent.
    Cut {
        /// Its NS name or address.
        server: String,
    },
    /// The server misbehaves from now on.
    AddFault {
        /// Its NS name or address.
        server: String,
        /// How, and for which questions.
        rule: FaultRule,
    },
    /// The server no longer misbehaves in this way.
    RemoveFault {
        /// Its NS name or address.
        server: String,
        /// The fault.
        fault: Fault,
    },
    /// Undoes earlier events by name. Serials go on upwards all the same.
    Repair {
        /// Name of the events.
        event: String,
    },
}

/// What becomes of a DS RRset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DsChange {
    /// It stays.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// It becomes this.
    Replace(Vec<Ds>),
}

impl Event {
    /// An event without a name or a time.
    pub fn new(change: Change) -> Self {
        Self {
            name: None,
            at: None,
            change,
        }
    }

    /// The same event under a name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// The event that undoes those of this name.
    pub fn repair(event: impl Into<String>) -> Self {
        Self::new(Change::Repair { event: event.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_from_a_world_file() {
        let event: Event = toml::from_str(
            "name = 'taken'\nat = '+40s'\n[change.redelegate]\nzone = 'shop.test'\nds = 'remove'\n\
             [change.redelegate.ns]\n'ns1.thief.test' = ['127.0.0.9']",
        )
        .unwrap();
        let Change::Redelegate { zone, ns, ds } = event.change else {
            panic!("{event:?}")
        };
        assert_eq!(
            (zone.to_string().as_str(), ns.len(), ds),
            ("shop.test", 1, DsChange::Remove)
        );
    }

    #[test]
    fn an_unknown_change_is_answered_with_the_known_ones() {
        let error = toml::from_str::<Event>("change = { explode = {} }")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("explode") && error.contains("expire_signatures"),
            "{error}"
        );
    }
}
