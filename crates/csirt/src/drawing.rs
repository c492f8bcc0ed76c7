//! For tests: the drawing of a state machine in its documentation, compared with what its code allows.

use std::fmt::Display;

/// Compares the lines `event state state -> state` in the doc comments of `source` with the transitions that `after`
/// allows, event by event in the order of `events`. Fails where they differ, or where one event leads to two states.
pub(crate) fn compare<S, E>(source: &str, states: &[S], events: &[E], after: impl Fn(S, E) -> Option<S>)
where
    S: Copy + Display + PartialEq,
    E: Copy + Display,
{
    let drawn: Vec<String> = source
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with("/// ") && line.contains(" -> "))
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
        .collect();
    let allowed: Vec<String> = events
        .iter()
        .map(|event| {
            let moves: Vec<(S, S)> = states
                .iter()
                .filter_map(|from| Some((*from, after(*from, *event)?)))
                .collect();
            let (_, to) = moves[0];
            assert!(
                moves.iter().all(|(_, other)| *other == to),
                "`{event}` leads to one state"
            );
            let from: Vec<String> = moves.iter().map(|(from, _)| from.to_string()).collect();
            format!("{event} {} -> {to}", from.join(" "))
        })
        .collect();
    assert_eq!(allowed, drawn);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(state: &'static str, event: &'static str) -> Option<&'static str> {
        match (state, event) {
            ("open", "shut") => Some("closed"),
            ("closed", "pull") => Some("open"),
            _ => None,
        }
    }

    #[test]
    fn a_drawing_that_fits_is_taken_and_one_that_does_not_is_refused() {
        let compare = |source: &'static str| {
            std::panic::catch_unwind(|| compare(source, &["open", "closed"], &["shut", "pull"], door)).is_ok()
        };
        assert!(compare(
            "    /// shut  open   -> closed\n    /// pull  closed -> open\n"
        ));
        assert!(!compare("/// shut open -> closed\n"), "one is missing");
        assert!(
            !compare("/// shut open closed -> closed\n/// pull closed -> open\n"),
            "one is not allowed"
        );
    }
}
