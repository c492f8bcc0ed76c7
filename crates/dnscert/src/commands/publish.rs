//! `dnscert lake publish`: brings what was committed to the lake into an object store, once or for as long as it runs.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use lake::store::{Published, Store};

use crate::cli::PublishArgs;
use crate::config::Config;

/// Status 0 when all that was committed is there. With `--every` what fails is told, and tried again.
pub async fn run(arguments: PublishArgs) -> anyhow::Result<ExitCode> {
    let told_to_stop = super::told_to_stop();
    let folder = match arguments.lake {
        Some(folder) => folder,
        None => Config::read(&arguments.config.config)?.lake_folder(),
    };
    let store = Store::open(&arguments.url, std::env::vars())?;
    let Some(seconds) = arguments.every else {
        publish(&folder, &store).await?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut due = tokio::time::interval(Duration::from_secs(seconds.get()));
    // after one that took longer than that the next follows at once, not one for each that was missed
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let publishing = async {
        loop {
            due.tick().await;
            if let Err(error) = publish(&folder, &store).await {
                tracing::error!("{error:#}");
            }
        }
    };
    tokio::select! {
        () = publishing => {}
        // what was broken off is taken up by the next
        () = told_to_stop => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn publish(folder: &Path, store: &Store) -> anyhow::Result<()> {
    let done = lake::store::publish(folder, store)
        .await
        .with_context(|| format!("publishing the lake in `{}`", folder.display()))?;
    let Published {
        files,
        octets,
        commits,
        removed,
    } = done;
    let megabytes = octets as f64 / 1e6;
    println!("{store}: {commits} commits, {files} files ({megabytes:.1} MB), {removed} old objects removed");
    Ok(())
}
