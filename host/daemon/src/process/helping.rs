//! The main loop of the helper: opens files, and starts compiling processes.

use super::compiler;
use crate::host::names;
use config::Sources;
use nix::sys::signal::SigSet;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use system::confinement::{Access, confine_helper, end_with_parent};
use system::opening;

/// Opens files for the host on standard input until it ends. Its `sources` are those of the host.
pub fn run(sources: Sources) -> anyhow::Result<()> {
    // It ends with its host, and ignores signals to both, as from a terminal: the host drains then.
    end_with_parent()?;
    SigSet::all().thread_block()?;
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // The inherited sockets of the host are unknown here.
    let sources = Sources {
        tls_is_given: true,
        ..sources
    };
    let config = sources.load();
    if let Ok(config) = &config {
        let mut access = Access::default();
        config.cache.iter().for_each(|cache| access.write(cache));
        confine_helper(config.sandbox, &access)?;
    }
    let cache = config.as_ref().ok().and_then(|config| config.cache.clone());
    let first = config.ok().map(|config| names(&sources, &config));
    let again = || sources.load().ok().map(|config| names(&sources, &config));
    let compile = |component, outcome| {
        let cache = cache.clone();
        let work = move || {
            let ended = compiler::compile(component, cache.as_deref());
            let ended = ended.unwrap_or_else(|error| format!("did not run: {error}"));
            // The host may have ended.
            let _ = UnixStream::from(outcome).write_all(ended.as_bytes());
        };
        thread::Builder::new().spawn(work).map(drop)
    };
    let first = first.unwrap_or_default();
    Ok(opening::helper::serve(&stream, first, again, compile)?)
}
