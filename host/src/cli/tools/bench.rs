//! `echo-host bench`.

use crate::cli::exit::ConnectError;
use crate::cli::output;
use address::Endpoint;
use anyhow::Context;
use clap::error::ErrorKind;
use clap::{Args, ValueEnum, value_parser};
use config::{OptionalTime, Size, Time};
use connection::limits::MAX_DATAGRAM_BYTES_IPV4;
use daemon::process::signals;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::io::{self, IsTerminal};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use system::descriptors;
use tokio::runtime::Builder;
use tools::bench::{self, BenchError, Plan, Progress, Report, Shape};

/// Measure an echo server: throughput, latency, and whether every byte is right
///
/// Sends messages over many connections, compares every reply and prints a report. Without
/// --rate, each message waits for a previous reply, so a slow server gets fewer messages. With
/// --rate, messages are due at fixed times, and latency counts from the due time.
///
/// Over UDP each connection is a socket and each message a datagram.
///
/// Only load servers that you are allowed to load. Ctrl-C ends the run early and prints the report.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct BenchArgs {
    /// Server to load
    #[arg(value_name = "tcp|udp|ws://ADDR:PORT", value_parser = measurable)]
    endpoint: Endpoint,
    /// Print the report as JSON; names of figures end in their unit
    #[arg(long)]
    json: bool,
    /// Draw latency by percentile and throughput over time
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Report CPU time per message and memory of this server and its children
    #[arg(long, value_name = "PID", value_parser = value_parser!(u32).range(1..))]
    server_pid: Option<u32>,
    #[command(flatten)]
    load: LoadArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct LoadArgs {
    /// Open connections, up to 100000
    #[arg(short, long, value_name = "N", default_value = "50", value_parser = value_parser!(u32).range(1..=100_000))]
    connections: u32,
    /// Length of a message with its line ending, up to 64MiB
    #[arg(long, value_name = "SIZE", value_parser = message, default_value = "64B")]
    size: usize,
    /// End of a reply: `raw`, after the length of the message; `lines`, at a line feed
    #[arg(long, value_name = "FRAMING", value_enum, default_value_t = FramingArg::Raw, hide_possible_values = true)]
    framing: FramingArg,
    /// Messages in flight on one connection, up to 1000
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u16).range(1..=1000))]
    pipeline: u16,
    /// Messages per second on all connections together, up to 10000000/s [default: unlimited]
    #[arg(long, value_name = "N/s", value_parser = rate)]
    rate: Option<u32>,
    /// Open a new connection after this many messages [default: never]
    #[arg(long, value_name = "N")]
    messages_per_connection: Option<NonZeroU64>,
    /// Time to measure, up to 1day
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    duration: Duration,
    /// Time to warm up before measuring, up to 1day, or off
    #[arg(long, value_name = "TIME", value_parser = warm_up, default_value = "1s")]
    warm_up: OptionalTime,
    /// Time limit for a reply or for connecting; a later datagram counts as lost
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5s")]
    timeout: Duration,
    /// Threads that generate load [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FramingArg {
    Lines,
    Raw,
}

const AFTER_HELP: &str = "\
Examples:
  echo-host bench tcp://127.0.0.1:8888                        50 connections for 10 s
  echo-host bench tcp://127.0.0.1:8888 -c 500 --size 1KiB --pipeline 16
  echo-host bench tcp://127.0.0.1:8888 --rate 20000/s --plot bench.svg
  echo-host bench udp://127.0.0.1:9999 --timeout 200ms
  echo-host bench tcp://127.0.0.1:8888 --framing lines --messages-per-connection 1 --json

Exit codes:
  0    every message was echoed
  2    wrong usage
  69   cannot reach the server
  74   a message was lost, a reply was wrong, or a connection could not be opened; or the
       report or plot cannot be written, or the server process cannot be read";

/// No message in practice is longer.
const MAX_MESSAGE_BYTES: usize = 64 << 20;
const MAX_RATE_PER_S: u32 = 10_000_000;
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

fn message(text: &str) -> Result<usize, String> {
    match text.parse()? {
        Size(bytes @ ..=MAX_MESSAGE_BYTES) => Ok(bytes),
        Size(_) => Err("must be at most 64MiB".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let Time(time) = text.parse()?;
    no_longer_than_a_day(time)
}

fn warm_up(text: &str) -> Result<OptionalTime, String> {
    match text.parse()? {
        OptionalTime(Some(time)) => no_longer_than_a_day(time).map(|time| OptionalTime(Some(time))),
        off => Ok(off),
    }
}

fn no_longer_than_a_day(time: Duration) -> Result<Duration, String> {
    if time > MAX_TIME {
        Err("must be at most 1day".to_owned())
    } else {
        Ok(time)
    }
}

/// Messages a second: `20000/s`, or just `20000`.
fn rate(text: &str) -> Result<u32, String> {
    match text.strip_suffix("/s").unwrap_or(text).parse() {
        Ok(rate @ 1..=MAX_RATE_PER_S) => Ok(rate),
        Ok(_) => Err(format!("must be from 1/s to {MAX_RATE_PER_S}/s")),
        Err(_) => Err("expected a rate such as 20000/s".to_owned()),
    }
}

impl BenchArgs {
    fn plan(&self) -> Plan {
        let load = &self.load;
        let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = load.threads.map_or_else(cores, NonZeroUsize::get);
        Plan {
            endpoint: self.endpoint.clone(),
            connections: load.connections,
            threads: threads.min(load.connections as usize),
            message_bytes: load.size,
            shape: match load.framing {
                FramingArg::Lines => Shape::Lines,
                FramingArg::Raw => Shape::Raw,
            },
            pipeline: load.pipeline.into(),
            rate_per_s: load.rate,
            messages_per_connection: load.messages_per_connection.map(NonZeroU64::get),
            warm_up: load.warm_up.0.unwrap_or_default(),
            duration: load.duration,
            timeout: load.timeout,
            server_pid: self.server_pid,
        }
    }
}

/// Parses the endpoint of a server that `bench` supports.
fn measurable(text: &str) -> Result<Endpoint, String> {
    match text
        .parse::<Endpoint>()
        .map_err(|error| error.to_string())?
    {
        endpoint @ (Endpoint::Tcp(_) | Endpoint::Udp(_) | Endpoint::Ws(_)) => Ok(endpoint),
        _ => Err("expected a tcp://, udp:// or ws:// endpoint".to_owned()),
    }
}

pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let plan = args.plan();
    if let Endpoint::Udp(_) = plan.endpoint
        && plan.message_bytes > MAX_DATAGRAM_BYTES_IPV4
    {
        let why = format!("a datagram carries at most {MAX_DATAGRAM_BYTES_IPV4} bytes (--size)\n");
        clap::Error::raw(ErrorKind::ValueValidation, why).exit();
    }
    if let Some(path) = &args.plot {
        // Better now than after the run.
        let created = File::options().append(true).create(true).open(path);
        created.with_context(|| format!("cannot write {}", path.display()))?;
    }
    descriptors::allow_many();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(measure(&plan))?;
    let text = if args.json {
        report.to_json() + "\n"
    } else {
        report.to_string()
    };
    output::print(text, "the report")?;
    if let Some(path) = &args.plot {
        fs::write(path, report.to_svg().context("cannot draw the plot")?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    complain(&report)
}

/// Unanswered messages are an error, although the report lists them too.
fn complain(report: &Report) -> anyhow::Result<()> {
    let unanswered = report.errors.messages();
    let unopened = report.errors.total() - unanswered;
    if unanswered + unopened == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{unanswered} of {} messages were not echoed, and {unopened} connections could not be opened",
        report.messages
    ))
    .into())
}

async fn measure(plan: &Plan) -> anyhow::Result<Report> {
    let stop = signals::stop().context("cannot handle signals")?;
    let bar = progress_bar(plan);
    let result = bench::run(plan, stop, |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    result.map_err(|error| match error {
        BenchError::Unreachable(cause) => ConnectError {
            endpoint: plan.endpoint.to_string(),
            cause,
        }
        .into(),
        error => error.into(),
    })
}

fn progress_bar(plan: &Plan) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
    let style = style.expect("the template is well-formed");
    let load = plan.warm_up + plan.duration;
    ProgressBar::new(load.as_millis() as u64).with_style(style)
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let Progress {
        phase,
        replies,
        errors,
        ..
    } = progress;
    bar.set_position(progress.elapsed.as_millis() as u64);
    bar.set_message(format!("{phase}: {replies} replies, {errors} errors"));
}
