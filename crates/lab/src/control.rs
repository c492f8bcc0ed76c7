//! Events from another process: a line of JSON each way over TCP, on loopback only.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::event::Event;
use crate::lab::Lab;

/// Longest line that is read, in octets. An event is far shorter.
const LONGEST_LINE: u64 = 256 * 1024;

/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Reply {
    Done { ok: bool },
    Failed { error: String },
}

/// Why an event did not reach a lab or did not happen there.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The address is reachable from outside.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The line to the lab broke.
    #[error("cannot talk to a lab at {address}")]
    Line {
        /// Where the lab should be.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The lab said no.
    #[error("{0}")]
    Refused(String),
}

/// Takes events for `lab` on `listener` until the lab stops. Refuses a listener that is not on loopback.
pub async fn serve_control(lab: Lab, listener: TcpListener) -> Result<(), ControlError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    let address = listener.local_addr().map_err(|source| ControlError::Line {
        address: unknown,
        source,
    })?;
    if !address.ip().is_loopback() {
        return Err(ControlError::NotLoopback(address));
    }
    let stopped = lab.stopped();
    let serve = async {
        loop {
            let (stream, _) = listener
                .accept()
                .await
                .map_err(|source| ControlError::Line { address, source })?;
            // One conversation at a time: events keep their order.
            if let Err(error) = converse(&lab, stream).await {
                tracing::debug!(%error, "a control connection broke off");
            }
        }
    };
    stopped.run_until_cancelled(serve).await.unwrap_or(Ok(()))
}

async fn converse(lab: &Lab, stream: TcpStream) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading.take(LONGEST_LINE));
    let mut line = String::new();
    while tokio::time::timeout(PATIENCE, reading.read_line(&mut line)).await?? > 0 {
        let reply = match answer(lab, &line) {
            Ok(()) => Reply::Done { ok: true },
            Err(error) => Reply::Failed { error },
        };
        let mut text = serde_json::to_string(&reply)?;
        text.push('\n');
        writing.write_all(text.as_bytes()).await?;
        line.clear();
        reading.get_mut().set_limit(LONGEST_LINE);
    }
    Ok(())
}

fn answer(lab: &Lab, line: &str) -> Result<(), String> {
    let event: Event = serde_json::from_str(line).map_err(|error| format!("this is not an event: {error}"))?;
    lab.apply(&event).map_err(|error| error.to_string())
}

/// Sends an event to the lab whose control socket is at `address`, and waits until it has happened.
pub async fn send_event(address: SocketAddr, event: &Event) -> Result<(), ControlError> {
    if !address.ip().is_loopback() {
        return Err(ControlError::NotLoopback(address));
    }
    let line = |source| ControlError::Line { address, source };
    let reply = tokio::time::timeout(PATIENCE, exchange(address, event))
        .await
        .map_err(|late| line(late.into()))?;
    match reply.map_err(line)? {
        Reply::Done { .. } => Ok(()),
        Reply::Failed { error } => Err(ControlError::Refused(error)),
    }
}

async fn exchange(address: SocketAddr, event: &Event) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address).await?;
    let mut text = serde_json::to_string(event)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    let mut reply = String::new();
    BufReader::new(stream.take(LONGEST_LINE)).read_line(&mut reply).await?;
    Ok(serde_json::from_str(&reply)?)
}
