//! `dnscert-sql`: answers SQL about a lake, alone or as a part of a cluster. `dnscert sql` and `dnscert lake` find it beside themselves and
//! say which lake.

mod services;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use query::{Cluster, Engine, Error, FOR_PEOPLE, Format, Limits, Location, VIEWS, View, Written};
use tokio::signal::unix::{SignalKind, signal};

/// The statement is wrong, or the command line.
const WRONG: u8 = 2;
/// It could not be answered, or not within the limits.
const FAILED: u8 = 3;
/// Seconds of an answer at most: a year, which clocks can still add to the present.
const LONGEST: u64 = 31_536_000;
/// Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Answers SQL about what a centre has observed. Only reads.
#[derive(Debug, Parser)]
#[command(
    name = "dnscert-sql",
    version,
    max_term_width = 100,
    after_help = "Ends with status 0 when it is answered, 2 when the statement or the command line is wrong, 3 when the lake could \
                  not be read, a limit was reached, or the cluster could not answer.",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Cli {
    #[command(subcommand)]
    service: Option<services::Service>,
    #[command(flatten)]
    question: Question,
}

/// A statement, and how it is answered.
#[derive(Debug, clap::Args)]
struct Question {
    /// SELECT, EXPLAIN, SHOW or DESCRIBE; `-` reads it from standard input.
    #[arg(value_name = "SQL", required_unless_present = "columns")]
    sql: Option<String>,
    /// Folder of the observations, or where they were published: s3://, gs://, az://, file:///. Rights for it come from the environment
    /// (AWS_ACCESS_KEY_ID, AWS_ENDPOINT and so on).
    #[arg(long, value_name = "DIR|URL", default_value = "data/lake")]
    lake: String,
    /// Have it answered by the cluster of this scheduler (`http://HOST:PORT`), whose executors have the folder under the same path.
    #[arg(long, value_name = "URL")]
    cluster: Option<Cluster>,
    /// Form of the answer; by default a table on a terminal, else lines of JSON.
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// Write the answer into this file; it is there when the answer is whole.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Megabytes of memory that the answer may take.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    memory: usize,
    /// Seconds that it may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(..=LONGEST))]
    time: u64,
    /// Rows of a table at most.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    rows: usize,
    /// Say for a server why there is no answer.
    #[arg(long, hide = true)]
    for_server: bool,
    /// Give the columns and no rows.
    #[arg(long, hide = true)]
    only_columns: bool,
    /// Say what the columns of a view mean, or of all.
    #[arg(long, value_name = "VIEW", num_args = 0..=1, default_missing_value = "", conflicts_with = "sql")]
    columns: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Table,
    Csv,
    Json,
    Parquet,
    Arrow,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { WRONG } else { 0 };
            // nobody reads it: then nobody can be told that either
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let question = &cli.question;
    if let Some(view) = &question.columns {
        return show_columns(view);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("dnscert-sql: could not start the asynchronous runtime: {error}");
            return ExitCode::from(FAILED);
        }
    };
    if let Some(service) = cli.service {
        return match runtime.block_on(services::run(service)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tell(&error, "");
                ExitCode::from(FAILED)
            }
        };
    }
    let desk = Arc::new(AtomicBool::new(false));
    if let Err(error) = bound_memory(question.memory) {
        eprintln!("dnscert-sql: could not set the limit of memory: {error}");
        return ExitCode::from(FAILED);
    }
    let (sql, done) = match statement(question) {
        Ok(sql) => {
            let done = runtime.block_on(answered(question, &sql, &desk));
            (sql, done)
        }
        Err(error) => (String::new(), Some(Err(Error::Write(error)))),
    };
    // what still runs for an answer that nobody waits for is not waited for either
    runtime.shutdown_background();
    match done {
        Some(Ok(written)) => {
            if !written.is_whole {
                eprintln!("There is more: --rows {} was reached.", question.rows);
            }
            ExitCode::SUCCESS
        }
        // whoever read the rows has seen enough
        Some(Err(Error::Write(error))) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Some(Err(error)) => {
            tell_whom(question.for_server, &error, &sql);
            ExitCode::from(if error.is_of_statement() { WRONG } else { FAILED })
        }
        None => ExitCode::from(INTERRUPTED),
    }
}

/// `None` when it was broken off by Ctrl-C or SIGTERM, which end the process by itself where no cluster has to be told that nobody waits any more.
async fn answered(question: &Question, sql: &str, desk: &Arc<AtomicBool>) -> Option<Result<Written, Error>> {
    let Some(cluster) = &question.cluster else {
        return Some(run(question, sql, desk).await);
    };
    let mut ended = match signal(SignalKind::terminate()) {
        Ok(ended) => ended,
        Err(error) => return Some(Err(Error::Write(error))),
    };
    let done = tokio::select! {
        done = run(question, sql, desk) => Some(done),
        _ = tokio::signal::ctrl_c() => None,
        _ = ended.recv() => None,
    };
    cluster.settle().await;
    done
}

fn statement(question: &Question) -> io::Result<String> {
    match question.sql.as_deref() {
        Some("-") => {
            let mut sql = String::new();
            io::stdin().read_to_string(&mut sql).map(|_| sql)
        }
        sql => Ok(sql.unwrap_or_default().to_owned()),
    }
}

async fn run(question: &Question, sql: &str, desk: &Arc<AtomicBool>) -> Result<Written, Error> {
    let limits = Limits {
        memory: question.memory.saturating_mul(1 << 20),
        time: Duration::from_secs(question.time),
    };
    let is_table = question.output.is_none() && io::stdout().is_terminal();
    let format = match question.format {
        Some(FormatName::Csv) => Format::Csv,
        Some(FormatName::Json) => Format::Json,
        Some(FormatName::Parquet) => Format::Parquet,
        Some(FormatName::Arrow) => Format::Arrow,
        None if !is_table => Format::Json,
        Some(FormatName::Table) | None => Format::Table { rows: question.rows },
    };
    let location = Location::read(&question.lake, std::env::vars())?;
    let engine = Engine::open_at(&location, limits, question.cluster.clone()).await?;
    end_in_time(question, desk.clone()).map_err(Error::Write)?;
    if question.only_columns {
        let columns = engine.columns(sql).await?;
        return query::write_columns(&columns, io::stdout()).map(|()| Written {
            rows: 0,
            is_whole: true,
        });
    }
    let answer = engine.ask(sql).await?;
    match &question.output {
        None => write(answer, format, Desk(io::stdout(), desk.clone())).await,
        Some(path) => {
            // under a name of its own until it is whole
            let draft = draft(path);
            let file = File::create(&draft).map_err(Error::Write)?;
            let written = write(answer, format, file).await;
            let placed = match &written {
                Ok(_) => std::fs::rename(&draft, path),
                Err(_) => std::fs::remove_file(&draft),
            };
            written.and_then(|written| placed.map(|()| written).map_err(Error::Write))
        }
    }
}

/// The output of an answer. Whoever reads it may take longer than the answer may.
struct Desk<W>(W, Arc<AtomicBool>);

impl<W: Write> Write for Desk<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.1.store(true, Ordering::Relaxed);
        let written = self.0.write(octets);
        self.1.store(false, Ordering::Relaxed);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.store(true, Ordering::Relaxed);
        let flushed = self.0.flush();
        self.1.store(false, Ordering::Relaxed);
        flushed
    }
}

/// How long a cluster may take to hear that nobody waits any more.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the limit does not count: code, stacks, batches on their way.
const BESIDE: u64 = 1 << 30;

/// Memory that a function asks for at once is not counted before it has it. Better that this process ends than another.
fn bound_memory(megabytes: usize) -> io::Result<()> {
    let most = u64::try_from(megabytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(1 << 20)
        .saturating_add(BESIDE);
    let resource = rustix::process::Resource::Data;
    let maximum = rustix::process::getrlimit(resource).maximum;
    let limit = rustix::process::Rlimit {
        current: Some(maximum.map_or(most, |maximum| maximum.min(most))),
        maximum,
    };
    Ok(rustix::process::setrlimit(resource, limit)?)
}

/// Ends the process when a statement is at work for longer than it may: what only computes hears no other word.
fn end_in_time(question: &Question, desk: Arc<AtomicBool>) -> io::Result<()> {
    let limit = Duration::from_secs(question.time);
    let draft = question.output.as_deref().map(draft);
    let is_for_server = question.for_server;
    let farewell = question.cluster.as_ref().map_or(Duration::ZERO, |_| FAREWELL);
    let watch = move || {
        let (_open, end) = std::sync::mpsc::channel::<()>();
        let mut left = limit.saturating_add(query::GRACE).saturating_add(farewell);
        loop {
            let _ = end.recv_timeout(left);
            if !desk.load(Ordering::Relaxed) {
                break;
            }
            left = query::GRACE;
        }
        if let Some(draft) = draft {
            // it may not have been begun
            let _ = std::fs::remove_file(draft);
        }
        tell_whom(is_for_server, &Error::Time { limit }, "");
        std::process::exit(FAILED.into());
    };
    std::thread::Builder::new()
        .name("limit of time".to_owned())
        .spawn(watch)
        .map(drop)
}

async fn write(answer: query::Answer, format: Format, out: impl Write + Send) -> Result<Written, Error> {
    let mut out = BufWriter::new(out);
    let written = query::write(answer, format, &mut out).await?;
    out.flush().map_err(Error::Write)?;
    Ok(written)
}

fn draft(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn tell_whom(is_server: bool, error: &Error, sql: &str) {
    match is_server {
        true => eprintln!("{}", query::failure(error)),
        false => tell(error, sql),
    }
}

/// What is wrong, and where in the statement.
fn tell(error: &Error, sql: &str) {
    eprintln!("dnscert-sql: {}", error.whole());
    if let Error::Sql { place: Some(place), .. } = error
        && let Some(line) = sql.lines().nth(place.line - 1)
    {
        eprintln!("  {line}\n  {}^", " ".repeat(place.column.saturating_sub(1)));
    }
    match error {
        Error::Memory { .. } => eprintln!("Ask for less at once, or allow more by --memory."),
        Error::Time { .. } => eprintln!("Ask for less at once, or allow more by --time."),
        Error::NoTable { .. } => eprintln!("--columns says what is in them."),
        _ => {}
    }
}

/// Prints what the columns of a view mean, of all where none is named, and the functions.
fn show_columns(name: &str) -> ExitCode {
    let chosen: Vec<&View> = VIEWS
        .iter()
        .filter(|view| name.is_empty() || view.name == name)
        .collect();
    if chosen.is_empty() {
        let there: Vec<&str> = VIEWS.iter().map(|view| view.name).collect();
        eprintln!("dnscert-sql: there is no view `{name}`; there are {}", there.join(", "));
        return ExitCode::from(WRONG);
    }
    let mut text = String::new();
    for view in chosen {
        text.push_str(&format!("{}: {}\n", view.name, view.about));
        for column in view.columns {
            text.push_str(&format!("  {:<21} {}\n", column.name, column.about));
        }
        text.push('\n');
    }
    if name.is_empty() {
        text.push_str("functions, beside those of DataFusion:\n");
        for function in FOR_PEOPLE {
            text.push_str(&format!("  {:<27} {}\n", function.call, function.about));
        }
    }
    // nobody reads it: then nobody can be told that either
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
