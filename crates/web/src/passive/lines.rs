//! Answers that are written line by line while they are found.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

/// Octets that are gathered before they go out.
const CHUNK: usize = 16 * 1024;

/// Chunks that wait for a slow reader; then the look-up waits.
const WAITING: usize = 4;

/// How long nothing comes before the reader is told that the look-up goes on. Proxies close what is silent for a minute.
const SILENCE: Duration = Duration::from_secs(15);

/// Where a look-up writes its lines.
pub(super) struct Lines {
    gathered: Vec<u8>,
    sender: mpsc::Sender<Bytes>,
}

/// The reader has gone.
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

    fn send(&mut self) -> Result<(), Gone> {
        let chunk = std::mem::take(&mut self.gathered);
        self.sender.blocking_send(chunk.into()).map_err(|_| Gone)
    }
}

/// An answer of lines that `work` writes off the runtime's threads. While nothing comes, `alive` is written now and then.
pub(super) fn answer(
    permit: OwnedSemaphorePermit,
    alive: Option<&'static str>,
    work: impl FnOnce(&mut Lines) -> Result<(), Gone> + Send + 'static,
) -> Response {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut lines = Lines {
            gathered: Vec::with_capacity(CHUNK),
            sender,
        };
        // whoever has gone needs no end either
        if work(&mut lines).is_ok() {
            let _ = lines.send();
        }
        drop(permit);
    });
    let chunks = futures_util::stream::unfold(receiver, move |mut receiver| async move {
        let chunk = match alive {
            None => receiver.recv().await?,
            Some(alive) => match tokio::time::timeout(SILENCE, receiver.recv()).await {
                Ok(chunk) => chunk?,
                Err(_) => Bytes::from_static(alive.as_bytes()),
            },
        };
        Some((Ok::<_, std::convert::Infallible>(chunk), receiver))
    });
    // a body may be asked again after its end
    let mut response = Body::from_stream(chunks.fuse()).into_response();
    let kind = header::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
