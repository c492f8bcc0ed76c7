//! A zone, transferred from one of its servers: as a whole (AXFR, RFC 5936) or as what changed since a serial (IXFR, RFC 1995),
//! over TCP, signed with TSIG (RFC 8945) where there is a key.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Serial, Ttl};
use domain::net::client::request::{GetResponseMulti, RequestMessage, RequestMessageMulti, SendRequestMulti};
use domain::net::client::{stream, tsig};
use domain::net::xfr::protocol::{IterationError, ParsedRecord, XfrResponseInterpreter};
use domain::rdata::Soa;
use domain::tsig::{Algorithm, Key, KeyName};
use domain::zonetree::types::ZoneUpdate;
use model::Name;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Rtype;

/// A key for TSIG: an algorithm, a name and a secret that the server has too.
#[derive(Clone)]
pub struct TransferKey(Arc<Key>);

/// What of a key's text is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}; a key is `ALGORITHM:NAME:SECRET` or a `key` clause as BIND, NSD and Knot's tools print it")]
pub struct KeyError(String);

impl fmt::Debug for TransferKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TransferKey({})", self.0.name())
    }
}

impl FromStr for TransferKey {
    type Err = KeyError;

    /// Reads `hmac-sha256:name:BASE64`, or `key "name" { algorithm hmac-sha256; secret "BASE64"; };`.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let (algorithm, name, secret) = match text.strip_prefix("key") {
            Some(clause) if clause.starts_with([' ', '\t', '"']) => of_clause(clause)?,
            _ => {
                let mut parts = text.splitn(3, ':').map(str::trim);
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(algorithm), Some(name), Some(secret)) => (algorithm, name, secret),
                    _ => return Err(KeyError("this is no key".to_owned())),
                }
            }
        };
        let wrong = |what: &str, value: &str| KeyError(format!("`{value}` is no {what}"));
        let known = Algorithm::from_str(&algorithm.to_ascii_lowercase());
        let known = known.map_err(|_| wrong("algorithm of TSIG that is known here", algorithm))?;
        let named = KeyName::from_str(name).map_err(|_| wrong("name of a key", name))?;
        // the secret itself is in no message
        let secret = base64::engine::general_purpose::STANDARD.decode(secret);
        let secret = secret.map_err(|_| KeyError(format!("the secret of the key `{name}` is not in Base64")))?;
        let key = Key::new(known, &secret, named, None, None);
        Ok(Self(Arc::new(key.map_err(|error| KeyError(error.to_string()))?)))
    }
}

/// Algorithm, name and secret of `"name" { algorithm …; secret "…"; };`.
fn of_clause(clause: &str) -> Result<(&str, &str, &str), KeyError> {
    let bare = |text: &'_ str| -> Option<(usize, usize)> {
        let start = text.len() - text.trim_start().trim_start_matches('"').len();
        let end = start + text[start..].find(['"', ';', ' ', '\t', '{', '\n'])?;
        Some((start, end))
    };
    let word = |after: &str| -> Result<&str, KeyError> {
        let missing = || KeyError(format!("the key has no `{after}`"));
        let (_, text) = clause.split_once(after).ok_or_else(missing)?;
        let (start, end) = bare(text).ok_or_else(missing)?;
        Ok(&text[start..end])
    };
    let (start, end) = bare(clause).ok_or_else(|| KeyError("the key has no name".to_owned()))?;
    Ok((word("algorithm")?, &clause[start..end], word("secret")?))
}

/// From where a zone is transferred.
#[derive(Debug, Clone)]
pub struct TransferPlan {
    /// The zone.
    pub zone: Name,
    /// The server.
    pub server: SocketAddr,
    /// The key that both have; without one the server goes by addresses.
    pub key: Option<TransferKey>,
    /// How long the connection, and then each message, may take. Shorter: a busy server that gathers a large difference fails. Longer: a
    /// dead one is noticed late. Servers themselves take 30 s (BIND) to an hour.
    pub patience: Duration,
    /// How long all of it may take. Shorter: a large zone on a slow line does not come to its end. Longer: a server that lets it trickle holds
    /// the transfer as long.
    pub longest: Duration,
}

/// One record on its way.
#[derive(Debug)]
pub enum Step {
    /// What came before counts no more: the zone comes as a whole.
    Whole,
    /// This record is gone.
    Remove(ParsedRecord),
    /// This record is in the zone.
    Add(ParsedRecord),
}

/// What came of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transferred {
    /// The zone has the serial that was known.
    Current,
    /// All of it came.
    Whole {
        /// Its serial.
        serial: u32,
    },
    /// What changed came.
    Changes {
        /// Its serial.
        serial: u32,
    },
}

/// Why a zone could not be transferred.
#[derive(Debug, thiserror::Error)]
pub enum TransferError<E> {
    /// No connection.
    #[error("connecting to {server} for the zone `{zone}`")]
    Connect {
        /// The zone.
        zone: Name,
        /// The server.
        server: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The server answered that it does not.
    #[error("{server} does not transfer the zone `{zone}`: {rcode}")]
    Refused {
        /// The zone.
        zone: Name,
        /// The server.
        server: SocketAddr,
        /// What it answered.
        rcode: Rcode,
    },
    /// The transfer broke off, or is none.
    #[error("the transfer of the zone `{zone}` from {server} broke off after {records} records: {reason}")]
    Broken {
        /// The zone.
        zone: Name,
        /// The server.
        server: SocketAddr,
        /// Records that came before.
        records: u64,
        /// What is wrong.
        reason: String,
    },
    /// Whoever takes the records could not.
    #[error("a record could not be taken")]
    Taker(E),
}

/// Transfers a zone, gives each record to `take`, and says what came. With `have`, the serial that is known, only what changed is asked
/// for; a server that does not know gives the whole zone all the same, and says so by [`Step::Whole`] before its first record.
pub async fn transfer<E>(
    plan: &TransferPlan,
    have: Option<u32>,
    mut take: impl FnMut(Step) -> Result<(), E>,
) -> Result<Transferred, TransferError<E>> {
    let mut records = 0;
    let end = Instant::now() + plan.longest;
    let broken = |records: u64, reason: String| TransferError::Broken {
        zone: plan.zone.clone(),
        server: plan.server,
        records,
        reason,
    };
    let late = || match Instant::now() < end {
        true => format!("nothing came for {} s", plan.patience.as_secs_f32()),
        false => format!("it took more than {} s", plan.longest.as_secs()),
    };
    let connected = timeout(plan.patience, TcpStream::connect(plan.server)).await;
    let connected = connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    let connected = connected.map_err(|source| TransferError::Connect {
        zone: plan.zone.clone(),
        server: plan.server,
        source,
    })?;
    let asked = request(&plan.zone, have).map_err(|reason| broken(0, reason))?;
    let mut responses = send(connected, plan, asked);
    let mut interpreter = XfrResponseInterpreter::new();
    let (mut is_whole, mut newest) = (false, None);
    loop {
        let until = end.min(Instant::now() + plan.patience);
        let response = timeout_at(until, responses.next.get_response()).await;
        let response = response.map_err(|_| broken(records, late()))?;
        // with TSIG, the end says whether the last messages were signed as well
        let Some(response) = response.map_err(|error| broken(records, error.to_string()))? else {
            break;
        };
        refused(plan, &response)?;
        if interpreter.is_finished() {
            return Err(broken(records, "more came after its end".to_owned()));
        }
        newest = newest.or_else(|| soa_of(&response, &plan.zone));
        let updates = interpreter.interpret_response(response);
        for update in updates.map_err(|error| broken(records, error.to_string()))? {
            let step = match update {
                Err(IterationError::SingleSoaIxfrTcpRetrySignal) => return single(have, newest, broken),
                Err(IterationError::ParseError(error)) => return Err(broken(records, error.to_string())),
                Err(IterationError::AlreadyFinished) => {
                    return Err(broken(records, "more came after its end".to_owned()));
                }
                Err(IterationError::MissingInitialSoa) => {
                    return Err(broken(records, "it does not begin with the SOA record".to_owned()));
                }
                Ok(ZoneUpdate::DeleteAllRecords) => {
                    is_whole = true;
                    Step::Whole
                }
                Ok(ZoneUpdate::DeleteRecord(record) | ZoneUpdate::BeginBatchDelete(record)) => Step::Remove(record),
                Ok(ZoneUpdate::AddRecord(record) | ZoneUpdate::BeginBatchAdd(record)) => Step::Add(record),
                // the SOA of a whole zone comes at its end; that of changes came with them
                Ok(ZoneUpdate::Finished(record)) if is_whole => Step::Add(record),
                Ok(_) => continue,
            };
            records += u64::from(!matches!(step, Step::Whole));
            take(step).map_err(TransferError::Taker)?;
        }
    }
    match newest {
        Some(serial) if interpreter.is_finished() && is_whole => Ok(Transferred::Whole { serial }),
        Some(serial) if interpreter.is_finished() => Ok(Transferred::Changes { serial }),
        _ => Err(broken(records, "it has no end".to_owned())),
    }
}

/// A lone SOA: the zone is what we have, or the server does not want to say what changed.
fn single<E>(
    have: Option<u32>,
    newest: Option<u32>,
    broken: impl Fn(u64, String) -> TransferError<E>,
) -> Result<Transferred, TransferError<E>> {
    match (have, newest) {
        (Some(have), Some(newest)) if Serial(newest) <= Serial(have) => Ok(Transferred::Current),
        _ => Err(broken(1, "the server gives its SOA alone, which is newer".to_owned())),
    }
}

/// The question for the zone, or for what changed since a serial.
fn request(zone: &Name, have: Option<u32>) -> Result<Message<Vec<u8>>, String> {
    let failed = |error: &dyn fmt::Display| format!("the question cannot be written: {error}");
    let mut question = MessageBuilder::new_vec().question();
    let rtype = if have.is_some() { Rtype::IXFR } else { Rtype::AXFR };
    question.push((zone.as_wire(), rtype)).map_err(|error| failed(&error))?;
    let mut authority = question.authority();
    if let Some(serial) = have {
        // only the serial is looked at (RFC 1995 §3)
        let root = domain::base::Name::root_vec();
        let zero = Ttl::ZERO;
        let soa = Soa::new(root.clone(), root, Serial(serial), zero, zero, zero, zero);
        let pushed = authority.push((zone.as_wire(), domain::base::iana::Class::IN, Ttl::ZERO, soa));
        pushed.map_err(|error| failed(&error))?;
    }
    Ok(authority.into_message())
}

/// The responses, one by one. The transport ends with the last handle of its connection, so that is held as long.
struct Responses {
    next: Box<dyn GetResponseMulti + Send + Sync>,
    _connection: Connection,
}

type Asked = RequestMessageMulti<Vec<u8>>;
type Connection = Arc<dyn Send + Sync>;

/// Sends the question.
fn send(connected: TcpStream, plan: &TransferPlan, asked: Message<Vec<u8>>) -> Responses {
    let Ok(asked) = Asked::new(asked) else {
        unreachable!("a question for AXFR or IXFR is one for a transfer")
    };
    let mut config = stream::Config::new();
    config.set_response_timeout(plan.patience);
    config.set_streaming_response_timeout(plan.patience);
    match &plan.key {
        None => {
            let (connection, transport) =
                stream::Connection::<RequestMessage<Vec<u8>>, Asked>::with_config(connected, config);
            tokio::spawn(transport.run());
            Responses {
                next: connection.send_request(asked),
                _connection: Arc::new(connection),
            }
        }
        Some(key) => {
            let (connection, transport) =
                stream::Connection::<RequestMessage<Vec<u8>>, _>::with_config(connected, config);
            tokio::spawn(transport.run());
            let connection = tsig::Connection::new(key.0.clone(), connection);
            Responses {
                next: connection.send_request(asked),
                _connection: Arc::new(connection),
            }
        }
    }
}

fn refused<E>(plan: &TransferPlan, response: &Message<Bytes>) -> Result<(), TransferError<E>> {
    match response.header().rcode() {
        Rcode::NOERROR => Ok(()),
        rcode => Err(TransferError::Refused {
            zone: plan.zone.clone(),
            server: plan.server,
            rcode,
        }),
    }
}

/// The serial of the SOA with which a transfer begins.
fn soa_of(response: &Message<Bytes>, zone: &Name) -> Option<u32> {
    use domain::base::ToName as _;
    let answer = response.answer().ok()?;
    let first = answer.limit_to_in::<Soa<_>>().next()?.ok()?;
    first
        .owner()
        .name_eq(zone.as_wire())
        .then(|| first.data().serial().into_int())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_key_or_an_error(text in "(key ?)?[\"a-z0-9:;{} .=\\PC]{0,60}") {
            let _ = text.parse::<TransferKey>();
        }
    }

    #[test]
    fn both_ways_of_writing_a_key_give_the_same() {
        let secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        for text in [
            format!("hmac-sha256:transfer.example:{secret}"),
            format!(" HMAC-SHA256 : transfer.example : {secret}\n"),
            format!("key transfer.example {{ algorithm hmac-sha256; secret {secret}; }};"),
            format!("key \"transfer.example\" {{\n\talgorithm \"hmac-sha256\";\n\tsecret \"{secret}\";\n}};\n"),
        ] {
            let key = text.parse::<TransferKey>().unwrap();
            assert_eq!(key.0.name().to_string(), "transfer.example", "{text}");
            assert_eq!(key.0.algorithm(), Algorithm::Sha256, "{text}");
            assert!(!format!("{key:?}").contains(secret));
        }
    }
}
