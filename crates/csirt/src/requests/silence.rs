//! What silence leads to: a reminder at the deadline, another, then "unreachable".

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::RequestState;

/// How long the centre waits before it reminds, and before it gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// From a reminder to the next step, in seconds. Chosen by us: a working day's half, so that a one-person registry
    /// in another time zone is asked once in its own working hours. Too small: people feel chased; too large: the
    /// duty officer learns late that a party must be reached by telephone.
    pub between_secs: u32,
    /// Reminders before the party counts as unreachable.
    pub reminders: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            between_secs: 12 * 3600,
            reminders: 2,
        }
    }
}

/// What silence asks for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceStep {
    /// Nothing yet.
    Wait,
    /// Queue a reminder.
    Remind,
    /// Mark the party as unreachable: a person must find another way.
    GiveUp,
}

/// Judges one request's silence.
///
/// `reminded_at` is the time of the last reminder, `reminders` how many there were. A party that has acknowledged is
/// reminded when the deadline passes but never becomes unreachable: it was reached. One whose mail came back is not
/// reminded by mail again.
pub fn judge(
    patience: &Patience,
    state: RequestState,
    deadline: Timestamp,
    reminders: u32,
    reminded_at: Option<Timestamp>,
    now: Timestamp,
) -> SilenceStep {
    let answered = matches!(state, RequestState::Acknowledged | RequestState::Working);
    // What has not left yet is the centre's delay, not the party's silence.
    if now < deadline || state == RequestState::Queued || !(state.is_silent() || answered) {
        return SilenceStep::Wait;
    }
    let between = SignedDuration::from_secs(i64::from(patience.between_secs));
    if reminded_at.is_some_and(|last| now < last + between) {
        return SilenceStep::Wait;
    }
    match state {
        RequestState::Bounced => SilenceStep::GiveUp,
        _ if reminders < patience.reminders => SilenceStep::Remind,
        _ if answered => SilenceStep::Wait,
        _ => SilenceStep::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap()
    }

    #[test]
    fn a_silent_party_is_reminded_twice_and_then_counts_as_unreachable() {
        let patience = Patience::default();
        let (mut reminders, mut reminded_at, mut steps) = (0, None, Vec::new());
        for hour in 0..60 {
            match judge(&patience, RequestState::Sent, at(24), reminders, reminded_at, at(hour)) {
                SilenceStep::Wait => {}
                step => {
                    steps.push((hour, step));
                    reminders += 1;
                    reminded_at = Some(at(hour));
                    if step == SilenceStep::GiveUp {
                        break;
                    }
                }
            }
        }
        assert_eq!(
            steps,
            [
                (24, SilenceStep::Remind),
                (36, SilenceStep::Remind),
                (48, SilenceStep::GiveUp)
            ]
        );
    }

    #[test]
    fn a_party_that_has_answered_is_never_unreachable() {
        let step = |reminders| {
            judge(
                &Patience::default(),
                RequestState::Working,
                at(0),
                reminders,
                Some(at(0)),
                at(90),
            )
        };
        assert_eq!(step(1), SilenceStep::Remind);
        assert_eq!(step(2), SilenceStep::Wait);
    }

    #[test]
    fn nothing_happens_before_the_deadline_or_after_the_end() {
        for state in RequestState::ALL.iter().copied() {
            assert_eq!(
                judge(&Patience::default(), state, at(5), 0, None, at(4)),
                SilenceStep::Wait,
                "{state}"
            );
            if state.is_end() || state == RequestState::Done || state == RequestState::NotNotified {
                assert_eq!(
                    judge(&Patience::default(), state, at(5), 0, None, at(9)),
                    SilenceStep::Wait,
                    "{state}"
                );
            }
        }
    }

    #[test]
    fn a_party_whose_mail_came_back_needs_another_way_at_the_deadline() {
        assert_eq!(
            judge(&Patience::default(), RequestState::Bounced, at(0), 0, None, at(1)),
            SilenceStep::GiveUp
        );
    }
}
