//! Reads a capture several times, each time with nothing known from the time before, and prints what the fastest took of the
//! processor, and the most memory used:
//! `cargo run --release -p capture --example rate -- [TIMES] FILE...`

use std::fs;
use std::path::Path;

use capture::{Malformed, OutOfBailiwick, Reader, Settings, Sink, SinkError, TrafficCell};
use model::PassiveRrset;

/// Takes everything, counts it, and lets it go.
#[derive(Default)]
struct Count {
    rows: u64,
}

impl Sink for Count {
    fn rrset(&mut self, _: PassiveRrset) -> Result<(), SinkError> {
        self.rows += 1;
        Ok(())
    }

    fn out_of_bailiwick(&mut self, _: OutOfBailiwick) -> Result<(), SinkError> {
        self.rows += 1;
        Ok(())
    }

    fn traffic(&mut self, _: TrafficCell) -> Result<(), SinkError> {
        self.rows += 1;
        Ok(())
    }

    fn quarantine(&mut self, _: Malformed<'_>) -> Result<(), SinkError> {
        self.rows += 1;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut times = 5;
    for argument in std::env::args().skip(1) {
        if let Ok(number) = argument.parse() {
            times = number;
            continue;
        }
        let (mut fastest, mut packets, mut rows) = (f64::INFINITY, 0, 0);
        for _ in 0..times {
            let mut sink = Count::default();
            let begun = processor_seconds()?;
            packets = Reader::new(Settings::default())
                .read_path(Path::new(&argument), &mut sink)?
                .packets;
            fastest = fastest.min(processor_seconds()? - begun);
            rows = sink.rows;
        }
        let rate = packets as f64 / fastest;
        println!("{argument}: {packets} packets, {rows} rows, {fastest:.3} s of the processor, {rate:.0} packets/s");
    }
    let status = fs::read_to_string("/proc/self/status")?;
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap_or_default()
    );
    Ok(())
}

/// Seconds for which this thread has had a processor so far (`/proc/thread-self/schedstat`, in nanoseconds).
fn processor_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().unwrap_or_default().parse()?;
    Ok(nanoseconds as f64 / 1e9)
}
