//! What a person sees of a sweep while it goes on: one line that changes on a terminal, a plain line now and then elsewhere.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use measure::sweep::{BadLine, Counts, Moment};

/// Span over which the rate is taken. Chosen by us: steady to the eye, and soon right after a change.
const SPAN: Duration = Duration::from_secs(10);
/// How often a plain line is written. Chosen by us: a log of an hour has 360 of them.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
/// Lines that are no names and are shown one by one; the others are counted. Chosen by us: enough to see what is wrong.
const BAD_LINES: u64 = 20;

/// Progress, shared by the threads of a sweep.
pub struct Progress {
    /// The changing line; hidden where standard error is no terminal.
    bar: ProgressBar,
    is_live: bool,
    /// Octets of the input, where known.
    size: Option<u64>,
    begun: Instant,
    recent: Mutex<Recent>,
    bad_lines: AtomicU64,
    skipped: AtomicU64,
    disbelieved: AtomicU64,
}

#[derive(Default)]
struct Recent {
    /// When, how many names were done, and how many octets were read.
    samples: VecDeque<(Instant, u64, u64)>,
    plain_at: Option<Instant>,
    /// Names that were done when this run began.
    earlier: Option<u64>,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq)]
struct Shown<'a> {
    counts: &'a Counts,
    /// Names per second.
    rate: f64,
    /// Share of the input that was read, 0 to 1.
    share: Option<f64>,
    left: Option<Duration>,
    /// Servers, and how many of them are silent.
    servers: Option<(usize, usize)>,
    skipped: u64,
}

impl Progress {
    /// Progress over an input of so many octets.
    pub fn new(size: Option<u64>, is_live: bool) -> Self {
        let bar = if is_live {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            is_live,
            size,
            begun: Instant::now(),
            recent: Mutex::default(),
            bad_lines: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            disbelieved: AtomicU64::new(0),
        }
    }

    /// Shows where the sweep stands.
    pub fn show(&self, counts: &Counts, moment: &Moment<'_>) {
        self.skipped.store(moment.skipped, Ordering::Relaxed);
        self.disbelieved.store(moment.disbelieved, Ordering::Relaxed);
        let now = Instant::now();
        let mut recent = self.recent.lock().expect("no holder of this lock panics");
        recent.earlier.get_or_insert(counts.done());
        let (rate, bytes_rate) = recent.rates(now, counts.done(), moment.bytes);
        let shown = Shown {
            counts,
            rate,
            share: self.size.map(|size| moment.bytes as f64 / size.max(1) as f64),
            left: self
                .size
                .and_then(|size| time_left(size.saturating_sub(moment.bytes), bytes_rate)),
            servers: moment.servers,
            skipped: moment.skipped,
        };
        if self.is_live {
            self.bar.set_message(text(&shown));
            return;
        }
        let last = *recent.plain_at.get_or_insert(now);
        if now.duration_since(last) >= PLAIN_EVERY {
            recent.plain_at = Some(now);
            eprintln!("{}", text(&shown));
        }
    }

    /// Tells of a line that is no name; of very many only that there are more.
    pub fn tell_bad_line(&self, line: &BadLine) {
        let before = self.bad_lines.fetch_add(1, Ordering::Relaxed);
        match before {
            0..BAD_LINES => self.tell(&line.to_string()),
            BAD_LINES => self.tell("further lines that are no names are counted only"),
            _ => {}
        }
    }

    fn tell(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// Takes the changing line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Lines that are no names.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Says what the whole sweep came to.
    pub fn sum_up(&self, counts: &Counts) {
        let seconds = self.begun.elapsed().as_secs_f64();
        let recent = self.recent.lock().expect("no holder of this lock panics");
        let earlier = recent.earlier.unwrap_or(0);
        let here = counts.done() - earlier;
        let rate = grouped((here as f64 / seconds.max(0.001)) as u64);
        let mut sum = format!("{} names in {seconds:.1} s, {rate} a second", grouped(here));
        if earlier > 0 {
            sum.push_str(&format!("; {} with those of earlier runs", grouped(counts.done())));
        }
        let words = by_number(counts).map(|(word, count)| format!("{word} {}", grouped(count)));
        let words: Vec<String> = words.collect();
        eprintln!(
            "{sum}: {}.",
            if words.is_empty() {
                "nothing asked".to_owned()
            } else {
                words.join(", ")
            }
        );
        match self.skipped() {
            0 => {}
            1 => eprintln!("1 line is no name."),
            more => eprintln!("{} lines are no names.", grouped(more)),
        }
        match self.disbelieved.load(Ordering::Relaxed) {
            0 => {}
            1 => eprintln!("1 answer was not believed: wrong id, question, address or port, or too late."),
            more => eprintln!(
                "{} answers were not believed: wrong id, question, address or port, or too late.",
                grouped(more)
            ),
        }
    }
}

impl Recent {
    /// Names and octets per second over the last span.
    fn rates(&mut self, now: Instant, done: u64, bytes: u64) -> (f64, f64) {
        self.samples.push_back((now, done, bytes));
        while self.samples.len() > 2 && self.samples[1].0 + SPAN <= now {
            self.samples.pop_front();
        }
        let (since, done_then, bytes_then) = self.samples[0];
        let seconds = now.duration_since(since).as_secs_f64().max(0.001);
        (
            (done - done_then) as f64 / seconds,
            (bytes - bytes_then) as f64 / seconds,
        )
    }
}

fn time_left(bytes: u64, rate: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(bytes as f64 / rate).ok()
}

/// One line: `12,345 names (41 %)  950/s  NOERROR 80.1 %  NXDOMAIN 19.9 %  17 min left`.
fn text(shown: &Shown<'_>) -> String {
    let done = shown.counts.done();
    let mut parts = vec![match shown.share {
        Some(share) => format!("{} names ({:.0} %)", grouped(done), (share * 100.0).floor()),
        None => format!("{} names", grouped(done)),
    }];
    parts.push(format!("{}/s", grouped(shown.rate as u64)));
    for (word, count) in by_number(shown.counts).take(4) {
        parts.push(format!("{word} {:.1} %", count as f64 * 100.0 / done as f64));
    }
    if let Some(left) = shown.left {
        parts.push(format!("{} left", rough(left)));
    }
    if let Some((all, silent)) = shown.servers.filter(|(_, silent)| *silent > 0) {
        parts.push(format!("{silent} of {all} servers silent"));
    }
    if shown.skipped > 0 {
        parts.push(format!("{} lines no names", grouped(shown.skipped)));
    }
    parts.join("  ")
}

/// The counts, most frequent first.
fn by_number(counts: &Counts) -> impl Iterator<Item = (String, u64)> {
    let mut words: Vec<(String, u64)> = counts.by_word().into_iter().collect();
    words.sort_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    words.into_iter()
}

/// A time as a person would say it.
fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..90 => format!("{seconds} s"),
        seconds @ 90..5_400 => format!("{} min", (seconds + 30) / 60),
        seconds @ 5_400..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        seconds => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

/// A number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Outcome;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long_still() {
        let mut counts = Counts::default();
        for _ in 0..3 {
            counts.add(Outcome::Answer, Some(measure::OptRcode::NOERROR));
        }
        counts.add(Outcome::Timeout, None);
        let shown = Shown {
            counts: &counts,
            rate: 1234.5,
            share: Some(0.419),
            left: Some(Duration::from_secs(1000)),
            servers: Some((3, 1)),
            skipped: 2,
        };
        assert_eq!(
            text(&shown),
            "4 names (41 %)  1,234/s  NOERROR 75.0 %  timeout 25.0 %  17 min left  1 of 3 servers silent  2 lines no names"
        );
        let begin = Shown {
            counts: &Counts::default(),
            rate: 0.0,
            share: None,
            left: None,
            servers: Some((3, 0)),
            skipped: 0,
        };
        assert_eq!(text(&begin), "0 names  0/s");
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let begun = Instant::now();
        let mut recent = Recent::default();
        let mut rate = (0.0, 0.0);
        for second in 0..60_u64 {
            let done = if second < 30 {
                second * 100
            } else {
                3_000 + (second - 30) * 10
            };
            rate = recent.rates(begun + Duration::from_secs(second), done, done * 20);
        }
        assert_eq!(rate, (10.0, 200.0));
        assert!(recent.samples.len() < 15, "{}", recent.samples.len());
        assert_eq!(time_left(2_000, rate.1), Some(Duration::from_secs(10)));
        assert_eq!(time_left(2_000, 0.0), None);
    }

    #[test]
    fn numbers_and_times_are_as_people_read_them() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        let said = [5, 89, 90, 5_399, 5_400, 172_799, 172_800].map(|seconds| rough(Duration::from_secs(seconds)));
        assert_eq!(said, ["5 s", "89 s", "2 min", "90 min", "2 h", "48 h", "2 days"]);
    }
}
