//! Reads captures and prints everything that comes out of them, a line each; for comparing two versions of this crate:
//! `cargo run --release -p capture --example rows -- [ZONE=ADDRESS...] FILE...`
//!
//! Cells of one minute come in an order of their own in each run, and are sorted here.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use capture::{DistinctCell, Distincts, Malformed, OutOfBailiwick, Reader, Settings, Sink, SinkError, TrafficCell};
use model::PassiveRrset;

struct Print<W: Write> {
    out: W,
    cells: Vec<String>,
}

impl<W: Write> Sink for Print<W> {
    fn rrset(&mut self, rrset: PassiveRrset) -> Result<(), SinkError> {
        Ok(writeln!(self.out, "{rrset:?}")?)
    }

    fn out_of_bailiwick(&mut self, evidence: OutOfBailiwick) -> Result<(), SinkError> {
        Ok(writeln!(self.out, "{evidence:?}")?)
    }

    fn traffic(&mut self, cell: TrafficCell) -> Result<(), SinkError> {
        self.cells.push(format!("{cell:?}"));
        Ok(())
    }

    fn distinct(&mut self, cell: DistinctCell) -> Result<(), SinkError> {
        self.cells.push(format!("{cell:?}"));
        Ok(())
    }

    fn quarantine(&mut self, malformed: Malformed<'_>) -> Result<(), SinkError> {
        Ok(writeln!(self.out, "{malformed:?}")?)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = Settings {
        distincts: Some(Distincts {
            client_key: [7; 16],
            most_servers: 100,
        }),
        ..Settings::default()
    };
    let mut paths = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.split_once('=') {
            Some((zone, address)) => settings.served.push((zone.parse()?, address.parse()?)),
            None => paths.push(argument),
        }
    }
    let mut reader = Reader::new(settings);
    for path in paths {
        let mut sink = Print {
            out: BufWriter::new(io::stdout().lock()),
            cells: Vec::new(),
        };
        let receipt = reader.read_path(Path::new(&path), &mut sink);
        sink.cells.sort();
        for cell in &sink.cells {
            writeln!(sink.out, "{cell}")?;
        }
        match receipt {
            Ok(receipt) => writeln!(sink.out, "{}", serde_json::to_string_pretty(&receipt)?)?,
            Err(error) => writeln!(sink.out, "{path}: {error}")?,
        }
    }
    Ok(())
}
