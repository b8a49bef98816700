//! From a configuration to a process that serves. The order is part of the sandbox: what a thread gives up, those that
//! are older than that still have, so there is one thread until all is given up.

use super::{control, inherited, privileges, run, signals, sockets};
use crate::config::{HostConfig, Sources};
use crate::logs::{self, output};
use anyhow::Context;
use connection::address::Endpoint;
use connection::limits::MAX_BLOCKING_THREADS;
use server::listener::standard_error_is_the_clients;
use std::ffi::OsString;
use std::io;
use tokio::runtime::{Builder, Runtime};

/// Serves what `config` wants, which came from these `sources`, until the process is told to stop or another host takes
/// over. The helper of a confined host is told the same `options`.
pub fn serve(
    sources: Sources,
    config: HostConfig,
    takes_over: bool,
    options: &[OsString],
) -> anyhow::Result<()> {
    if !serves_stdio(&config) || !standard_error_is_the_clients() {
        logs::start_queued(config.log_format, config.log_level);
    }
    // systemd passes the client's own socket both ways (Accept=yes).
    let inherited = if serves_stdio(&config) {
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
    privileges::check(&config)?;
    let sockets = sockets::bind(&sources, &config, &mut predecessor, inherited)?;
    let helper = privileges::give_up(&sources, &config, predecessor.as_ref(), &sockets, options)?;
    output::start();
    let runtime = runtime(config.workers).context("cannot start the worker threads")?;
    let running = run::run(sources, config, predecessor, sockets, helper, hangups);
    let result = runtime.block_on(running);
    // A file operation of a guest may still be under way; nobody waits for its result.
    runtime.shutdown_background();
    result
}

/// Whether it is started for one client, as by inetd.
pub fn serves_stdio(config: &HostConfig) -> bool {
    let mut listeners = config.services.iter().flat_map(|it| &it.listen);
    listeners.any(|listener| listener.uri == Endpoint::Stdio)
}

fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    // Tokio would have 512, and each keeps some memory.
    builder.max_blocking_threads(MAX_BLOCKING_THREADS);
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}
