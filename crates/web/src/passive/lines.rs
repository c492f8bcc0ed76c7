//! Answers that are written line by line while they are found.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Octets that are gathered before they go out.
const CHUNK: usize = 16 * 1024;

/// Chunks that wait for a slow reader; then the look-up waits.
const WAITING: usize = 4;

/// How long nothing comes before the reader is told that the look-up goes on. Proxies close what is silent for a minute.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a reader may take for a chunk: 270 octets a second. Longer, and who reads nothing keeps a place of all look-ups.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a look-up writes its lines.
pub(super) struct Lines {
    gathered: Vec<u8>,
    sender: mpsc::Sender<Chunk>,
    patience: Duration,
}

/// A part of an answer; the last is the end. An answer without an end is broken off, so that nobody takes it for whole.
enum Chunk {
    Octets(Bytes),
    End,
}

/// The reader has gone, or reads too slowly.
pub(super) struct Gone;

impl Lines {
    /// Adds a line, given without its end.
    pub fn push(&mut self, line: &str) -> Result<(), Gone> {
        self.gathered.extend_from_slice(line.as_bytes());
        self.gathered.push(b'\n');
        if self.gathered.len() >= CHUNK {
            self.send()
        } else {
            Ok(())
        }
    }

    /// Whether the reader has gone.
    pub fn is_unread(&self) -> bool {
        self.sender.is_closed()
    }

    fn send(&mut self) -> Result<(), Gone> {
        let chunk = std::mem::take(&mut self.gathered);
        self.give(Chunk::Octets(chunk.into()))
    }

    fn give(&self, chunk: Chunk) -> Result<(), Gone> {
        match Handle::current().block_on(tokio::time::timeout(self.patience, self.sender.send(chunk))) {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }
}

/// An answer of lines that `work` writes off the runtime's threads, while it has `leave`. While nothing comes, `alive` is written now
/// and then.
pub(super) fn answer(
    leave: impl Send + 'static,
    alive: Option<&'static str>,
    work: impl FnOnce(&mut Lines) -> Result<(), Gone> + Send + 'static,
) -> Response {
    patient(PATIENCE, leave, alive, work)
}

fn patient(
    patience: Duration,
    leave: impl Send + 'static,
    alive: Option<&'static str>,
    work: impl FnOnce(&mut Lines) -> Result<(), Gone> + Send + 'static,
) -> Response {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut lines = Lines {
            gathered: Vec::with_capacity(CHUNK),
            sender,
            patience,
        };
        // whoever has gone needs no end either
        let _ = work(&mut lines)
            .and_then(|()| lines.send())
            .and_then(|()| lines.give(Chunk::End));
        drop(leave);
    });
    let chunks = futures_util::stream::unfold(receiver, move |mut receiver| async move {
        let chunk = match alive {
            None => receiver.recv().await,
            Some(alive) => match tokio::time::timeout(SILENCE, receiver.recv()).await {
                Ok(chunk) => chunk,
                Err(_) => Some(Chunk::Octets(Bytes::from_static(alive.as_bytes()))),
            },
        };
        match chunk {
            Some(Chunk::Octets(octets)) => Some((Ok(octets), receiver)),
            Some(Chunk::End) => None,
            None => {
                let broken = std::io::Error::other("the answer was broken off");
                Some((Err(broken), receiver))
            }
        }
    });
    // a body may be asked again after its end
    let mut response = Body::from_stream(chunks.fuse()).into_response();
    let kind = header::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_whole_or_broken_off() {
        let body = |work: fn(&mut Lines) -> Result<(), Gone>| to_bytes(answer((), None, work).into_body(), usize::MAX);
        assert_eq!(body(|lines| lines.push("all")).await.unwrap(), "all\n");
        assert!(body(|lines| lines.push("some").and(Err(Gone))).await.is_err());
    }

    #[tokio::test]
    async fn who_reads_nothing_loses_the_place() {
        let place = std::sync::Arc::new(());
        let response = patient(Duration::from_millis(50), place.clone(), None, |lines| {
            loop {
                lines.push("more than anybody reads")?;
            }
        });
        while std::sync::Arc::strong_count(&place) > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(to_bytes(response.into_body(), usize::MAX).await.is_err());
    }
}
