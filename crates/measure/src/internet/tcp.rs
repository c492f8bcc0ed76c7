//! Questions over TCP (RFC 7766): one connection for one question.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use model::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::health::{Health, Settled, Way};
use super::judge::{Judgement, Sent};
use crate::exchange::Ended;
use crate::question::Question;

/// Asks over TCP, once, within `timeout` for connection and answer together.
pub(crate) async fn ask(timeout: Duration, target: SocketAddr, question: &Question, health: &Health) -> Ended {
    let begin = Instant::now();
    let until = begin + timeout;
    let mut stream = match timeout_at(until, TcpStream::connect(target)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Ended::without_answer(outcome_of(&error), 1),
        Err(_) => {
            // whether a connection is taken up does not depend on the question
            let settled = Settled {
                outcome: Outcome::Timeout,
                answered_from: None,
            };
            health.settle(target.ip(), Way::Tcp, settled);
            return Ended::without_answer(Outcome::Timeout, 1);
        }
    };
    health.heard(target.ip(), Way::Tcp);
    let mut ended = Ended::without_answer(Outcome::Timeout, 1);
    match timeout_at(until, converse(&mut stream, target, question, &mut ended)).await {
        Ok(Ok(())) if ended.outcome == Outcome::Answer => {
            ended.rtt_us = u64::try_from(begin.elapsed().as_micros()).ok();
        }
        Ok(Err(error)) if is_reset(&error) => ended.outcome = Outcome::Refused,
        // closed in the middle, or time is up: what was seen stands
        _ => {}
    }
    ended
}

async fn converse(
    stream: &mut TcpStream,
    target: SocketAddr,
    question: &Question,
    ended: &mut Ended,
) -> io::Result<()> {
    let id: u16 = rand::random();
    let spelling = question.letters.spell(&question.name);
    let wire = question.to_wire(id, &spelling);
    let mut framed = Vec::with_capacity(2 + wire.len());
    framed.extend(u16::try_from(wire.len()).unwrap_or(u16::MAX).to_be_bytes());
    framed.extend(&wire);
    stream.write_all(&framed).await?;
    let sent = Sent {
        target,
        question,
        spelling: &spelling,
        ids: &[id],
    };
    loop {
        let size = stream.read_u16().await?;
        let mut octets = vec![0; usize::from(size)];
        stream.read_exact(&mut octets).await?;
        match sent.judge(&octets, target) {
            Judgement::Answer(_) | Judgement::OtherLetters => {
                ended.outcome = Outcome::Answer;
                ended.wire = octets;
                return Ok(());
            }
            Judgement::Garbage => {
                ended.outcome = Outcome::Garbage;
                ended.wire = octets;
                return Ok(());
            }
            Judgement::Disbelieved | Judgement::Elsewhere => ended.disbelieved += 1,
        }
    }
}

fn outcome_of(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::TimedOut => Outcome::Timeout,
        _ if is_reset(error) => Outcome::Refused,
        _ => Outcome::Unreachable,
    }
}

fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | ConnectionAborted | BrokenPipe | HostUnreachable
    )
}
