//! The file of a saved inquiry: JSON with every exchange, so that a run can be judged again without the network.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::base::iana::{Class, Rtype};
use jiff::Timestamp;
use model::{Name, Outcome, Transport};
use serde::{Deserialize, Serialize};

use crate::dnssec::Anchor;
use crate::exchange::{Ended, Exchange};
use crate::question::{Edns, Letters, Question};
use crate::run::Undelegated;

/// Version of the form of the file; others are not read.
const VERSION: u32 = 1;

/// A file that is no saved inquiry.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Not JSON of the right form.
    #[error("the saved inquiry is not of the right form")]
    Form(#[from] serde_json::Error),
    /// Written by another version of this program.
    #[error("the saved inquiry has form {found}; this program reads form {VERSION}")]
    Version {
        /// The version it has.
        found: u32,
    },
    /// Octets that are not base64.
    #[error("exchange {number} of the saved inquiry has octets that are not base64")]
    Octets {
        /// Which exchange, from 1.
        number: usize,
    },
}

/// What a saved inquiry was made for. Files from before this was noted do not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCheck {
    /// The zone that was checked.
    pub zone: Name,
    /// The delegation that was taken instead of the parent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelegated: Option<Undelegated>,
    /// Port of all name servers.
    pub port: u16,
}

/// An inquiry as it is saved.
pub(crate) struct Saved {
    pub vantage_point: Option<String>,
    pub check: Option<SavedCheck>,
    pub hints: Vec<(Name, Vec<IpAddr>)>,
    pub anchors: Vec<Anchor>,
    pub started: Timestamp,
    pub ipv4: bool,
    pub ipv6: bool,
    pub is_spent: bool,
    pub exchanges: Vec<Arc<Exchange>>,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<SavedCheck>,
    /// From where it was asked. Files from before this was noted do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vantage_point: Option<String>,
    started: Timestamp,
    hints: Vec<(Name, Vec<IpAddr>)>,
    #[serde(default)]
    anchors: Vec<Anchor>,
    /// Whether IPv4 was asked.
    ipv4: bool,
    /// Whether IPv6 was asked.
    ipv6: bool,
    /// Whether it stopped asking because it had used up its questions or its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_spent: bool,
    exchanges: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    time: Timestamp,
    address: IpAddr,
    qname: Name,
    qtype: u16,
    qclass: u16,
    transport: Transport,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    recursion_desired: bool,
    #[serde(default, skip_serializing_if = "is_usual")]
    opcode: u8,
    #[serde(default, skip_serializing_if = "is_usual")]
    header_bits: u16,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ignores_truncation: bool,
    #[serde(default, skip_serializing_if = "is_usual")]
    letters: Letters,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edns: Option<EdnsRow>,
    outcome: Outcome,
    rtt_us: Option<u64>,
    attempts: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    disbelieved: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_from: Option<SocketAddr>,
    wire_base64: String,
}

#[derive(Serialize, Deserialize)]
struct EdnsRow {
    version: u8,
    payload_bytes: u16,
    dnssec_ok: bool,
    z: u16,
    options: Vec<(u16, Vec<u8>)>,
}

fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn row(exchange: &Exchange) -> Row {
    let question = &exchange.question;
    Row {
        time: exchange.time,
        address: exchange.address,
        qname: question.name.clone(),
        qtype: question.rtype.to_int(),
        qclass: question.class.to_int(),
        transport: question.transport,
        recursion_desired: question.recursion_desired,
        opcode: question.opcode,
        header_bits: question.header_bits,
        ignores_truncation: question.ignores_truncation,
        letters: question.letters,
        edns: question.edns.as_ref().map(|edns| EdnsRow {
            version: edns.version,
            payload_bytes: edns.payload,
            dnssec_ok: edns.dnssec_ok,
            z: edns.z,
            options: edns.options.clone(),
        }),
        outcome: exchange.outcome,
        rtt_us: exchange.rtt_us,
        attempts: exchange.attempts,
        truncated: exchange.truncated,
        disbelieved: exchange.disbelieved,
        answered_from: exchange.answered_from,
        wire_base64: BASE64.encode(&exchange.wire),
    }
}

impl Saved {
    /// All of it as JSON.
    pub fn to_json(&self) -> String {
        let file = File {
            version: VERSION,
            check: self.check.clone(),
            vantage_point: self.vantage_point.clone(),
            started: self.started,
            hints: self.hints.clone(),
            anchors: self.anchors.clone(),
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            is_spent: self.is_spent,
            exchanges: self.exchanges.iter().map(|exchange| row(exchange)).collect(),
        };
        serde_json::to_string(&file).expect("plain data with text keys is JSON")
    }

    pub fn parse(json: &str) -> Result<Self, RestoreError> {
        let file: File = serde_json::from_str(json)?;
        if file.version != VERSION {
            return Err(RestoreError::Version { found: file.version });
        }
        let rows = file.exchanges.into_iter().enumerate();
        let exchanges = rows.map(|(at, row)| read(row).ok_or(RestoreError::Octets { number: at + 1 }));
        let exchanges = exchanges.collect::<Result<_, _>>()?;
        Ok(Self {
            check: file.check,
            vantage_point: file.vantage_point,
            hints: file.hints,
            anchors: file.anchors,
            started: file.started,
            ipv4: file.ipv4,
            ipv6: file.ipv6,
            is_spent: file.is_spent,
            exchanges,
        })
    }
}

fn read(row: Row) -> Option<Arc<Exchange>> {
    let edns = row.edns.map(|edns| Edns {
        version: edns.version,
        payload: edns.payload_bytes,
        dnssec_ok: edns.dnssec_ok,
        z: edns.z,
        options: edns.options,
    });
    let question = Question {
        name: row.qname,
        rtype: Rtype::from_int(row.qtype),
        class: Class::from_int(row.qclass),
        transport: row.transport,
        recursion_desired: row.recursion_desired,
        opcode: row.opcode,
        header_bits: row.header_bits,
        ignores_truncation: row.ignores_truncation,
        letters: row.letters,
        edns,
    };
    let ended = Ended {
        outcome: row.outcome,
        rtt_us: row.rtt_us,
        attempts: row.attempts,
        truncated: row.truncated,
        disbelieved: row.disbelieved,
        answered_from: row.answered_from,
        wire: BASE64.decode(&row.wire_base64).ok()?,
    };
    Some(Arc::new(Exchange::new(row.address, question, row.time, ended)))
}
