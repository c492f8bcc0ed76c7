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
use crate::generations::Generations;
use crate::question::Question;

/// Answers, or silent addresses, remembered at most. Chosen by us: some 20 MB. Fewer are asked for again where many zones with
/// many name servers are checked at once.
const REMEMBERED: usize = 10_000;

type Answered = Arc<OnceCell<Arc<Exchange>>>;

/// Answers by address and question, each with the moment it was first asked for.
pub(crate) struct Answers(Mutex<Generations<(IpAddr, Question), (Instant, Answered)>>);

impl Default for Answers {
    fn default() -> Self {
        Self(Mutex::new(Generations::with_room(REMEMBERED)))
    }
}

impl Answers {
    /// The place of an answer: filled by whoever asked within `span`, else empty.
    pub fn cell(&self, address: IpAddr, question: &Question, span: Duration) -> Answered {
        let asked = (address, question.clone());
        let mut answers = self.0.lock().expect("no holder of this lock panics");
        if let Some((since, answered)) = answers.get(&asked)
            && since.elapsed() < span
        {
            return answered.clone();
        }
        let answered = Answered::default();
        answers.insert(asked, (Instant::now(), answered.clone()));
        answered
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
