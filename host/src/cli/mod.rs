//! The command line, and the only module that names clap. Each subcommand turns its flags into
//! plain data and hands over.

mod check;
mod connections;
mod control;
mod demos;
mod disconnect;
pub mod exit;
mod handler;
mod history;
mod log;
mod manual;
mod options;
mod output;
mod pages;
mod printable;
mod reference;
mod reload;
mod serve;
mod short_help;
mod status;
mod swap;
mod table;
#[cfg(feature = "tools")]
mod tools;
mod variables;
mod watch;
mod which;
mod words;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use daemon::process::{compiler, helper, helping};
use std::env;
use std::path::PathBuf;
use system::opening::compile_with;

#[derive(Debug, Parser)]
#[command(name = "echo-host", version, max_term_width = 100, after_help = format!("{EXAMPLES}{TOOL_EXAMPLES}\n\n{EXIT_CODES}"))]
/// inetd for WebAssembly components: the host owns the sockets, a sandboxed component replies
///
/// Without a command, echo-host serves the built-in echo on tcp://127.0.0.1:8888.
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  echo-host                                      echo on tcp://127.0.0.1:8888
  echo-host serve hello                          a demo, same port; `echo-host demos` lists all
  echo-host serve hello.wasm                     a handler of yours
  echo-host serve hello.wasm --listen tcp://[::1]:0
  echo-host serve --config echo-host.toml        serve many services
  echo-host check hello.wasm                     check whether it can be served
  echo-host status                               show the state of the running host
  echo-host connections                          list its connections
  echo-host disconnect 4711                      end one of them
  echo-host swap hello.wasm                      swap its handler without a restart
  echo-host reload                               apply a changed configuration file";

#[cfg(not(feature = "tools"))]
const TOOL_EXAMPLES: &str = "";
#[cfg(feature = "tools")]
use tools::EXAMPLES as TOOL_EXAMPLES;

const EXIT_CODES: &str = "\
Exit codes:
  0    success; for serve, drained after SIGINT, SIGTERM or a takeover
  2    wrong usage
  65   bad handler: unreadable, not a component, wrong world, trap, failed test or swap
  69   cannot listen on an address, or cannot reach a server or the running host
  70   internal error
  74   input or output failed
  78   invalid configuration or file of recorded exchanges, refused reload, missing tools
  130  stopped at once by a second SIGINT (143 by a second SIGTERM)";

#[cfg(feature = "tools")]
pub use tools::code as code_of_tool;

/// The exit code of a tool's error; there are no tools in this build.
#[cfg(not(feature = "tools"))]
pub fn code_of_tool(_: &(dyn std::error::Error + 'static)) -> Option<u8> {
    None
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::ServeArgs>),
    Check(Box<check::CheckArgs>),
    Demos(demos::DemosArgs),
    Status(status::StatusArgs),
    Connections(connections::ConnectionsArgs),
    Disconnect(disconnect::DisconnectArgs),
    Swap(swap::SwapArgs),
    Reload(reload::ReloadArgs),
    #[cfg(feature = "tools")]
    #[command(flatten)]
    Tool(tools::Command),
    Man(pages::ManArgs),
    Completions(pages::CompletionsArgs),
}

/// Runs the command of this process. On wrong usage, exits with clap's message and code.
pub fn run() -> anyhow::Result<()> {
    let mut args = env::args_os().skip(1);
    let first = args.next().unwrap_or_default();
    if first == helper::NAME {
        return helping::run(serve::ServeArgs::from_options(&args.collect::<Vec<_>>()).sources());
    }
    if first == reference::NAME {
        return reference::run(&args.next().unwrap_or_default().to_string_lossy());
    }
    if first == words::NAME {
        return words::run(&args.collect::<Vec<_>>());
    }
    if first == compiler::NAME {
        return compiler::run(args.next().map(PathBuf::from).as_deref());
    }
    compile_with(compiler::compile);
    // The options of `serve`, if that is the command.
    let options: Vec<_> = env::args_os().skip(2).collect();
    let mut known = variables::prepare(Cli::command());
    if env::args_os().any(|arg| arg == "-h") {
        known = known.mut_subcommand("serve", short_help::shorten);
    }
    let found = known.get_matches_mut();
    let cli = Cli::from_arg_matches(&found).unwrap_or_else(|error| error.format(&mut known).exit());
    let command = match cli.command {
        Some(command) => command,
        // Parsed again, so that environment variables apply.
        None => Command::Serve(Box::new(serve::ServeArgs::from_environment())),
    };
    match command {
        Command::Serve(args) => serve::run(&args, &options),
        Command::Check(args) => check::run(&args),
        Command::Demos(_) => demos::run(),
        Command::Status(args) => status::run(&args),
        Command::Connections(args) => connections::run(&args),
        Command::Disconnect(args) => disconnect::run(&args),
        Command::Swap(args) => swap::run(&args),
        Command::Reload(args) => reload::run(&args),
        #[cfg(feature = "tools")]
        Command::Tool(tool) => tool.run(),
        Command::Man(args) => pages::man(&args, Cli::command()),
        Command::Completions(args) => pages::completions(&args, Cli::command()),
    }
}
