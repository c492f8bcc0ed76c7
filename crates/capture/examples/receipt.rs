//! Reads captures and prints their receipts as JSON, with the time that each took:
//! `cargo run --release -p capture --example receipt -- [ZONE=ADDRESS...] FILE...`

use std::path::Path;
use std::time::Instant;

use capture::{Discard, Reader, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = Settings::default();
    let mut paths = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some((zone, address)) => settings.served.push((zone.parse()?, address.parse()?)),
            None => paths.push(argument),
        }
    }
    let mut reader = Reader::new(settings);
    for path in paths {
        let start = Instant::now();
        let receipt = reader.read_path(Path::new(&path), &mut Discard)?;
        let seconds = start.elapsed().as_secs_f64();
        println!("{}", serde_json::to_string_pretty(&receipt)?);
        eprintln!("{seconds:.3} s, {:.0} packets/s", receipt.packets as f64 / seconds);
    }
    Ok(())
}
