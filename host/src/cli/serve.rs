//! `echo-host serve`.

use super::control::ControlArgs;
use super::host;
use super::inherited;
use super::log;
use super::options::Given;
use super::output;
use super::privileges;
use super::variables;
use super::{signals, sockets};
use anyhow::Context;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use echo_host::address::Endpoint;
use echo_host::config::{HostConfig, Place, Sources};
use echo_host::limits::MAX_BLOCKING_THREADS;
use echo_host::listener::standard_error_is_the_clients;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use tokio::runtime::{Builder, Runtime};

/// Serve a handler
///
/// Accepts connections, cuts messages out of what clients send, lets the handler compute the replies
/// and writes them in order. A client that has finished sending still gets all its replies. Every
/// option can also be given by the variable named with it, and by the key of that name in a configuration file,
/// which may have many services: options are for each of them then.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    #[command(flatten)]
    given: Given<true>,
    /// Read a configuration file; options and variables override what it says
    #[arg(short, long, value_name = "FILE", env = "ECHO_HOST_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    control: ControlArgs,
}

const EXAMPLES: &str = "\
Examples:
  echo-host serve                                          the built-in echo on port 8888
  echo-host serve hello.wasm --listen tcp://0.0.0.0:7000   reachable from other machines
  echo-host serve upper.wasm --framing lines --max-message 4KiB
  echo-host serve counter.wasm --isolation shared          one counter for all clients
  echo-host serve unzip.wasm --then upper.wasm             the reply of one is the message of the next
  echo-host serve --config echo-host.toml                  many services at once
  ECHO_HOST_LISTEN=tcp://127.0.0.1:0,tcp://[::1]:0 echo-host serve";

#[derive(Debug, Parser)]
#[command(name = "echo-host")]
struct FromEnvironment {
    #[command(flatten)]
    serve: ServeArgs,
}

impl FromEnvironment {
    fn parse(command: &str, options: &[OsString]) -> ServeArgs {
        let all = [OsString::from(command)].into_iter();
        let mut known = variables::prepare(Self::command());
        let found = known
            .try_get_matches_from_mut(all.chain(options.iter().cloned()))
            .unwrap_or_else(|error| error.exit());
        match Self::from_arg_matches(&found) {
            Ok(given) => given.serve,
            Err(error) => error.format(&mut known).exit(),
        }
    }
}

impl ServeArgs {
    /// The defaults, and what variables say otherwise.
    pub fn from_environment() -> Self {
        FromEnvironment::parse("echo-host", &[])
    }

    /// These options and arguments, and what variables say besides. Exits by itself on wrong usage, as for a command.
    pub fn from_options(options: &[OsString]) -> Self {
        FromEnvironment::parse("echo-host serve", options)
    }

    /// What was said, here and in the file.
    pub fn sources(&self) -> Sources {
        let mut given = self.given.clone();
        if self.control.no_control {
            given.host.control = Some(Place::Off);
        }
        given.service.drain_timeout = given.host.drain_timeout;
        Sources {
            file: self.config.clone(),
            host: given.host,
            service: given.service,
            listener: given.listener,
            tls_is_given: inherited::brings_tls(),
        }
    }
}

/// Serves. The arguments were made of these options.
pub fn run(args: &ServeArgs, options: &[OsString]) -> anyhow::Result<()> {
    let sources = args.sources();
    let config = sources.load()?;
    if !serves_stdio(&config) || !standard_error_is_the_clients() {
        log::start_queued(config.log_format, config.log_level);
    }
    // systemd passes the client's own socket both ways (Accept=yes).
    let inherited = match serves_stdio(&config) {
        true => Vec::new(),
        false => inherited::sockets()?,
    };
    let hangups = signals::hangups_wanted();
    let mut predecessor = args.control.predecessor(config.control.as_ref())?;
    privileges::check(&config)?;
    // This order is part of the sandbox. All of it happens while there is one thread: what a thread gives up, those
    // that are older than that still have.
    let sockets = sockets::bind(&sources, &config, &mut predecessor, inherited)?;
    let helper = privileges::give_up(&sources, &config, predecessor.as_ref(), &sockets, options)?;
    output::start();
    let runtime = runtime(config.workers).context("cannot start the worker threads")?;
    let result = runtime.block_on(host::run(
        sources,
        config,
        predecessor,
        sockets,
        helper,
        hangups,
    ));
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
