//! `cargo xtask bench`: compares the host with native servers and with others that echo.
//!
//! ```text
//! rounds -> traffic, beside -> servers -> process   measure, with `echo-host bench --json`
//!      `--> results -> targets -> documents         keep medians, judge and show them
//! instructions -> process                           count, with callgrind
//! ```
//!
//! Machines are shared and noisy. So rounds are interleaved, every figure is compared with that of
//! the native server in the same round, and the verdict goes by the server's CPU time, which
//! depends less on other load than throughput does.

#![forbid(unsafe_code)]

mod beside;
mod documents;
mod instructions;
mod picture;
mod process;
mod results;
mod rounds;
mod servers;
mod targets;
mod traffic;

use anyhow::Result;
use clap::Parser;
use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell reports for a program that ended on SIGINT.
const INTERRUPTED: i32 = 130;

/// The folder of the repository: around this program, which is in target/release. Not compiled in,
/// because a clone that is copied with its target directory is not compiled again.
fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let own = env::current_exe().unwrap_or_default();
        let mut folders = own.ancestors();
        let root = folders.find(|folder| folder.join("bench/Cargo.toml").is_file());
        root.unwrap_or(Path::new(".")).to_owned()
    });
    &ROOT
}

/// What a run writes, and the results of a partial one.
fn work() -> PathBuf {
    root().join("target/bench")
}

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
    let arguments = rounds::Arguments::parse();
    // Before the first server is started: an interrupted run leaves none behind.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let run = tokio::task::spawn_blocking(move || rounds::run(&arguments));
    tokio::select! {
        result = run => return result?,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    eprintln!("echo-host-bench: interrupted");
    process::end_all(INTERRUPTED)
}
