//! Questions that are put again over TCP, since their answers over UDP were truncated: some at a time, and none for a while
//! to a server that does not answer so.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::base::Name as WireName;
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::FuturesUnordered;
use model::{Name, Outcome, Transport};
use tokio::sync::Semaphore;

use super::Settings;
use super::table::Sending;
use crate::exchange::Ended;
use crate::internet::health::{Health, Way};
use crate::internet::shared::Silences;
use crate::internet::tcp;
use crate::question::{Edns, Question};

/// Connections at a time. Chosen by us: as many open files are free on any system.
const CONNECTIONS: usize = 64;
/// How long a server is not asked over TCP after it did not answer so. Chosen by us: what truncates all its answers and
/// lets no connection through would fill the table with names that wait for nothing.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// The connections under way, and the questions that wait for one.
pub(crate) struct Connections {
    under_way: FuturesUnordered<BoxFuture<'static, Connection>>,
    permits: Arc<Semaphore>,
    silences: Arc<Silences>,
    health: Arc<Health>,
}

/// A question that was put over TCP.
pub(crate) struct Connection {
    /// The slot of its name.
    pub slot: u16,
    /// To whom and when it was put.
    pub sending: Sending,
    pub ended: Ended,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            under_way: FuturesUnordered::new(),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            silences: Arc::default(),
            health: Arc::default(),
        }
    }
}

impl Connections {
    /// Asks `server`, to which `sending` went over UDP, for the name (wire format) of a slot.
    pub fn ask(&mut self, slot: u16, name: &[u8], sending: Sending, server: SocketAddr, settings: &Settings) {
        let name = WireName::from_octets(name).expect("names were read as such");
        let question = Question {
            transport: Transport::Tcp,
            recursion_desired: settings.recursion_desired,
            edns: settings.edns.map(|edns| Edns {
                version: 0,
                payload: edns.payload,
                dnssec_ok: edns.dnssec_ok,
                z: 0,
                options: Vec::new(),
            }),
            ..Question::plain(&Name::from_wire(&name), settings.rtype)
        };
        let (permits, silences, health) = (self.permits.clone(), self.silences.clone(), self.health.clone());
        let timeout = settings.timeout;
        let asked = async move {
            let _permit = permits.acquire().await.expect("this semaphore is never closed");
            let at = Instant::now();
            let ended = if silences.is_recent(server.ip(), Way::Tcp, SILENT_FOR) {
                Ended::without_answer(Outcome::Timeout, 0)
            } else {
                let ended = tcp::ask(timeout, server, &question, &health).await;
                silences.note(server.ip(), Way::Tcp, ended.outcome == Outcome::Timeout, SILENT_FOR);
                ended
            };
            let sending = Sending { at, ..sending };
            Connection { slot, sending, ended }
        };
        self.under_way.push(asked.boxed());
    }

    /// The next question that came to an end; `None` when none is under way.
    pub async fn next(&mut self) -> Option<Connection> {
        self.under_way.next().await
    }
}
