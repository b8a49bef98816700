//! `echo-host reload`.

use super::control::HostArg;
use super::printable::printable;
use anyhow::Context;
use clap::Args;
use daemon::control::{ControlError, Reply, Request, request};
use std::io::{self, Write};

/// Let a running host read its configuration file and its handlers again
///
/// Everything new is loaded, tried and bound before anything changes. If anything is wrong with it, the host
/// serves on as before: the reason is printed, and the exit code is 65. SIGHUP does the same, without an answer.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    #[command(flatten)]
    host: HostArg,
}

pub fn run(args: &ReloadArgs) -> anyhow::Result<()> {
    let path = args.host.path()?;
    let changes = match request(&path, &Request::Reload, &[])? {
        Reply::Reloaded(reloaded) => reloaded.changes,
        Reply::Refused(refused) => return Err(refused.into()),
        _ => {
            let what = "it is about something else".into();
            return Err(ControlError::Answer { path, what }.into());
        }
    };
    let text = match &changes[..] {
        [] => "nothing has changed".to_owned(),
        changes => changes.join("\n"),
    };
    writeln!(io::stdout(), "{}", printable(&text)).context("cannot print the changes")
}
