//! What one run has learnt of each address: whether anything ever came back from it, by each way of asking.
//!
//! An address is settled as silent by one way only when a whole ladder went unanswered, with it a question of
//! another type and one for another name, and nothing was ever heard from it by that way. So a server that drops
//! one type, one zone, EDNS or UDP is asked everything, and one that is dead costs one ladder.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use model::{Outcome, Transport};

use crate::question::Question;

/// A way of asking that some servers or the networks before them fail as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// UDP without EDNS.
    Plain,
    /// UDP with EDNS.
    Edns,
    /// TCP.
    Tcp,
}

impl Way {
    pub fn of(question: &Question) -> Self {
        match (question.transport, &question.edns) {
            (Transport::Tcp, _) => Way::Tcp,
            (Transport::Udp, None) => Way::Plain,
            (Transport::Udp, Some(_)) => Way::Edns,
        }
    }
}

/// What a silent address comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub outcome: Outcome,
    /// Where answers came from, if from elsewhere.
    pub answered_from: Option<SocketAddr>,
}

#[derive(Debug, Default)]
struct State {
    heard: bool,
    probing: bool,
    settled: Option<Settled>,
}

/// The state of all addresses in one run.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<HashMap<(IpAddr, Way), State>>);

impl Health {
    fn with<T>(&self, address: IpAddr, way: Way, act: impl FnOnce(&mut State) -> T) -> T {
        let mut states = self.0.lock().expect("no holder of this lock panics");
        act(states.entry((address, way)).or_default())
    }

    /// What every further question by this way comes to without being sent; `None` while the address is asked.
    pub fn settled(&self, address: IpAddr, way: Way) -> Option<Settled> {
        let own = self.with(address, way, |state| state.settled);
        // what is silent without EDNS is not tried with it, unless it was heard so
        match way {
            Way::Edns if own.is_none() && !self.with(address, way, |state| state.heard) => {
                self.with(address, Way::Plain, |state| state.settled)
            }
            _ => own,
        }
    }

    /// Whether this run found the address silent by this way itself; `None` while it does not know.
    pub fn is_silent(&self, address: IpAddr, way: Way) -> Option<bool> {
        self.with(address, way, |state| match (state.heard, state.settled) {
            (true, _) => Some(false),
            (false, Some(_)) => Some(true),
            (false, None) => None,
        })
    }

    /// Something believable came back.
    pub fn heard(&self, address: IpAddr, way: Way) {
        self.with(address, way, |state| {
            state.heard = true;
            state.settled = None;
        });
    }

    /// The right to send the probes along with a question: one caller at a time has it, while nothing was heard.
    pub fn claim_probe(&self, address: IpAddr, way: Way) -> Option<Claim<'_>> {
        let is_free = self.with(address, way, |state| {
            let is_free = !state.heard && !state.probing;
            state.probing |= is_free;
            is_free
        });
        // not `then_some`: a claim that is made and thrown away gives the right back
        is_free.then(|| Claim {
            health: self,
            address,
            way,
        })
    }

    /// Nothing came of all that was tried but this.
    pub fn settle(&self, address: IpAddr, way: Way, settled: Settled) {
        self.with(address, way, |state| {
            if !state.heard {
                state.settled = Some(settled);
            }
        });
    }
}

/// The right to probe. Dropped, also when its question is given up half-way, another may probe.
pub(crate) struct Claim<'a> {
    health: &'a Health,
    address: IpAddr,
    way: Way,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.health.with(self.address, self.way, |state| state.probing = false);
    }
}
