//! `echo-host reload`.

use super::control::HostArg;
use super::exit::RefusedReload;
use super::output;
use super::printable::printable;
use clap::Args;
use daemon::control::{ControlError, Reply, Request, request};
use daemon::logs::progress::Progress;

/// Make a running host reload its configuration file and handlers
///
/// Everything new is bound, loaded and probed before a service changes. On any error the host keeps
/// the old configuration; the command prints the reason and exits with 78. SIGHUP does the same
/// without an answer.
#[derive(Debug, Args)]
pub struct ReloadArgs {
    #[command(flatten)]
    host: HostArg,
}

pub fn run(args: &ReloadArgs) -> anyhow::Result<()> {
    let path = args.host.path()?;
    let progress = Progress::of("reloading".to_owned());
    let reply = request(&path, &Request::Reload, &[]);
    drop(progress);
    let changes = match reply? {
        Reply::Reloaded(reloaded) => reloaded.changes,
        Reply::Refused(refused) => return Err(RefusedReload(refused).into()),
        _ => {
            let what = "not a reply to this request".into();
            return Err(ControlError::Answer { path, what }.into());
        }
    };
    let text = match &changes[..] {
        [] => "nothing has changed".to_owned(),
        changes => changes.join("\n"),
    };
    output::print(printable(&text) + "\n", "the changes")
}
