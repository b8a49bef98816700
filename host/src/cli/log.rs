//! Logs: to standard error, as text or JSON.

use clap::{Args, ValueEnum};
use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// How log lines are written to standard error; colours only on a terminal and without NO_COLOR
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text, env = "ECHO_HOST_LOG_FORMAT")]
    log_format: Format,
    /// How much is logged
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Info, env = "ECHO_HOST_LOG_LEVEL")]
    log_level: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => LevelFilter::OFF,
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        }
    }
}

/// Starts logging. Called once, before anything is logged.
pub fn start(args: &LogArgs) {
    let level = LevelFilter::from(args.log_level);
    // Our own lines and the guests'; of the libraries beneath only what is wrong.
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("echo_host", level)
        .with_target("guest", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color());
    let lines = match args.log_format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
}

/// See no-color.org: any value but an empty one counts.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
