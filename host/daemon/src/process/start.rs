//! Starts a process that serves a configuration. The order is part of the sandbox: a thread that is
//! older than a restriction does not have it, so there is only one thread until all of them apply.

use super::{control, inherited, privileges, run, signals, sockets};
use crate::logs::{self, output};
use anyhow::Context;
use config::{HostConfig, Sources};
use connection::limits::MAX_BLOCKING_THREADS;
use server::listener::standard_error_is_the_clients;
use server::workers::Workers;
use std::ffi::OsString;
use std::io;
use std::num::NonZeroUsize;
use std::thread;
use tokio::runtime::{Builder, Runtime};

/// Serves `config`, read from `sources`, until a stop signal or a takeover. The helper of a
/// confined host gets the same `options`.
pub fn serve(
    sources: Sources,
    config: HostConfig,
    takes_over: bool,
    options: &[OsString],
) -> anyhow::Result<()> {
    if !config.serves_stdio() || !standard_error_is_the_clients() {
        logs::start_queued(config.log_format, config.log_level);
    }
    // systemd passes the client's socket both ways (Accept=yes).
    let inherited = if config.serves_stdio() {
        Vec::new()
    } else {
        inherited::sockets()?
    };
    let hangups = signals::hangups_wanted();
    let mut predecessor = if takes_over {
        Some(control::predecessor(config.control.as_ref())?)
    } else {
        None
    };
    // Later the process may have denied itself to look.
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    config.wipe.prepare()?;
    privileges::check(&config)?;
    let sockets = sockets::bind(&sources, &config, &mut predecessor, inherited)?;
    let helper = privileges::give_up(&sources, &config, predecessor.as_ref(), &sockets, options)?;
    output::start();
    let workers = Workers::start(config.workers.unwrap_or(cores));
    let workers = workers.context("cannot start the worker threads")?;
    let runtime = runtime().context("cannot start the runtime of the main thread")?;
    let running = run::run(
        workers,
        sources,
        config,
        predecessor,
        sockets,
        helper,
        hangups,
    );
    let result = runtime.block_on(running);
    // A guest's file operation may still be running; nobody waits for its result.
    runtime.shutdown_background();
    result
}

/// Checks what of `serve` does not need the handlers. Binds all sockets if asked, and closes them.
pub fn check(sources: &Sources, config: &HostConfig, binds: bool) -> anyhow::Result<()> {
    config.wipe.prepare()?;
    privileges::check(config)?;
    if binds {
        drop(sockets::bind(sources, config, &mut None, Vec::new())?);
        // Without a path of its own, a host can do without one.
        drop(control::socket(config.control.as_ref(), None, false)?);
    }
    Ok(())
}

/// Everything but connections runs on the main thread.
fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_current_thread();
    // Tokio's default is 512, and each keeps some memory.
    builder.max_blocking_threads(MAX_BLOCKING_THREADS);
    builder.enable_all().build()
}
