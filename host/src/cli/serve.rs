//! `echo-host serve`.

use super::control::ControlArgs;
use super::options::Given;
use super::variables;
use clap::builder::UnknownArgumentValueParser;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use config::{OptionalPath, Sources};
use daemon::process;
use std::ffi::OsString;
use std::path::PathBuf;

/// Serve a handler
///
/// Accepts connections, splits the stream into messages, and sends the replies of the handler in
/// order. A client that has finished sending still gets all replies. Every option can also be set
/// by its variable, and by the key of the same name in a configuration file. A flag overrides its
/// variable, a variable the file. Flags apply to every service of the file.
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
    /// What other servers call it
    #[arg(long, aliases = ["bind", "host", "address"], hide = true, num_args = 0..=1, default_missing_value = "",
        value_parser = UnknownArgumentValueParser::suggest("use '--listen tcp://ADDR:PORT'"))]
    port: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  echo-host serve                                          the built-in echo on port 8888
  echo-host serve hello.wasm --listen tcp://0.0.0.0:7000   reachable from other machines
  echo-host serve reverse.wasm --max-message 4KiB          messages of 4 KiB at most
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

    /// These options and arguments, and environment variables. Exits on wrong usage, as for a
    /// command.
    pub fn from_options(options: &[OsString]) -> Self {
        FromEnvironment::parse("echo-host serve", options)
    }

    /// The settings given here and in the file.
    pub fn sources(&self) -> Sources {
        let mut given = self.given.clone();
        if self.control.no_control {
            given.host.control = Some(OptionalPath::Off);
        }
        given.service.drain_timeout = given.host.drain_timeout;
        Sources {
            file: self.config.clone(),
            host: given.host,
            service: given.service,
            listener: given.listener,
            tls_is_given: process::brings_tls(),
            is_author: false,
        }
    }
}

/// Serves. The arguments were made of these options.
pub fn run(args: &ServeArgs, options: &[OsString]) -> anyhow::Result<()> {
    run_with(args.sources(), &args.control, options)
}

/// The same for the author of the handler.
#[cfg(feature = "tools")]
pub fn run_for_author(args: &ServeArgs, options: &[OsString]) -> anyhow::Result<()> {
    let mut sources = args.sources();
    sources.is_author = true;
    run_with(sources, &args.control, options)
}

fn run_with(sources: Sources, control: &ControlArgs, options: &[OsString]) -> anyhow::Result<()> {
    let config = sources.load()?;
    let takes_over = control.takes_over(config.control.as_ref());
    process::serve(sources, config, takes_over, options)
}
