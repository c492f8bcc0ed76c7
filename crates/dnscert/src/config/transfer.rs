//! `[[transfer]]`: zones that a registry lets this centre transfer.

use std::net::SocketAddr;
use std::path::PathBuf;

use lake::passive::Source;
use model::{Name, Tlp};
use serde::{Deserialize, Serialize};

/// A zone that is transferred at intervals, and kept in passive DNS and the table of zone changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferConfig {
    /// The zone.
    pub zone: Name,
    /// Its servers, with ports; the next is asked when one fails.
    pub from: Vec<SocketAddr>,
    /// File with the TSIG key; empty when the servers go by addresses.
    #[serde(default)]
    pub key_file: PathBuf,
    /// Minutes from one transfer to the next. Default 60: what comes and goes between two is not seen. A server that has the same serial
    /// answers in one small message.
    #[serde(default = "hourly")]
    pub every_minutes: u32,
    /// A transfer is refused when more than so many of a hundred names are gone, and more than ten. Default 2: see
    /// [`zonefile::Limits`].
    #[serde(default = "two_percent")]
    pub max_gone: u8,
    /// The word of the source in passive DNS.
    pub source: String,
    /// Whose data it is.
    pub owner: String,
    /// Under which agreement it is used.
    pub licence: String,
    /// How far it may travel.
    pub tlp: Tlp,
    /// The law or contract that allows its use.
    pub legal_basis: String,
}

fn hourly() -> u32 {
    60
}

fn two_percent() -> u8 {
    2
}

impl TransferConfig {
    /// On whose behalf it is kept.
    pub fn source(&self) -> Source {
        Source {
            id: self.source.clone(),
            owner: self.owner.clone(),
            licence: self.licence.clone(),
            tlp: self.tlp,
            legal_basis: self.legal_basis.clone(),
        }
    }

    /// What no centre can work with.
    pub fn check(&self) -> Result<(), String> {
        let zone = &self.zone;
        match () {
            () if self.from.is_empty() => Err(format!("the zone `{zone}` needs a server (`from`)")),
            () if self.every_minutes == 0 => Err(format!("`every_minutes` of the zone `{zone}` must be 1 at least")),
            () if self.max_gone > 100 => Err(format!("`max_gone` of the zone `{zone}` is a percentage")),
            () => Ok(()),
        }
    }
}
