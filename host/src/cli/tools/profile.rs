//! `echo-host profile`.

use crate::cli::control::HostArg;
use crate::cli::output;
use crate::cli::printable::{printable, tell};
use crate::cli::table::table;
use crate::cli::which::{refused, unexpected};
use anyhow::Context;
use clap::Args;
use config::Time;
use connection::limits::{CONTROL_REPLY_TIME, MAX_PROFILE_TIME};
use daemon::control::{ControlError, ProfilePiece, Replies, Reply, Request};
use daemon::process::signals;
use humantime::format_duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, channel};
use tools::profile::{Profile, Row, Sample};

/// Show in which functions the guests of a running host compute
///
/// Samples guests while they run, and prints the functions that computed most. Ctrl-C ends it
/// early. The host logs who profiles what.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ProfileArgs {
    /// Guests of this service only
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Sample for this time, at most 5m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// Write a profile for profiler.firefox.com
    #[arg(long, value_name = "FILE.json")]
    output: Option<PathBuf>,
    /// Write a flame graph
    #[arg(long, value_name = "FILE.svg")]
    flamegraph: Option<PathBuf>,
    #[command(flatten)]
    host: HostArg,
}

const EXAMPLES: &str = "\
Examples:
  echo-host profile                              all guests, for 10 seconds
  echo-host profile --service calc --duration 1m
  echo-host profile --flamegraph calc.svg        for a browser
  echo-host profile --output calc.json           for https://profiler.firefox.com";

/// Functions that the table has at most.
const MAX_ROWS: usize = 20;

fn time(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(Time(time)) if time > MAX_PROFILE_TIME => {
            Err(format!("at most {}", format_duration(MAX_PROFILE_TIME)))
        }
        Ok(Time(time)) => Ok(time),
        Err(error) => Err(error),
    }
}

pub fn run(args: &ProfileArgs) -> anyhow::Result<()> {
    let path = args.host.path()?;
    let asked = Request::Profile {
        service: args.service.clone(),
        duration: args.duration,
    };
    let mut replies = Replies::to(&path, &asked, CONTROL_REPLY_TIME)?;
    let services = match replies.next(CONTROL_REPLY_TIME)? {
        Reply::Profiling { services } => services,
        Reply::Refused(why) => return Err(refused(&path, why).into()),
        _ => return Err(unexpected(&path).into()),
    };
    let (what, time) = (services.join(", "), format_duration(args.duration));
    tell(
        "echo-host",
        &format!("profiling {what} for {time}; Ctrl-C ends it early"),
    );
    let mut profile = Profile::begin(services);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let dropped = runtime.block_on(collect(receive(replies), &mut profile))?;
    if dropped > 0 {
        let text = format!("{dropped} samples are missing: there were too many");
        tell("echo-host", &text);
    }
    if profile.samples() == 0 {
        let written = match (&args.output, &args.flamegraph) {
            (None, None) => "",
            _ => "; nothing is written",
        };
        let text = format!("no samples: no guest computed when they were taken{written}\n");
        return output::print(text, "the result");
    }
    output::print(printable(&shown(&profile)), "the profile")?;
    if let Some(file) = &args.output {
        write(file, &profile.firefox()?)?;
        let how = "open it at https://profiler.firefox.com";
        tell("echo-host", &format!("wrote {}: {how}", file.display()));
    }
    if let Some(file) = &args.flamegraph {
        write(file, &profile.flame_graph()?)?;
        let how = "open it in a browser";
        tell("echo-host", &format!("wrote {}: {how}", file.display()));
    }
    Ok(())
}

/// What comes from the host.
enum Received {
    Piece(ProfilePiece),
    /// All has come, except this many samples.
    End(u64),
}

/// Receives lines on a thread of its own, which ends with the process.
fn receive(mut replies: Replies) -> Receiver<Result<Received, ControlError>> {
    let (sender, receiver) = channel(1);
    thread::spawn(move || {
        loop {
            let received = match replies.wait() {
                Ok(Some(Reply::Profiled(piece))) => Ok(Received::Piece(piece)),
                Ok(Some(Reply::ProfileEnd(end))) => Ok(Received::End(end.dropped)),
                Ok(Some(_)) => continue,
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let is_last = !matches!(received, Ok(Received::Piece(_)));
            if sender.blocking_send(received).is_err() || is_last {
                return;
            }
        }
    });
    receiver
}

/// Collects samples until the host has sent all of them or ends, or the user ends it. Returns how
/// many are missing.
async fn collect(
    mut lines: Receiver<Result<Received, ControlError>>,
    profile: &mut Profile,
) -> anyhow::Result<u64> {
    let mut stop = std::pin::pin!(signals::stop()?);
    loop {
        let received = tokio::select! {
            received = lines.recv() => match received {
                Some(received) => received?,
                None => {
                    tell("echo-host", "the host has ended");
                    return Ok(0);
                }
            },
            () = &mut stop => return Ok(0),
        };
        match received {
            Received::Piece(piece) => {
                let samples = piece.samples.into_iter().map(|sample| Sample {
                    at: Duration::from_micros(sample.at_microseconds),
                    stack: sample.stack,
                    service: sample.service,
                    generation: sample.generation,
                });
                profile.add(piece.functions, piece.stacks, samples);
            }
            Received::End(dropped) => return Ok(dropped),
        }
    }
}

/// The functions that computed most.
fn shown(profile: &Profile) -> String {
    let samples = profile.samples();
    let rows = profile.rows();
    let head = [
        "SELF",
        "SHARE",
        "TOTAL",
        "SERVICE",
        "GENERATION",
        "FUNCTION",
    ];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    cells.extend(rows.iter().take(MAX_ROWS).map(|row| row_of(row, samples)));
    let mut text = format!("{samples} samples\n{}", table(&cells));
    if let Some(further @ 1..) = rows.len().checked_sub(MAX_ROWS) {
        text += &format!("\n{further} more functions\n");
    }
    text
}

fn row_of(row: &Row, samples: usize) -> Vec<String> {
    let generation = row
        .version
        .generation
        .map_or("-".to_owned(), |it| it.to_string());
    vec![
        row.own.to_string(),
        format!("{}%", row.own * 100 / samples as u64),
        row.total.to_string(),
        row.version.service.clone(),
        generation,
        row.function.clone(),
    ]
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
