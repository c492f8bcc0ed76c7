//! What a check is waiting for, on a terminal; nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use measure::Inquiry;

/// How often it is looked at. Faster is not seen; slower feels stuck.
const LOOK: Duration = Duration::from_millis(100);

/// Shows until dropped how many questions are answered and which servers are awaited.
pub struct Progress {
    bar: ProgressBar,
    looking: tokio::task::JoinHandle<()>,
}

impl Progress {
    /// Begins to show how `inquiry` gets on with `zone`.
    pub fn over(inquiry: &Inquiry, zone: &str) -> Self {
        let style = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}");
        let bar = ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
            .with_prefix(zone.to_owned());
        bar.enable_steady_tick(LOOK);
        let looking = tokio::spawn({
            let (bar, inquiry) = (bar.clone(), inquiry.clone());
            async move {
                loop {
                    bar.set_message(message(&inquiry));
                    tokio::time::sleep(LOOK).await;
                }
            }
        });
        Self { bar, looking }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.looking.abort();
        self.bar.finish_and_clear();
    }
}

fn message(inquiry: &Inquiry) -> String {
    let awaited = inquiry.awaited();
    let answered = inquiry.answered();
    match awaited.first() {
        None => format!("{answered} questions answered"),
        Some((address, name)) => {
            let first = match name {
                Some(name) => format!("{name} ({address})"),
                None => address.to_string(),
            };
            let others = match awaited.len() - 1 {
                0 => String::new(),
                others => format!(" and {others} more"),
            };
            format!("{answered} questions answered, waiting for {first}{others}")
        }
    }
}
