//! One run: its options, its end, and its result.

use crate::control;
use crate::course::Course;
use crate::files::Files;
use crate::findings::Findings;
use crate::host::Host;
use crate::record::Record;
use crate::report;
use crate::site::Site;
use anyhow::{Context, Result, bail};
use clap::Parser;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Time limit for the host to stop: its drain timeout, plus time for a busy machine.
const STOP: Duration = Duration::from_secs(15);
/// Time limit for everything except the run itself.
const BESIDES: Duration = Duration::from_secs(240);

/// The mix, its duration, and the host.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask torture",
    about = "Lets bad clients, bad guests and operators loose on one host, and checks what must hold"
)]
pub struct Arguments {
    /// Duration in minutes; the rehearsal and settling take one or two more.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Seed of the run to repeat [default: any]
    #[arg(long)]
    seed: Option<u64>,
    /// The host's program.
    #[arg(long, default_value = "target/release/echo-host")]
    host: PathBuf,
    /// The directory of the built guests.
    #[arg(long, default_value = "target/guests")]
    guests: PathBuf,
}

/// Runs everything: returns true if there is no finding.
pub fn run(arguments: &Arguments) -> Result<bool> {
    let minutes = arguments.minutes;
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let again =
        format!("seed {seed}; again: cargo xtask torture --minutes {minutes} --seed {seed}");
    println!("{again}");
    let length = Duration::try_from_secs_f64(minutes * 60.0).context("--minutes is no time")?;
    stop_hard_after(length + BESIDES);
    let files = Files::write(&arguments.guests)?;
    // Here, and not in a task: when the thread that has started it ends, the host ends too.
    let mut host = Host::start(&arguments.host, files.folder())?;
    let (findings, record) = (Arc::new(Findings::new()), Arc::new(Record::default()));
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let status = control::status(&files.path("host.sock")).await?;
        let site = Arc::new(Site::new(files, &host, &status)?);
        let course = Course::new(seed, site, &host, record.clone(), findings.clone());
        tokio::select! {
            outcome = course.run(length) => outcome.map(Some),
            () = findings.wait() => Ok(None),
            interrupted = interrupted() => interrupted,
        }
    });
    // Remaining clients would be in the way now.
    runtime.shutdown_background();
    report::counts(&record);
    // The finding is the cause of any later failure.
    if findings.first().is_none() {
        if let Some(outcome) = outcome? {
            report::host(&outcome, &host.log);
        }
        stop(&mut host, &findings);
    }
    match findings.first() {
        None => println!("verdict: everything held"),
        Some(found) => {
            host.log.catch_up();
            let end = host.log.last().join("\n  ");
            println!("the end of the host's log:\n  {end}\nverdict: {found}\n{again}");
        }
    }
    Ok(findings.first().is_none())
}

/// Stops the host, which must end in time, without an error, and with only log lines.
fn stop(host: &mut Host, findings: &Findings) {
    match host.stop(STOP) {
        Ok(status) if status.success() => {}
        Ok(status) => findings.add(&format!("the host, told to stop, ended with {status}")),
        Err(error) => findings.add(&format!("{error:#}")),
    }
    if let Some(stray) = host.log.stray() {
        findings.add(&format!("the host says: {stray}"));
    }
}

async fn interrupted<T>() -> Result<T> {
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    bail!("interrupted")
}

/// Ends this process, and with it the host, if it has not ended by then.
fn stop_hard_after(limit: Duration) {
    thread::spawn(move || {
        thread::sleep(limit);
        println!("verdict: it has not come to its end within {limit:?}");
        std::process::exit(1);
    });
}
