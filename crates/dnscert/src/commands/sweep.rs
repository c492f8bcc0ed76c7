//! `dnscert sweep`: one question for each of many names, in order, politely, and to the end even when it is cut short.
//!
//! A thread reads names, one asks, one writes; what is read, under way and written goes through bounded channels, so
//! that memory is the same for any number of names.

mod output;
mod progress;
mod table;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use measure::sweep::{self, Batch, Edns, End, Names, ReadError, Root, Settings};
use model::SystemClock;
use tokio::sync::{mpsc, oneshot};

use crate::cli::{SweepArgs, SweepFormat, server_address};
use output::{Kept, Output};
use progress::Progress;
pub use progress::grouped;

/// Every name was answered.
const ANSWERED: u8 = 0;
/// Some names were not answered, or some lines are no names.
const UNANSWERED: u8 = 1;
/// It could not be done to the end.
const NOT_DONE: u8 = 3;
/// Stopped by Ctrl-C or by the service manager (128 and the number of SIGINT, as shells have it).
const STOPPED: u8 = 130;

/// Size of UDP answers that is announced (DNS Flag Day 2020): what passes every network without fragments.
const PAYLOAD: u16 = 1232;
/// Batches of names that are read ahead. Chosen by us: enough for the time in which a disk wakes up.
const READ_AHEAD: usize = 4;

/// Whom to ask.
enum Whom {
    Servers(Vec<SocketAddr>),
    Root(Root),
}

/// Status 0 all answered, 1 some unanswered or no names, 3 not done to the end, 130 stopped.
pub async fn run(arguments: SweepArgs) -> anyhow::Result<ExitCode> {
    let whom = whom(&arguments)?;
    let settings = settings(&arguments);
    if arguments.format == SweepFormat::Parquet && table::is_made(&arguments) {
        eprintln!("This sweep is done: the Parquet file is there.");
        return Ok(ExitCode::from(ANSWERED));
    }
    let mut output = Output::open(&arguments)?;
    let (input, size) = open_names(arguments.names.as_deref())?;
    let progress = Arc::new(Progress::new(size, is_shown(&arguments)));
    let names = output.names(input);

    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let reader = read_names(names, sender, progress.clone())?;
    let (mut kept, writer) = output.start(progress.clone())?;
    let (stop, told_to_stop) = oneshot::channel();
    let asking = tokio::task::spawn_blocking(move || {
        let end = ask(&settings, whom, receiver, &mut kept, told_to_stop);
        (end, kept)
    });
    let stopper = tokio::spawn(async move {
        super::told_to_stop().await;
        // it may have ended by itself
        let _ = stop.send(());
    });
    let (end, kept) = asking.await.context("asking the servers")?;
    stopper.abort();
    let counts = kept.finish();
    progress.clear();
    // what could not be written is the reason for all else
    writer.join()?;
    let end = end?;
    if end == End::Done {
        join_reader(reader)?;
    }

    let is_whole = end == End::Done;
    if arguments.format == SweepFormat::Parquet && (is_whole || arguments.resume.is_none()) {
        table::write(&arguments)?;
    }
    progress.sum_up(&counts);
    let again = match &arguments.resume {
        Some(_) => "The same command goes on from here.",
        None => "What is missing can only be told from the output: --resume FILE would have kept it.",
    };
    Ok(ExitCode::from(match end {
        End::Done if counts.answered() == counts.done() && progress.skipped() == 0 => ANSWERED,
        End::Done => UNANSWERED,
        End::Stopped => {
            eprintln!("Stopped before the end. {again}");
            STOPPED
        }
        End::Silence => {
            let seconds = arguments.patience.as_secs_f64();
            eprintln!("Given up before the end: no server answered for {seconds} s. {again}");
            NOT_DONE
        }
    }))
}

/// Runs the sweep on this thread, with a runtime of its own: what it waits for wakes it without a detour.
fn ask(
    settings: &Settings,
    whom: Whom,
    names: mpsc::Receiver<Batch>,
    kept: &mut Kept,
    told_to_stop: oneshot::Receiver<()>,
) -> anyhow::Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the asynchronous runtime")?;
    let stop = async {
        // whoever could tell to stop is gone: nobody will
        if told_to_stop.await.is_err() {
            std::future::pending().await
        }
    };
    let end = match &whom {
        Whom::Servers(servers) => {
            let random = rand::make_rng();
            runtime.block_on(sweep::ask(settings, servers, names, kept, stop, &SystemClock, random))
        }
        Whom::Root(root) => runtime.block_on(sweep::iterate(settings, root, names, kept, stop, Arc::new(SystemClock))),
    };
    end.context("sweeping the names")
}

fn settings(arguments: &SweepArgs) -> Settings {
    let interval = |per_second: u32| Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
    Settings {
        rtype: arguments.rtype,
        recursion_desired: !arguments.no_recursion,
        edns: (arguments.edns || arguments.dnssec).then_some(Edns {
            payload: PAYLOAD,
            dnssec_ok: arguments.dnssec,
        }),
        case_randomization: arguments.case_randomization,
        interval: arguments.rate.map(interval),
        server_interval: arguments.max_per_target.map(interval),
        timeout: arguments.timeout,
        attempts: arguments.attempts,
        under_way: arguments.under_way.into(),
        patience: arguments.patience,
    }
}

fn whom(arguments: &SweepArgs) -> anyhow::Result<Whom> {
    if let Some(file) = &arguments.resolvers {
        return Ok(Whom::Servers(read_servers(file)?));
    }
    if !arguments.iterate {
        return Ok(Whom::Servers(arguments.servers.clone()));
    }
    let hints = match &arguments.hints {
        Some(file) => super::read_hints(file)?,
        None => measure::root_servers(),
    };
    let on_this_machine = measure::Settings {
        hints,
        port: arguments.port,
        ipv6: !arguments.no_ipv6,
        ..measure::Settings::default()
    }
    .on_this_machine();
    Ok(Whom::Root(Root {
        hints: on_this_machine.hints,
        port: on_this_machine.port,
        ipv4: on_this_machine.ipv4,
        ipv6: on_this_machine.ipv6,
    }))
}

/// Servers of a file, one a line; blank lines and what comes after `#` do not count.
fn read_servers(file: &Path) -> anyhow::Result<Vec<SocketAddr>> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("reading the servers in `{shown}`"))?;
    let mut servers = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            let server = server_address(line).map_err(|reason| anyhow::anyhow!("`{line}`: {reason}"));
            servers.push(server.with_context(|| format!("reading line {number} of the servers in `{shown}`"))?);
        }
    }
    Ok(servers)
}

/// The names, and how many octets they are where that can be known.
fn open_names(file: Option<&Path>) -> anyhow::Result<(Box<dyn Read + Send>, Option<u64>)> {
    let file_size = |file: &File| {
        Some(file.metadata().ok()?)
            .filter(|data| data.is_file())
            .map(|data| data.len())
    };
    match file {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("reading the names in `{}`", path.display()))?;
            let size = file_size(&file);
            Ok((Box::new(file), size))
        }
        None => {
            let input = io::stdin()
                .as_fd()
                .try_clone_to_owned()
                .context("reading the names from standard input")?;
            let input = File::from(input);
            let size = file_size(&input);
            Ok((Box::new(input), size))
        }
    }
}

/// Whether progress is shown as it goes: not between the lines of the output.
fn is_shown(arguments: &SweepArgs) -> bool {
    io::stderr().is_terminal() && (arguments.output.is_some() || !io::stdout().is_terminal())
}

type Reader = JoinHandle<Result<(), ReadError>>;

fn read_names(
    mut names: Names<impl Read + Send + 'static>,
    sender: mpsc::Sender<Batch>,
    progress: Arc<Progress>,
) -> anyhow::Result<Reader> {
    let read = move || {
        while let Some(batch) = names.next_batch(&mut |line| progress.tell_bad_line(&line))? {
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
        Ok(())
    };
    std::thread::Builder::new()
        .name("names".to_owned())
        .spawn(read)
        .context("starting a thread to read the names")
}

fn join_reader(reader: Reader) -> anyhow::Result<()> {
    match reader.join() {
        Ok(read) => read.context("reading the names"),
        Err(_) => anyhow::bail!("the thread that reads the names ended unexpectedly"),
    }
}

/// Where the lines are kept until they become Parquet: a file that is cut short can be gone on with, which a Parquet file
/// cannot.
fn lines_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".ndjson");
    name.into()
}
