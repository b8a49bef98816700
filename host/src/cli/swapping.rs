//! The options of `serve` about swapping its handler.

use super::guest::said;
use super::variables::{Items, lines};
use clap::builder::{BoolishValueParser, PathBufValueParser, StringValueParser};
use clap::{Args, ValueEnum};
use connection::generation::Move;
use daemon::config::ServiceSettings;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(next_help_heading = "Swapping the handler")]
pub struct SwapArgs {
    /// Swap the handler whenever its file changes
    #[arg(long, value_parser = BoolishValueParser::new(), env = "ECHO_HOST_WATCH")]
    watch: bool,
    /// What happens to open connections at a swap [default: new-connections]
    #[arg(long, value_name = "WHAT", value_enum, env = "ECHO_HOST_SWAP")]
    swap: Option<MoveArg>,
    /// Recorded exchanges that every version must answer before it serves (repeatable; in the variable,
    /// one a line)
    #[arg(
        long,
        value_name = "FILE",
        value_parser = lines(PathBufValueParser::new()),
        env = "ECHO_HOST_PROBE"
    )]
    probe: Vec<Items<PathBuf>>,
    /// An interface that a new version may import though the one before did not, or the beginning of its
    /// name (repeatable; in the variable, one a line)
    #[arg(
        long,
        value_name = "INTERFACE",
        value_parser = lines(StringValueParser::new()),
        env = "ECHO_HOST_ALLOW_IMPORT"
    )]
    allow_import: Vec<Items<String>>,
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

impl From<MoveArg> for Move {
    fn from(arg: MoveArg) -> Self {
        match arg {
            MoveArg::NewConnections => Move::NewConnections,
            MoveArg::NextMessage => Move::NextMessage,
            MoveArg::Migrate => Move::Migrate,
        }
    }
}

impl SwapArgs {
    /// What was said about swapping the handler of a service.
    pub fn settings(&self) -> ServiceSettings {
        ServiceSettings {
            watch: self.watch.then_some(true),
            swap: self.swap.map(Move::from),
            probes: said(&self.probe),
            allow_imports: said(&self.allow_import),
            rollback_after: self.rollback_after,
            ..ServiceSettings::default()
        }
    }
}
