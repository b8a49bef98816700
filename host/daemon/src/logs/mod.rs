//! Logs to standard error, as text or JSON.

mod json;
pub mod output;
pub mod progress;
pub mod recent;

use config::{LogFormat, LogLevel};
use output::Stderr;
use std::io::{self, IsTerminal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Starts logging for a serving process: writing never blocks, and lines are queued until
/// [`output::start`]. Called once, before anything is logged.
pub fn start_queued(format: LogFormat, level: LogLevel) {
    output::queue();
    start(format, level);
}

/// Starts logging for a process that may wait for its reader. Called once, before anything is
/// logged.
pub fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Our own lines and those of guests; from libraries, only warnings and errors.
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("echo_host", level)
        .with_target("guest", level);
    let lines = match format {
        LogFormat::Json => json::JsonLines.boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_writer(|| Stderr)
            // Otherwise it would write to standard error itself.
            .log_internal_errors(false)
            .with_ansi(may_color())
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(recent::RecentWarnings.with_filter(LevelFilter::WARN))
        .init();
}

/// Whether text on standard error may be colored. See no-color.org: any value except an empty one
/// counts.
pub fn may_color() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !no_color
}
