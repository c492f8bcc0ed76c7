//! What several inquiries use of one another: answers from high up, and who has been silent.
//! What the root and other servers high up say changes seldom, and a thousand
//! checks at once would ask them the same a thousand times.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::health::Way;
use crate::exchange::Exchange;
use crate::question::Question;

/// Answers remembered before the old ones are thrown out. Chosen by us: some 20 MB.
const REMEMBERED: usize = 10_000;

type Answered = Arc<OnceCell<Arc<Exchange>>>;

/// Answers by address and question, each with the moment it was first asked for.
#[derive(Default)]
pub(crate) struct Answers(Mutex<HashMap<(IpAddr, Question), (Instant, Answered)>>);

impl Answers {
    /// The place of an answer: filled by whoever asked within `span`, else empty.
    pub fn cell(&self, address: IpAddr, question: &Question, span: Duration) -> Answered {
        let now = Instant::now();
        let mut answers = self.0.lock().expect("no holder of this lock panics");
        if answers.len() > REMEMBERED {
            answers.retain(|_, (since, _)| now.duration_since(*since) < span);
        }
        let (since, answered) = answers
            .entry((address, question.clone()))
            .or_insert((now, Answered::default()));
        if now.duration_since(*since) >= span {
            (*since, *answered) = (now, Answered::default());
        }
        answered.clone()
    }

    /// The next inquiry asks for itself: silence is not shared.
    pub fn forget(&self, address: IpAddr, question: &Question) {
        self.0
            .lock()
            .expect("no holder of this lock panics")
            .remove(&(address, question.clone()));
    }
}

/// Addresses that were silent a moment ago. They are asked again in every inquiry, but with one attempt.
#[derive(Default)]
pub(crate) struct Silences(Mutex<HashMap<(IpAddr, Way), Instant>>);

impl Silences {
    /// Whether the address was found silent within `span`.
    pub fn is_recent(&self, address: IpAddr, way: Way, span: Duration) -> bool {
        let silences = self.0.lock().expect("no holder of this lock panics");
        silences
            .get(&(address, way))
            .is_some_and(|since| since.elapsed() < span)
    }

    /// Remembers that the address was silent just now, or that it was heard.
    pub fn note(&self, address: IpAddr, way: Way, is_silent: bool, span: Duration) {
        let mut silences = self.0.lock().expect("no holder of this lock panics");
        if !is_silent {
            silences.remove(&(address, way));
            return;
        }
        if silences.len() > REMEMBERED {
            silences.retain(|_, since| since.elapsed() < span);
        }
        silences.insert((address, way), Instant::now());
    }
}
