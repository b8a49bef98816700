//! `echo-host serve`.

use super::control::ControlArgs;
use super::datagrams::DatagramArgs;
use super::doors::DoorArgs;
use super::guest::{GuestArgs, said};
use super::isolation::IsolationArg;
use super::log::LogArgs;
use super::privileges::PrivilegeArgs;
use super::rates::RateArgs;
use super::swapping::SwapArgs;
use super::variables::{self, Items, lines, parsed, paths};
use clap::builder::PathBufValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use connection::address::Endpoint;
use connection::framing::Framing;
use daemon::config::{
    HostSettings, MessageSize, OptionalNumber, OptionalTime, ServiceSettings, Size, Sources, Time,
};
use daemon::process;
use engine::Isolation;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Serve a handler
///
/// Accepts connections, cuts messages out of what clients send, lets the handler compute the replies
/// and writes them in order. A client that has finished sending still gets all its replies. Every
/// option can also be given by the variable named with it, and by the key of that name in a configuration file,
/// which may have many services: options are for each of them then.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// The handler: a component in binary (.wasm) or text (.wat) form [default: the built-in echo]
    #[arg(env = "ECHO_HOST_HANDLER")]
    handler: Option<PathBuf>,
    /// Another responder, which is given what the one before it replies (repeatable; in the variable, one a
    /// line)
    #[arg(
        long,
        value_name = "HANDLER",
        value_parser = lines(PathBufValueParser::new()),
        env = "ECHO_HOST_THEN"
    )]
    then: Vec<Items<PathBuf>>,
    /// A configuration file. Options and variables override what it says
    #[arg(short, long, value_name = "FILE", env = "ECHO_HOST_CONFIG")]
    config: Option<PathBuf>,
    /// Where to listen: tcp://ADDR:PORT, tls://ADDR:PORT, udp://ADDR:PORT, unix:PATH or stdio:; port 0 lets
    /// the system choose (repeatable; in the variable, separated by commas). Sockets that systemd passes are served instead [default: tcp://127.0.0.1:8888]
    #[arg(
        short,
        long,
        value_name = "URI",
        value_parser = paths(parsed::<Endpoint>()),
        env = "ECHO_HOST_LISTEN"
    )]
    listen: Vec<Items<Endpoint>>,
    /// How messages are cut out of the stream: chunks, lines, length-prefixed:1|2|4, delimited:HEX or
    /// fixed:N [default: what the handler declares, or chunks]
    #[arg(long, value_name = "FRAMING", env = "ECHO_HOST_FRAMING")]
    framing: Option<Framing>,
    /// What shares an instance of the handler [default: connection]
    #[arg(long, value_name = "WHAT", value_enum, env = "ECHO_HOST_ISOLATION")]
    isolation: Option<IsolationArg>,
    /// Threads that serve [default: one for each core]
    #[arg(long, value_name = "N", env = "ECHO_HOST_WORKERS")]
    workers: Option<NonZeroUsize>,
    #[command(flatten)]
    guest: GuestArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    rates: RateArgs,
    #[command(flatten)]
    doors: DoorArgs,
    #[command(flatten)]
    datagrams: DatagramArgs,
    #[command(flatten)]
    swapping: SwapArgs,
    #[command(flatten)]
    privileges: PrivilegeArgs,
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
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_MESSAGE")]
    max_message: Option<MessageSize>,
    /// Bytes that may wait to be sent on one connection of a conversation; a client that reads more slowly
    /// than it is written to is disconnected [default: 1MiB]
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_UNSENT")]
    max_unsent: Option<Size>,
    /// Connections served at once; further clients wait [default: 1000]
    #[arg(long, value_name = "N", env = "ECHO_HOST_MAX_CONNECTIONS")]
    max_connections: Option<NonZeroUsize>,
    /// Connections that clients with one address, or in one IPv6 network of 64 bits, may have at once; further
    /// ones are closed; off for any number [default: 500]
    #[arg(long, value_name = "N", env = "ECHO_HOST_MAX_CONNECTIONS_PER_IP")]
    max_connections_per_ip: Option<OptionalNumber>,
    /// Connections that one user of this machine may have at once by Unix sockets; further ones are closed; off for
    /// any number [default: 500]
    #[arg(long, value_name = "N", env = "ECHO_HOST_MAX_CONNECTIONS_PER_UID")]
    max_connections_per_uid: Option<OptionalNumber>,
    /// Memory that all instances of all handlers may have together [default: three quarters of the machine's, or of
    /// what the host's control group may have]
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_GUEST_MEMORY")]
    max_guest_memory: Option<Size>,
    /// Memory that the host keeps when instances are gone, for those to come; more makes new connections cheaper, up
    /// to 256 KiB for each place of an instance [default: 128MiB]
    #[arg(long, value_name = "SIZE", env = "ECHO_HOST_MAX_WARM_MEMORY")]
    max_warm_memory: Option<Size>,
    /// Close a connection on which no byte moves for so long; off for never [default: 10min]
    #[arg(long, value_name = "TIME", env = "ECHO_HOST_IDLE_TIMEOUT")]
    idle_timeout: Option<OptionalTime>,
    /// How long open connections may go on after SIGINT or SIGTERM [default: 10s]; if it is given, also
    /// with a handler that was swapped out
    #[arg(long, value_name = "TIME", env = "ECHO_HOST_DRAIN_TIMEOUT")]
    drain_timeout: Option<Time>,
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
        Sources {
            file: self.config.clone(),
            host: HostSettings {
                workers: self.workers,
                max_connections: self.limits.max_connections,
                max_connections_per_ip: self.limits.max_connections_per_ip,
                max_connections_per_uid: self.limits.max_connections_per_uid,
                max_guest_memory: self.limits.max_guest_memory,
                max_warm_memory: self.limits.max_warm_memory,
                drain_timeout: self.limits.drain_timeout,
                cache: self.guest.cache.clone(),
                control: self.control.place(),
                metrics: self.control.metrics(),
                log_format: self.log.format(),
                log_level: self.log.level(),
                ..self.privileges.settings().or(self.rates.of_addresses())
            },
            service: self
                .service()
                .or(self.rates.of_services())
                .or(self.guest.settings())
                .or(self.swapping.settings()),
            listener: self.doors.settings().or(self.datagrams.settings()),
            tls_is_given: process::brings_tls(),
        }
    }

    fn service(&self) -> ServiceSettings {
        let listen = said(&self.listen);
        ServiceSettings {
            handler: self.handler.clone(),
            then: said(&self.then),
            listen: listen.map(|all| all.into_iter().map(Into::into).collect()),
            framing: self.framing.clone(),
            isolation: self.isolation.map(Isolation::from),
            max_message: self.limits.max_message,
            max_unsent: self.limits.max_unsent,
            idle_timeout: self.limits.idle_timeout,
            drain_timeout: self.limits.drain_timeout,
            ..ServiceSettings::default()
        }
    }
}

/// Serves. The arguments were made of these options.
pub fn run(args: &ServeArgs, options: &[OsString]) -> anyhow::Result<()> {
    let sources = args.sources();
    let config = sources.load()?;
    let takes_over = args.control.takes_over(config.control.as_ref());
    process::serve(sources, config, takes_over, options)
}
