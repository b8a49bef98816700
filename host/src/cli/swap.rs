//! `echo-host swap`.

use super::control::HostArg;
use super::output;
use super::printable::printable;
use anyhow::Context;
use clap::Args;
use daemon::control::{ControlError, Reply, Request, Swapped, request};
use daemon::logs::progress::Progress;
use engine::{Demo, open, open_signature};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Make a running host serve another handler
///
/// The host first loads and tries the handler. If it refuses it, the old one keeps serving; the
/// command prints the reason and exits with 65.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SwapArgs {
    /// New handler: a file, or a demo [default: the file of the current one, read again]
    handler: Option<PathBuf>,
    /// Go back to the previous generation
    #[arg(long, conflicts_with = "handler")]
    rollback: bool,
    /// Go back or forward to this generation; `status --history` lists those that are kept
    #[arg(long, value_name = "N", conflicts_with_all = ["handler", "rollback"])]
    generation: Option<u64>,
    /// Let the new handler import interfaces whose names begin so (repeatable)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["rollback", "generation"])]
    allow_import: Vec<String>,
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
  echo-host swap --generation 3        return to version 3, or go forward to it
  echo-host swap calc-2.wasm --service calc
  echo-host swap calc-2.wasm --control /run/user/1000/echo-host/4711.sock";

pub fn run(args: &SwapArgs) -> anyhow::Result<()> {
    let service = args.service.clone();
    // The host may have another working directory.
    let absolute = |path: &PathBuf| match Demo::named(path) {
        Some(_) => Ok(path.clone()),
        None => std::path::absolute(path)
            .with_context(|| format!("cannot find the absolute path of {}", path.display())),
    };
    let handler = args.handler.as_ref().map(absolute).transpose()?;
    let file = handler.as_deref().filter(|path| path.is_absolute());
    let opened = file.map(opened).unwrap_or_default();
    let asked = if args.rollback || args.generation.is_some() {
        Request::RollBack {
            service,
            generation: args.generation,
        }
    } else {
        Request::Swap {
            service,
            handler,
            allow_imports: args.allow_import.clone(),
        }
    };
    let path = args.host.path()?;
    let progress = Progress::of(printable(&format!("swapping in {}", wanted(args))));
    let reply = request(&path, &asked, &opened);
    drop(progress);
    match reply? {
        Reply::Swapped(swapped) => output::print(
            printable(&said(&swapped))
                + "
",
            "the result",
        ),
        Reply::Refused(refused) => Err(refused.into()),
        _ => Err(ControlError::Answer {
            path,
            what: "not a reply to this request".into(),
        }
        .into()),
    }
}

/// What is swapped in, for people.
fn wanted(args: &SwapArgs) -> String {
    match (&args.handler, args.generation) {
        (Some(path), _) => path.display().to_string(),
        (None, Some(number)) => format!("generation {number}"),
        (None, None) if args.rollback => "the previous generation".to_owned(),
        (None, None) => "the current file".to_owned(),
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

/// What a swap did, in a line for each thing.
fn said(swapped: &Swapped) -> String {
    let Swapped {
        generation,
        replaced,
        sha256,
        handler,
        connections,
    } = swapped;
    if generation == replaced {
        return format!("generation {generation} is current already: {handler}");
    }
    let hash: String = sha256.chars().take(8).collect();
    let mut said =
        format!("generation {generation} (sha256 {hash}…) replaced generation {replaced}");
    if let Some(connections) = connections {
        said += &format!("\ngeneration {generation}: {}", connections.summary);
    }
    said
}
