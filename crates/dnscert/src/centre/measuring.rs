//! The measuring zone's name server, where one is configured.

use std::sync::Arc;

use anyhow::Context as _;
use measure::authority::{Authority, Listening, serve};
use tokio_util::sync::CancellationToken;

use super::Centre;
use crate::config::{Config, MeasuringZoneConfig};

/// The server of the configured zone, with its key from the data folder.
pub fn open(config: &Config, zone: &MeasuringZoneConfig) -> anyhow::Result<Authority> {
    let folder = config.measuring_key_folder();
    Authority::open(zone.name.clone(), zone.published(), &folder)
        .with_context(|| format!("preparing the measuring zone `{}`", zone.name))
}

/// Serves the zone until the centre stops.
pub async fn run(centre: Arc<Centre>, stop: CancellationToken) -> anyhow::Result<()> {
    let Some(zone) = &centre.config.measuring_zone else {
        stop.cancelled().await;
        return Ok(());
    };
    let authority = Arc::new(open(&centre.config, zone)?);
    let listening = Listening::open(&zone.listen)
        .await
        .with_context(|| format!("listening for the measuring zone at {:?}", zone.listen))?;
    let ds = authority.ds().to_string().replace(',', " ");
    tracing::info!(zone = %zone.name, server = %authority.server(), %ds, "the measuring zone is served");
    stop.run_until_cancelled(serve(authority, listening, centre.clock.clone()))
        .await;
    Ok(())
}
