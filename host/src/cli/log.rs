//! Logs: to standard error, as text or JSON.

use super::output::{self, Stderr};
use clap::{Args, ValueEnum};
use echo_host::config::{LogFormat, LogLevel};
use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

#[derive(Debug, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// How log lines are written to standard error; colours only on a terminal and without NO_COLOR [default: text]
    #[arg(long, value_name = "FORMAT", value_enum, env = "ECHO_HOST_LOG_FORMAT")]
    log_format: Option<FormatArg>,
    /// How much is logged [default: info]
    #[arg(long, value_name = "LEVEL", value_enum, env = "ECHO_HOST_LOG_LEVEL")]
    log_level: Option<LevelArg>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LevelArg {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogArgs {
    /// The format that was asked for.
    pub fn format(&self) -> Option<LogFormat> {
        self.log_format.map(|format| match format {
            FormatArg::Text => LogFormat::Text,
            FormatArg::Json => LogFormat::Json,
        })
    }

    /// The level that was asked for.
    pub fn level(&self) -> Option<LogLevel> {
        self.log_level.map(|level| match level {
            LevelArg::Off => LogLevel::Off,
            LevelArg::Error => LogLevel::Error,
            LevelArg::Warn => LogLevel::Warn,
            LevelArg::Info => LogLevel::Info,
            LevelArg::Debug => LogLevel::Debug,
            LevelArg::Trace => LogLevel::Trace,
        })
    }

    /// Starts logging as was asked for, for a command that may wait for whoever reads it. Called once, before
    /// anything is logged.
    pub fn start(&self) {
        subscribe(
            self.format().unwrap_or_default(),
            self.level().unwrap_or_default(),
        );
    }
}

/// Starts logging for a process that serves: nothing waits until a line was written, and lines are only queued until
/// [`output::start`] is called. Called once, before anything is logged.
pub fn start_queued(format: LogFormat, level: LogLevel) {
    output::queue();
    subscribe(format, level);
}

fn subscribe(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Our own lines and the guests'; of the libraries beneath only what is wrong.
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("echo_host", level)
        .with_target("guest", level);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| Stderr)
        // It would write to standard error by itself.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal() && !no_color());
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
}

/// See no-color.org: any value but an empty one counts.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
