//! Three vantage points of the demo: in reality all on this machine, on the map in three regions.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use csirt::directory::Region;
use csirt::vantage::{self, Place, Profile};
use csirt::{Actor, Records};
use model::SystemClock;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ProbesConfig;
use crate::hand_over::Settings;
use crate::probe;

/// Octets that each may spool.
const SPOOL_BYTES: u64 = 16 << 20;

/// Name, region, country, city, coordinates, and network (of those set aside for documentation, RFC 5398).
const POINTS: [(&str, Region, &str, &str, &str, u32); 3] = [
    ("nbo1", Region::Af, "KE", "Nairobi", "-1.3,36.8", 64_496),
    ("fra1", Region::Eu, "DE", "Frankfurt am Main", "50.1,8.7", 64_497),
    ("gru1", Region::Lac, "BR", "São Paulo", "-23.5,-46.6", 64_498),
];

/// A grid that shows something soon, and burdens the machine little.
pub fn config() -> ProbesConfig {
    ProbesConfig {
        interval_secs: 20,
        jitter_secs: 5,
        timeout_ms: 1_000,
        silent_after_secs: 120,
        ..ProbesConfig::default()
    }
}

/// The vantage points at work.
pub struct Probes {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Probes {
    /// Registers those that are missing and lets all of them measure.
    pub async fn start(records: &Records, data: &Path, portal: SocketAddr) -> anyhow::Result<Self> {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        for (name, region, country, city, coordinates, asn) in POINTS {
            let known = vantage::by_name(records, name)
                .await
                .context("reading the vantage points")?;
            let secret = match known {
                // its token was shown once, to a demo that is over
                Some(point) => vantage::renew_token(records, Actor::System, point.id).await,
                None => {
                    let profile = Profile {
                        name: name.to_owned(),
                        operator: None,
                        place: Place {
                            region,
                            country: country.to_owned(),
                            city: city.to_owned(),
                            coordinates: coordinates.parse().context("reading coordinates of the demo")?,
                        },
                        network: "Atlas Transit".to_owned(),
                        asn: Some(asn),
                        ipv4: true,
                        ipv6: false,
                    };
                    vantage::create(records, Actor::System, profile)
                        .await
                        .map(|(_, secret)| secret)
                }
            };
            let secret = secret.with_context(|| format!("registering the vantage point `{name}`"))?;
            let settings = Settings {
                centre: format!("http://{portal}"),
                token: secret.reveal().to_owned(),
                spool: data.join("probes").join(name),
                spool_bytes: SPOOL_BYTES,
                certificate: None,
                plain_http: true,
            };
            let until = stop.clone();
            tasks.spawn(async move {
                if let Err(error) = probe::run(settings, Arc::new(SystemClock), until).await {
                    tracing::error!(vantage_point = name, "the probe ended: {error:#}");
                }
            });
        }
        tasks.close();
        Ok(Self { tasks, stop })
    }

    /// Ends them; what they have not handed over waits in their spools.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
