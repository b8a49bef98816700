//! Logs: to standard error, as text or JSON.

pub mod output;

use crate::config::{LogFormat, LogLevel};
use output::Stderr;
use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Starts logging for a process that serves: nothing waits until a line was written, and lines are only queued until
/// [`output::start`] is called. Called once, before anything is logged.
pub fn start_queued(format: LogFormat, level: LogLevel) {
    output::queue();
    start(format, level);
}

/// Starts logging for a process that may wait for whoever reads its lines. Called once, before anything is logged.
pub fn start(format: LogFormat, level: LogLevel) {
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
