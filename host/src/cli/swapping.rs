//! The options of `serve` about swapping its handler.

use clap::{Args, ValueEnum};
use echo_host::config::SwapConfig;
use echo_host::generation::{Move, Probation};
use std::path::PathBuf;
use std::time::Duration;

/// How long a new generation is on probation.
const PROBATION: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
#[command(next_help_heading = "Swapping the handler")]
pub struct SwapArgs {
    /// Swap the handler whenever its file changes
    #[arg(long, env = "ECHO_HOST_WATCH")]
    pub watch: bool,
    /// What happens to open connections at a swap
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = MoveArg::NewConnections, env = "ECHO_HOST_SWAP")]
    swap: MoveArg,
    /// Recorded exchanges that every version must answer before it serves (repeatable; in the variable,
    /// one a line)
    #[arg(
        long,
        value_name = "FILE",
        value_delimiter = '\n',
        env = "ECHO_HOST_PROBE"
    )]
    probe: Vec<PathBuf>,
    /// An interface that a new version may import though the one before did not, or the beginning of its
    /// name (repeatable; in the variable, one a line)
    #[arg(
        long,
        value_name = "INTERFACE",
        value_delimiter = '\n',
        env = "ECHO_HOST_ALLOW_IMPORT"
    )]
    allow_import: Vec<String>,
    /// Swap back if more than so many calls of a new version fail in its first minute [default: never]
    #[arg(long, value_name = "N", env = "ECHO_HOST_ROLLBACK_AFTER")]
    rollback_after: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MoveArg {
    /// They stay with the old version; only new connections get the new one
    NewConnections,
    /// Those of responders go on with the new version between two messages
    NextMessage,
    /// So do those of responders, and conversations are carried over with what they save
    Migrate,
}

impl SwapArgs {
    /// As the host wants it. Connections stay with a handler that was swapped out no longer than
    /// `drain_timeout`, if there is one.
    pub fn config(&self, drain_timeout: Option<Duration>) -> SwapConfig {
        SwapConfig {
            on_swap: match self.swap {
                MoveArg::NewConnections => Move::NewConnections,
                MoveArg::NextMessage => Move::NextMessage,
                MoveArg::Migrate => Move::Migrate,
            },
            probes: self.probe.clone(),
            allowed_imports: self.allow_import.clone(),
            probation: self.rollback_after.map(|failed_calls| Probation {
                failed_calls,
                time: PROBATION,
            }),
            drain_timeout,
        }
    }
}
