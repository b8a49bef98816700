//! `echo-host swap`.

use super::control::HostArg;
use super::printable::printable;
use anyhow::Context;
use clap::Args;
use daemon::control::{ControlError, Reply, Request, request};
use engine::{open, open_signature};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Make a running host serve another handler
///
/// The host first loads and tries the handler. If it refuses it, the old one keeps serving; the
/// command prints the reason and exits with 65.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SwapArgs {
    /// New handler [default: the file of the current one, read again]
    handler: Option<PathBuf>,
    /// Go back to the previous handler
    #[arg(long, conflicts_with = "handler")]
    rollback: bool,
    /// Service to change [default: the only one]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    #[command(flatten)]
    host: HostArg,
}

const EXAMPLES: &str = "\
Examples:
  echo-host swap                       the handler's file has been replaced
  echo-host swap calc-2.wasm           another file
  echo-host swap --rollback            return to the previous version
  echo-host swap calc-2.wasm --service calc
  echo-host swap calc-2.wasm --control /run/user/1000/echo-host/4711.sock";

pub fn run(args: &SwapArgs) -> anyhow::Result<()> {
    let service = args.service.clone();
    // The host may have another working directory.
    let absolute = |path: &PathBuf| {
        std::path::absolute(path)
            .with_context(|| format!("cannot find the absolute path of {}", path.display()))
    };
    let handler = args.handler.as_ref().map(absolute).transpose()?;
    let opened = handler.as_deref().map(opened).unwrap_or_default();
    let asked = if args.rollback {
        Request::RollBack { service }
    } else {
        Request::Swap { service, handler }
    };
    let path = args.host.path()?;
    match request(&path, &asked, &opened)? {
        Reply::Swapped(swapped) => {
            let hash: String = swapped.sha256.chars().take(8).collect();
            writeln!(
                io::stdout(),
                "generation {} (sha256 {}…) replaced generation {}",
                swapped.generation,
                printable(&hash),
                swapped.replaced
            )
            .context("cannot print the result")
        }
        Reply::Refused(refused) => Err(refused.into()),
        _ => Err(ControlError::Answer {
            path,
            what: "not a reply to this request".into(),
        }
        .into()),
    }
}

/// The opened file, so that the host can read it even if it may not open it. Empty if it cannot be
/// opened here either: the host then says why.
fn opened(handler: &Path) -> Vec<OwnedFd> {
    let file = open(handler).ok();
    let signature = file.as_ref().and_then(|_| open_signature(handler).ok()?);
    file.into_iter()
        .chain(signature)
        .map(OwnedFd::from)
        .collect()
}
