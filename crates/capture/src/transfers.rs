//! Zone transfers under way over TCP: one query may have any number of response messages (RFC 5936 §2.2, RFC 1995 §2), which go on
//! long after the timeout of a query, and whose question may be left out behind the first one.

use std::collections::VecDeque;

use domain::base::iana::Rtype;

use crate::message::Parsed;
use crate::pairing::{Parties, Query};

/// Transfers followed at once; the one that began first goes. More than one name server sends in practice, and few enough to be
/// looked through for each response that has no query.
const MOST_TRANSFERS: usize = 256;

/// A transfer silent for so long is over, in nanoseconds of capture time: as long as a direction of TCP is followed (`streams`).
const IDLE: i64 = 60_000_000_000;

/// Whether a type asks for a transfer.
pub(crate) fn is_transfer(qtype: u16) -> bool {
    qtype == Rtype::AXFR.to_int() || qtype == Rtype::IXFR.to_int()
}

struct Transfer {
    parties: Parties,
    id: u16,
    /// As it stands in the first response; empty where that has none.
    question: Vec<u8>,
    query: Query,
    last: i64,
}

/// All that are under way.
#[derive(Default)]
pub(crate) struct Transfers {
    under_way: VecDeque<Transfer>,
}

impl Transfers {
    /// Remembers the query of a first response.
    pub(crate) fn begin(&mut self, parties: &Parties, message: &Parsed<'_>, query: &Query, time: i64) {
        let id = message.header.id();
        self.under_way
            .retain(|other| !other.is_over(time) && (other.id, &other.parties) != (id, parties));
        if self.under_way.len() >= MOST_TRANSFERS {
            self.under_way.pop_front();
        }
        self.under_way.push_back(Transfer {
            parties: *parties,
            id,
            question: message
                .question
                .map_or_else(Vec::new, |question| question.octets.to_vec()),
            query: *query,
            last: time,
        });
    }

    /// The query and the question of the transfer that a response goes on with.
    pub(crate) fn go_on(&mut self, parties: &Parties, message: &Parsed<'_>, time: i64) -> Option<(Query, &[u8])> {
        let id = message.header.id();
        let transfer = self.under_way.iter_mut().find(|transfer| {
            transfer.id == id
                && transfer.parties == *parties
                && !transfer.is_over(time)
                && (transfer.question.is_empty()
                    || message
                        .question
                        .is_none_or(|question| question.octets == transfer.question))
        })?;
        transfer.last = time;
        Some((transfer.query, &transfer.question))
    }
}

impl Transfer {
    fn is_over(&self, time: i64) -> bool {
        time.abs_diff(self.last) > IDLE as u64
    }
}
