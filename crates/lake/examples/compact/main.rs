//! Work for `cargo xtask bench compact`: makes three runs of passive DNS, also as text for another store, and merges them.
//!
//!     compact make FOLDER RRSETS
//!     compact merge FOLDER

#[expect(dead_code, reason = "the questions are those of the other example")]
#[path = "../lookup/world.rs"]
mod world;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use lake::passive::Passive;

use world::World;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", folder, count] => runtime.block_on(make(Path::new(folder), count.parse()?)),
        ["merge", folder] => runtime.block_on(merge(Path::new(folder))),
        _ => Err("compact make FOLDER RRSETS | compact merge FOLDER".into()),
    }
}

async fn make(folder: &Path, count: u64) -> Outcome {
    let passive = Passive::open(&folder.join("lake")).await?;
    passive.set_source(world::source()).await?;
    let world = World { rrsets: count * 2 };
    for run in 0..3 {
        let first = run * count / 2;
        let rows: Vec<_> = (first..first + count).map(|at| world.rrset(at)).collect();
        let mut out = BufWriter::new(File::create(folder.join(format!("run-{run}.tsv")))?);
        for row in &rows {
            let data: String = row.rdata.iter().flatten().map(|octet| format!("{octet:02x}")).collect();
            writeln!(
                out,
                "{}\t{}\t{}\t{data}\twire\tsensor-1\t{}\t{}\t{}",
                world::reversed(&row.name),
                row.rtype.to_int(),
                world::reversed(&row.bailiwick),
                row.first.as_second(),
                row.last.as_second(),
                row.count
            )?;
        }
        out.flush()?;
        passive
            .append("sensor-1", &format!("run-{run}"), rows, Timestamp::UNIX_EPOCH)
            .await?;
    }
    Ok(())
}

async fn merge(folder: &Path) -> Outcome {
    let passive = Passive::open(&folder.join("lake")).await?;
    let rows = |statistics: &[lake::TableStatistics]| statistics.iter().map(|table| table.rows).sum::<u64>();
    let before = rows(&passive.statistics().await);
    let begun = Instant::now();
    passive.merge(None).await?;
    let took = begun.elapsed().as_secs_f64();
    for table in passive.statistics().await.iter().filter(|table| table.rows > 0) {
        let megabytes = table.bytes as f64 / 1e6;
        println!(
            "{}: {} rows in {} files, {megabytes:.0} MB",
            table.table, table.rows, table.files
        );
    }
    println!(
        "{before} rows of three tables merged in {took:.1} s: {:.0} a second",
        before as f64 / took
    );
    Ok(())
}
