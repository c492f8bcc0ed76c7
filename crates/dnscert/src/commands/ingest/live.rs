//! `dnscert ingest --dnstap`: takes in what name servers tell while it happens, window by window, until told to stop.

use std::sync::Arc;

use anyhow::Context as _;
use model::SystemClock;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::open;
use super::receipt::table;
use crate::cli::IngestArgs;
use crate::commands::sensor::{print, settings};
use crate::sensor::{self, IntoLake, Keep, Streams};

/// Goes on until told to stop. Each window is a receipt of its own in the lake.
pub(super) async fn run(arguments: Arc<IngestArgs>, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let keep = match open(&arguments).await? {
        None => Keep::Nowhere,
        Some(store) => {
            let sources = store.passive.sources();
            let known = sources.into_iter().find(|source| source.id == arguments.sensor);
            let source = known.with_context(|| format!("looking for the source `{}`", arguments.sensor))?;
            Keep::Lake(Box::new(IntoLake::new(store.folder, source, Handle::current())))
        }
    };
    let streams = Streams {
        window_secs: arguments.window,
        taps: arguments.dnstap.clone(),
        interfaces: Vec::new(),
        ring_bytes: 0,
        print: match arguments.json {
            true => print,
            false => |receipt| println!("{}", table(receipt)),
        },
        // a key that nobody knows: within a run clients add up
        capture: settings(arguments.ports.clone(), arguments.served.clone(), rand::random()),
    };
    let told = CancellationToken::new();
    let running = sensor::run_here(keep, streams, Arc::new(SystemClock), told.clone());
    tokio::pin!(running, stop);
    tokio::select! {
        ended = &mut running => ended,
        () = &mut stop => {
            told.cancel();
            running.await
        }
    }
}
