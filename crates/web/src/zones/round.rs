//! What the runner keeps with a round: the state of each server in JSON. A server that cannot be read is left out: an
//! older runner wrote it otherwise, and a page must still show the rest.

use std::net::IpAddr;

use model::{Delegation, Health, Name};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// One server as the last round found it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ServerState {
    /// Name of the server.
    pub(crate) name: Name,
    /// One of its addresses.
    pub(crate) address: IpAddr,
    /// Whether a DNS response came.
    #[serde(default)]
    pub(crate) reachable: bool,
    /// Whether the answer was authoritative and had the zone's SOA record.
    #[serde(default)]
    pub(crate) serves_zone: bool,
    /// Time to the answer, in microseconds.
    #[serde(default)]
    pub(crate) rtt_us: Option<u64>,
    /// SOA serial.
    #[serde(default)]
    pub(crate) serial: Option<u32>,
    /// NSID (RFC 5001).
    #[serde(default)]
    pub(crate) nsid: Option<String>,
}

impl ServerState {
    /// How it does.
    pub(crate) fn health(&self) -> Health {
        match (self.reachable, self.serves_zone) {
            (true, true) => Health::Good,
            (true, false) => Health::Impaired,
            (false, _) => Health::Broken,
        }
    }

    /// Id of the word for how it does.
    pub(crate) fn text_id(&self) -> &'static str {
        server_text(self.health())
    }
}

/// Id of the word for how a server does.
pub(crate) fn server_text(health: Health) -> &'static str {
    match health {
        Health::Good | Health::Unknown => "zone-server-answers",
        Health::Impaired => "zone-server-lame",
        Health::Broken => "zone-server-silent",
    }
}

/// The servers of a round, by name and address.
pub(crate) fn servers(value: &Value) -> Vec<ServerState> {
    let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut servers: Vec<ServerState> = all
        .iter()
        .filter_map(|one| ServerState::deserialize(one).ok())
        .collect();
    servers.sort_by(|a, b| (&a.name, a.address).cmp(&(&b.name, b.address)));
    servers
}

/// A short mark of a delegation, by which a form says which one its page showed.
pub(crate) fn fingerprint(delegation: &Delegation) -> String {
    let text = serde_json::to_string(delegation).unwrap_or_default();
    hex::encode(&Sha256::digest(text.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_older_runner_wrote_otherwise_is_left_out() {
        let value = json!([
            {"name": "ns2.example", "address": "192.0.2.2", "reachable": false, "outcome": "timeout"},
            {"name": "ns1.example", "address": "192.0.2.1", "reachable": true, "serves_zone": true, "rtt_us": 2300, "serial": 7},
            {"name": "a..b", "address": "192.0.2.3"},
            "nonsense",
        ]);
        let servers = servers(&value);
        let shown: Vec<_> = servers
            .iter()
            .map(|server| (server.name.to_string(), server.health()))
            .collect();
        assert_eq!(
            shown,
            [
                ("ns1.example".to_owned(), Health::Good),
                ("ns2.example".to_owned(), Health::Broken)
            ]
        );
        assert!(super::servers(&Value::Null).is_empty());
    }
}
