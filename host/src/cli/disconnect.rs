//! `echo-host disconnect`.

use super::output;
use super::which::{WhichArgs, refused, unexpected};
use clap::{ArgGroup, Args};
use daemon::control::{Reply, Request, request};

/// End connections of a running host
///
/// Gracefully: conversations get `on-shutdown`, what handlers sent is written, and then the
/// connection is closed. A program gets the end of its input. Fails if no connection is meant.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("whom").args(["connection", "service", "peer"]).required(true).multiple(true))
)]
pub struct DisconnectArgs {
    /// Connection to end, as `echo-host connections` and the log show it
    #[arg(value_name = "ID")]
    connection: Option<u64>,
    /// Reset the connections at once; what is not written is lost
    #[arg(long)]
    reset: bool,
    #[command(flatten)]
    which: WhichArgs,
}

const EXAMPLES: &str = "\
Examples:
  echo-host disconnect 4711                      this connection
  echo-host disconnect --peer 192.0.2.0/24       all clients of a network
  echo-host disconnect --service chat --reset    all of a service, at once";

/// No open connection is meant.
#[derive(Debug, thiserror::Error)]
#[error("no open connection fits; hint: `echo-host connections` lists them")]
pub struct NobodyError;

pub fn run(args: &DisconnectArgs) -> anyhow::Result<()> {
    let path = args.which.host.path()?;
    let asked = Request::Disconnect {
        wanted: args.which.wanted(args.connection),
        at_once: args.reset,
    };
    match request(&path, &asked, &[])? {
        Reply::Disconnected { connections: 0 } => Err(NobodyError.into()),
        Reply::Disconnected { connections: 1 } => {
            output::print("1 connection ends\n", "the result")
        }
        Reply::Disconnected { connections } => {
            output::print(format!("{connections} connections end\n"), "the result")
        }
        Reply::Refused(why) => Err(refused(&path, why).into()),
        _ => Err(unexpected(&path).into()),
    }
}
