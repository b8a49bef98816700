//! The command line: the only part that names clap. Each subcommand turns its flags into the library's
//! plain data and hands over.

mod check;
mod control;
pub mod exit;
mod handler;
mod log;
mod options;
mod pages;
mod printable;
mod reference;
mod reload;
mod serve;
mod status;
mod swap;
#[cfg(feature = "tools")]
mod tools;
mod variables;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use daemon::process::{compiler, helper, helping};
use std::env;
use std::path::PathBuf;
use system::opening::compile_with;

#[derive(Debug, Parser)]
#[command(name = "echo-host", version, max_term_width = 100, after_help = format!("{EXAMPLES}{TOOL_EXAMPLES}\n\n{EXIT_CODES}"))]
/// inetd for WebAssembly components: the host owns the sockets, a sandboxed component computes every
/// reply.
///
/// Without a subcommand it serves the built-in echo on tcp://127.0.0.1:8888.
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  echo-host                                      echo on tcp://127.0.0.1:8888
  echo-host serve hello.wasm                     another handler, same port
  echo-host serve hello.wasm --listen tcp://[::1]:0
  echo-host serve --config echo-host.toml        many services, in one file
  echo-host check hello.wasm                     would it be served?
  echo-host status                               how is the running host doing?
  echo-host swap hello.wasm                      another handler for it, without a restart
  echo-host reload                               the file has changed";

#[cfg(not(feature = "tools"))]
const TOOL_EXAMPLES: &str = "";
#[cfg(feature = "tools")]
use tools::EXAMPLES as TOOL_EXAMPLES;

const EXIT_CODES: &str = "\
Exit codes:
  0    done; for serve, stopped by SIGINT or SIGTERM or taken over, and drained
  2    wrong usage
  65   the handler is bad: unreadable, no component, of another world, trapped, failed test or swap
  69   cannot listen on, or connect to, an address, or the running host
  70   internal error
  74   input or output failed
  78   the configuration, or a file of recorded exchanges, makes no sense
  130  stopped at once by a second SIGINT (143 by a second SIGTERM)";

#[cfg(feature = "tools")]
pub use tools::code as code_of_tool;

/// The exit code for an error of a tool, of which there is none here.
#[cfg(not(feature = "tools"))]
pub fn code_of_tool(_: &(dyn std::error::Error + 'static)) -> Option<u8> {
    None
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::ServeArgs>),
    Check(Box<check::CheckArgs>),
    Status(status::StatusArgs),
    Swap(swap::SwapArgs),
    Reload(reload::ReloadArgs),
    #[cfg(feature = "tools")]
    #[command(flatten)]
    Tool(tools::Command),
    Man(pages::ManArgs),
    Completions(pages::CompletionsArgs),
}

/// Runs what the process was started with. Exits by itself on wrong usage, with clap's message and
/// code.
pub fn run() -> anyhow::Result<()> {
    let mut args = env::args_os().skip(1);
    let first = args.next().unwrap_or_default();
    if first == helper::NAME {
        return helping::run(serve::ServeArgs::from_options(&args.collect::<Vec<_>>()).sources());
    }
    if first == reference::NAME {
        return reference::run(&args.next().unwrap_or_default().to_string_lossy());
    }
    if first == compiler::NAME {
        return compiler::run(args.next().map(PathBuf::from).as_deref());
    }
    compile_with(compiler::compile);
    // What `serve` was told, if it is that.
    let options: Vec<_> = env::args_os().skip(2).collect();
    let mut known = variables::prepare(Cli::command());
    let found = known.get_matches_mut();
    let cli = Cli::from_arg_matches(&found).unwrap_or_else(|error| error.format(&mut known).exit());
    let command = match cli.command {
        Some(command) => command,
        // Parsed again, so that variables count here too.
        None => Command::Serve(Box::new(serve::ServeArgs::from_environment())),
    };
    match command {
        Command::Serve(args) => serve::run(&args, &options),
        Command::Check(args) => check::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Swap(args) => swap::run(&args),
        Command::Reload(args) => reload::run(&args),
        #[cfg(feature = "tools")]
        Command::Tool(tool) => tool.run(),
        Command::Man(args) => pages::man(&args, Cli::command()),
        Command::Completions(args) => pages::completions(&args, Cli::command()),
    }
}
