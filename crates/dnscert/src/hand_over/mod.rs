//! What a vantage point does with its centre, whether it asks or listens: hands sealed parts over from its spool, and says how it is.
//!
//! Each part is durable in the spool before it is handed over and stays there until the centre has it.

mod line;
mod spool;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::Clock;

pub use line::{Failure, Line};
pub use spool::{Form, Spool};

use line::Said;

/// Pause between two words to the centre. A third of the shortest silence that a centre should call one.
const SPEAK_EVERY: Duration = Duration::from_secs(30);

/// First and longest pause after a failed hand-over.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// Pause after the centre said that it does not know the token. It may be known again after a mistake is mended; asking more often
/// helps nobody.
const UNKNOWN_PAUSE: Duration = Duration::from_secs(300);

/// Where the centre is, and where parts wait for it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the centre: `https://dnscert.example`.
    pub centre: String,
    /// Its token.
    pub token: String,
    /// Folder for plan and parts.
    pub spool: PathBuf,
    /// Octets that the parts may take there.
    pub spool_bytes: u64,
    /// A certificate to trust besides the system's, as PEM.
    pub certificate: Option<Vec<u8>>,
    /// Whether the token may travel without TLS to another machine.
    pub plain_http: bool,
}

/// The way from the spool to the centre.
pub struct HandOver {
    /// The line to the centre.
    pub line: Line,
    /// What waits.
    pub spool: Spool,
    /// The present moment.
    pub clock: Arc<dyn Clock>,
}

impl HandOver {
    /// Opens the spool and prepares the line. Fails for a bad address and for a spool that cannot be written.
    pub fn open(settings: &Settings, form: Form, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Ok(Self {
            line: Line::open(settings)?,
            spool: Spool::open(&settings.spool, settings.spool_bytes, form)?,
            clock,
        })
    }

    /// Hands over what the spool has, the newest first: after an outage the centre sees the present before the past. Never ends.
    pub async fn hand_over(&self) {
        let mut was_told = Told::default();
        let mut pause = BACK_OFF.0;
        loop {
            let oldest = self.clock.now().saturating_sub(lake::Limits::default().oldest);
            if let Err(error) = self.spool.drop_older_than(oldest.unwrap_or(Timestamp::MIN)) {
                tracing::error!("{error:#}");
            }
            let Some(part) = self.spool.newest() else {
                self.spool.grown().await;
                continue;
            };
            let octets = match self.spool.read(&part) {
                Ok(octets) => octets,
                Err(error) => {
                    tracing::error!("{error:#}");
                    self.spool.set_aside(&part, "it cannot be read");
                    continue;
                }
            };
            match self.line.part(&part.id, octets, self.spool.form()).await {
                Ok(()) => {
                    was_told.works();
                    pause = BACK_OFF.0;
                    self.spool.remove(&part);
                }
                Err(Failure::Refused(reason)) => {
                    tracing::error!(part = %part.id, reason, "the centre refuses a part; it lies aside");
                    self.spool.set_aside(&part, &reason);
                }
                Err(failure) => {
                    tokio::time::sleep(was_told.fails(&failure, pause)).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                }
            }
        }
    }

    /// Tells the centre how it is, and learns how wrong its own clock is. Never ends. `lost_packets`: how many packets passed a sensor
    /// and were not read.
    pub async fn speak(&self, lost_packets: impl Fn() -> u64) {
        let mut was_told = Told::default();
        let mut clock = None;
        loop {
            let sent = self.clock.now();
            let (offset_us, round_trip_us) = match clock {
                Some((offset_us, round_trip_us)) => (Some(offset_us), Some(round_trip_us)),
                None => (None, None),
            };
            let waiting = self.spool.waiting();
            let said = Said {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                clock_offset_us: offset_us,
                round_trip_us,
                spool_parts: waiting.parts,
                spool_bytes: waiting.bytes,
                oldest_part: waiting.oldest,
                dropped_samples: waiting.dropped_samples,
                lost_packets: lost_packets(),
            };
            let is_first = clock.is_none();
            let pause = match self.line.state(&said).await {
                Ok(clocks) => {
                    was_told.works();
                    clock = Some(clock_error(sent, clocks.received, clocks.answered, self.clock.now()));
                    // the offset is known from the second exchange on: have it soon
                    if is_first { Duration::from_secs(1) } else { SPEAK_EVERY }
                }
                Err(failure) => was_told.fails(&failure, SPEAK_EVERY),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// Our clock less the centre's, and the time on the way, both in microseconds (RFC 5905 §8, on-wire protocol).
fn clock_error(sent: Timestamp, received: Timestamp, answered: Timestamp, back: Timestamp) -> (i64, i64) {
    let us = |span: SignedDuration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    let there = us(received.duration_since(sent));
    let here = us(answered.duration_since(back));
    let offset = there.saturating_add(here) / 2;
    let round_trip = us(back.duration_since(sent)).saturating_sub(us(answered.duration_since(received)));
    (offset.saturating_neg(), round_trip.max(0))
}

/// Says once that something fails, and once that it works again.
#[derive(Default)]
pub struct Told(Option<String>);

impl Told {
    /// It works.
    pub fn works(&mut self) {
        if self.0.take().is_some() {
            tracing::info!("the centre answers again");
        }
    }

    /// It fails: the pause until the next try.
    pub fn fails(&mut self, failure: &Failure, pause: Duration) -> Duration {
        let reason = failure.to_string();
        if self.0.as_ref() != Some(&reason) {
            tracing::warn!("{reason}; what was seen waits in the spool");
            self.0 = Some(reason);
        }
        match failure {
            Failure::UnknownToken => UNKNOWN_PAUSE,
            _ => pause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(microseconds: i64) -> Timestamp {
        Timestamp::from_microsecond(1_800_000_000_000_000 + microseconds).unwrap()
    }

    #[test]
    fn the_clock_s_error_is_told_apart_from_the_way() {
        // Our clock is 500 ms ahead; 20 ms there, 4 ms at the centre, 20 ms back.
        let ours = |centre: i64| at(centre + 500_000);
        assert_eq!(
            clock_error(ours(0), at(20_000), at(24_000), ours(44_000)),
            (500_000, 40_000)
        );
        // Behind by 2 s, and a way that is slower there than back: half of the difference is taken for the clock's.
        let ours = |centre: i64| at(centre - 2_000_000);
        assert_eq!(
            clock_error(ours(0), at(90_000), at(90_000), ours(100_000)),
            (-2_000_000 - 40_000, 100_000)
        );
    }

    #[test]
    fn a_clock_that_jumps_gives_no_negative_way() {
        assert_eq!(clock_error(at(1_000_000), at(0), at(0), at(500_000)).1, 0);
    }
}
