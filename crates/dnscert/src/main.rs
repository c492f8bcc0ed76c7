//! The one binary: commands, configuration, wiring, and the job runner. It holds no rules.

mod centre;
mod cli;
mod commands;
mod config;
mod demo;
mod hand_over;
mod probe;
mod sensor;
mod zones;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Asking for help is no mistake; anything else is usage, status 2.
            let code = if error.use_stderr() { 2 } else { 0 };
            // nobody reads it: then nobody can be told that either
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    cli.start_logging();
    end_when_nobody_reads();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("dnscert: could not start the asynchronous runtime: {error}");
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(commands::run(cli.command)) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dnscert: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Who reads us may have heard enough, as in `dnscert doctor | head -1`. `println!` panics then, and panicking about that would be
/// noise: the program just ends, as after the error of a writer that tells.
fn end_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to std") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.root_cause().downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
