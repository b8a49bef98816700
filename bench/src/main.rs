//! `cargo xtask bench`: compares the host with native servers and with others that echo.
//!
//! ```text
//! run -> beside -> load -> servers -> process      measure, with `echo-host bench --json`
//!   `-> results -> documents, picture              keep medians, and show them
//! ```
//!
//! Machines are shared and noisy. So rounds are interleaved, every figure is compared with that of
//! the native server in the same round, and the verdict goes by the server's CPU time, which
//! depends less on other load than throughput does.

#![forbid(unsafe_code)]

mod beside;
mod comparison;
mod documents;
mod held;
mod load;
mod machine;
mod picture;
mod place;
mod process;
mod results;
mod run;
mod samples;
mod servers;

use anyhow::Result;
use clap::Parser;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell reports for a program that ended on SIGINT.
const INTERRUPTED: i32 = 130;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run_unless_interrupted().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo-host-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_unless_interrupted() -> Result<()> {
    let arguments = run::Arguments::parse();
    // Before the first server is started: an interrupted run leaves none behind.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let run = tokio::task::spawn_blocking(move || run::run(&arguments));
    tokio::select! {
        result = run => return result?,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    eprintln!("echo-host-bench: interrupted");
    process::end_all(INTERRUPTED)
}
