//! Who asks, so far as a sensor tells it: a network, or a pseudonym. Never an address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Prefix, Span};

/// Leading bits of a network of IPv4: what RFC 7871 §11.1 lets resolvers tell of a client, and the longest prefix that is announced by
/// itself. More bits would tell a household.
const NETWORK_V4: u8 = 24;

/// Of IPv6: the longest prefix that is announced by itself, which one site may have. RFC 7871 has 56, which may be one household.
const NETWORK_V6: u8 = 48;

/// Of 2002::/16, where the address of an IPv4 client stands in bits 16 to 47 (6to4, RFC 3056 §2): 24 of these.
const NETWORK_6TO4: u8 = 16 + NETWORK_V4;

/// A client as a sensor tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Client {
    /// The network that its address lies in, of 24 leading bits (IPv4), 48 (IPv6) or 40 (6to4) at the most.
    Network(Prefix),
    /// Its address, encrypted with a key that stays at the sensor.
    Pseudonym([u8; 16]),
}

/// A text that is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a network like 192.0.2.0/24 or 2001:db8::/48, nor a pseudonym of 32 hexadecimal digits")]
pub struct ClientError(String);

impl Client {
    /// The network of an address. An IPv4-mapped address is one of IPv4.
    pub fn network(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self::Network(Prefix::of(address, most_bits(address)).expect("32 bits have 24, and 128 have 48"))
    }
}

/// The most leading bits of a network that this address is in.
fn most_bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => NETWORK_V4,
        IpAddr::V6(address) if address.segments()[0] == 0x2002 => NETWORK_6TO4,
        IpAddr::V6(_) => NETWORK_V6,
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => write!(f, "{network}"),
            Self::Pseudonym(octets) => octets.iter().try_for_each(|octet| write!(f, "{octet:02x}")),
        }
    }
}

impl FromStr for Client {
    type Err = ClientError;

    /// What [`Display`](fmt::Display) gives. A network of more bits is an error: it would be an address.
    fn from_str(text: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError(text.chars().take(100).collect());
        if text.contains('/') {
            let network: Prefix = text.parse().map_err(|_| wrong())?;
            return match network.length() <= most_bits(network.address()) {
                true => Ok(Self::Network(network)),
                false => Err(wrong()),
            };
        }
        let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.as_bytes().iter().all(is_digit) {
            return Err(wrong());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        Ok(Self::Pseudonym(number.to_be_bytes()))
    }
}

impl TryFrom<String> for Client {
    type Error = ClientError;

    fn try_from(text: String) -> Result<Self, ClientError> {
        text.parse()
    }
}

impl From<Client> for String {
    fn from(client: Client) -> Self {
        client.to_string()
    }
}

/// How many queries of a minute, or a longer span, came from one client to a server: those who asked most. Cells of one span, server and
/// client add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCell {
    /// The minute in which the queries came; of a longer span the first.
    pub minute: Timestamp,
    /// The span that begins with it. What is observed is of minutes.
    #[serde(default)]
    pub span: Span,
    /// The server's address; `None` for the servers that found no cell of their own, because there were too many.
    pub server: Option<IpAddr>,
    /// Who asked; `None` for all that cannot be told of one client.
    pub client: Option<Client>,
    /// Queries: of a client at least so many. All cells of a server together are all of its queries.
    pub queries: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_a_network_or_a_pseudonym_and_never_an_address() {
        for (address, network) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
            ("2002:c000:24d::1", "2002:c000:200::/40"),
        ] {
            let client = Client::network(address.parse().unwrap());
            assert_eq!(client.to_string(), network);
            assert_eq!(network.parse(), Ok(client));
        }
        let pseudonym = Client::Pseudonym([7; 16]);
        assert_eq!(pseudonym.to_string().parse(), Ok(pseudonym));
        for text in [
            "192.0.2.77",
            "192.0.2.77/32",
            "192.0.2.0/25",
            "2001:db8::/49",
            "2002:c000:24d::/48",
            "2001:db8::1",
            "192.0.2.7/24",
            "070707",
            "+7070707070707070707070707070707",
            "0707070707070707070707070707070G",
            "",
        ] {
            assert!(text.parse::<Client>().is_err(), "{text}");
        }
    }
}
