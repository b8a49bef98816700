//! Options of logs.

use clap::{Args, ValueEnum};
use daemon::config::{LogFormat, LogLevel};
use daemon::logs;

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
        logs::start(
            self.format().unwrap_or_default(),
            self.level().unwrap_or_default(),
        );
    }
}
