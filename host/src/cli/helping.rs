//! What the helper of a host does: it opens files.

use super::serve::ServeArgs;
use echo_host::confinement::{Access, confine_helper, end_with_parent};
use echo_host::host::names;
use echo_host::opening;
use nix::sys::signal::SigSet;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// Opens files for the host on standard input until it ends.
pub fn run(args: &ServeArgs) -> anyhow::Result<()> {
    // It ends with its host, and not when both are told to end, as by a terminal: the host drains then.
    end_with_parent()?;
    SigSet::all().thread_block()?;
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let sources = args.sources();
    let config = sources.load();
    if let Ok(config) = &config {
        let mut access = Access::default();
        config.cache.iter().for_each(|cache| access.write(cache));
        confine_helper(config.sandbox, &access)?;
    }
    let first = config.ok().map(|config| names(&sources, &config));
    let again = || sources.load().ok().map(|config| names(&sources, &config));
    Ok(opening::helper::serve(
        &stream,
        first.unwrap_or_default(),
        again,
    )?)
}
