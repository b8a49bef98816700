//! `echo-host serve`.

use super::control::ControlArgs;
use super::doors::DoorArgs;
use super::guest::GuestArgs;
use super::host;
use super::inherited;
use super::isolation::IsolationArg;
use super::log::{self, LogArgs};
use super::swapping::SwapArgs;
use super::values::{OptionalTime, message, optional_time, size, time};
use anyhow::Context;
use clap::{Args, Parser};
use echo_host::address::Endpoint;
use echo_host::config::ServeConfig;
use echo_host::engine::HandlerSource;
use echo_host::framing::Framing;
use echo_host::limits::ServerLimits;
use echo_host::listener::standard_error_is_the_clients;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Serve a handler over TCP
///
/// Accepts connections, cuts messages out of what clients send, lets the handler compute the replies
/// and writes them in order. A client that has finished sending still gets all its replies. Every
/// option can also be given by the variable named with it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// The handler: a component in binary (.wasm) or text (.wat) form [default: the built-in echo]
    #[arg(env = "ECHO_HOST_HANDLER")]
    handler: Option<PathBuf>,
    /// Where to listen: tcp://ADDR:PORT, tls://ADDR:PORT, unix:PATH or stdio:; port 0 lets the system choose (repeatable; in the variable, separated by commas). Sockets
    /// that systemd passes are served instead
    #[arg(
        short,
        long,
        value_name = "URI",
        default_value = "tcp://127.0.0.1:8888",
        value_delimiter = ',',
        env = "ECHO_HOST_LISTEN"
    )]
    listen: Vec<Endpoint>,
    /// How messages are cut out of the stream: chunks, lines, length-prefixed:1|2|4, delimited:HEX or
    /// fixed:N [default: what the handler declares, or chunks]
    #[arg(long, value_name = "FRAMING", env = "ECHO_HOST_FRAMING")]
    framing: Option<Framing>,
    /// What shares an instance of the handler
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = IsolationArg::Connection, env = "ECHO_HOST_ISOLATION")]
    isolation: IsolationArg,
    /// Threads that serve [default: one for each core]
    #[arg(long, value_name = "N", env = "ECHO_HOST_WORKERS")]
    workers: Option<NonZeroUsize>,
    #[command(flatten)]
    guest: GuestArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    doors: DoorArgs,
    #[command(flatten)]
    swapping: SwapArgs,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// The longest message; a client that sends a longer one is disconnected [default: 1MiB, or less if
    /// the handler declares less]
    #[arg(long, value_name = "SIZE", value_parser = message, env = "ECHO_HOST_MAX_MESSAGE")]
    max_message: Option<usize>,
    /// Bytes that may wait to be sent on one connection of a conversation; a client that reads more slowly
    /// than it is written to is disconnected
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1MiB", env = "ECHO_HOST_MAX_UNSENT")]
    max_unsent: usize,
    /// Connections served at once; further clients wait
    #[arg(
        long,
        value_name = "N",
        default_value = "1000",
        env = "ECHO_HOST_MAX_CONNECTIONS"
    )]
    max_connections: NonZeroUsize,
    /// Close a connection on which no byte moves for so long; off for never
    #[arg(long, value_name = "TIME", value_parser = optional_time, default_value = "10min", env = "ECHO_HOST_IDLE_TIMEOUT")]
    idle_timeout: OptionalTime,
    /// How long open connections may go on after SIGINT or SIGTERM [default: 10s]; if it is given, also
    /// with a handler that was swapped out
    #[arg(long, value_name = "TIME", value_parser = time, env = "ECHO_HOST_DRAIN_TIMEOUT")]
    drain_timeout: Option<Duration>,
}

/// How long open connections may go on after a signal where the operator says nothing.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  echo-host serve                                          the built-in echo on port 8888
  echo-host serve hello.wasm --listen tcp://0.0.0.0:7000   reachable from other machines
  echo-host serve upper.wasm --framing lines --max-message 4KiB
  echo-host serve counter.wasm --isolation shared          one counter for all clients
  ECHO_HOST_LISTEN=tcp://127.0.0.1:0,tcp://[::1]:0 echo-host serve";

#[derive(Debug, Parser)]
#[command(name = "echo-host")]
struct FromEnvironment {
    #[command(flatten)]
    serve: ServeArgs,
}

impl ServeArgs {
    /// The defaults, and what variables say otherwise.
    pub fn from_environment() -> Self {
        FromEnvironment::parse_from(["echo-host"]).serve
    }

    fn config(&self) -> ServeConfig {
        let handler = match &self.handler {
            Some(path) => HandlerSource::File(path.clone()),
            None => HandlerSource::BuiltInEcho,
        };
        ServeConfig {
            grants: self.guest.grants(&handler),
            handler,
            listen: self.listen.clone(),
            doors: self.doors.config(),
            framing: self.framing.clone(),
            max_message_bytes: self.limits.max_message,
            max_unsent_bytes: self.limits.max_unsent,
            isolation: self.isolation.into(),
            cache: self.guest.cache(),
            guest_limits: self.guest.limits(),
            idle_timeout: self.limits.idle_timeout.0,
            server_limits: ServerLimits {
                max_connections: self.limits.max_connections.get(),
                drain_timeout: self.limits.drain_timeout.unwrap_or(DRAIN_TIMEOUT),
            },
            watch: self.swapping.watch,
            swap: self.swapping.config(self.limits.drain_timeout),
            workers: self.workers.map(NonZeroUsize::get),
        }
    }
}

pub fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = args.config();
    let on_stdio = config.listen.contains(&Endpoint::Stdio);
    if !on_stdio || !standard_error_is_the_clients() {
        log::start(&args.log);
    }
    config.check()?;
    let inherited = inherited::sockets()?;
    let runtime = runtime(config.workers).context("cannot start the worker threads")?;
    let result = runtime.block_on(host::run(config, &args.control, inherited));
    // A file operation of a guest may still be under way; nobody waits for its result.
    runtime.shutdown_background();
    result
}

fn runtime(workers: Option<usize>) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(workers) = workers {
        builder.worker_threads(workers);
    }
    builder.enable_all().build()
}
