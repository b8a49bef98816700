//! The command line: the only part that names clap. Each subcommand turns its flags into the library's
//! plain data and hands over.

mod bench;
mod call;
mod check;
mod compiler;
mod connect;
mod control;
mod dev;
pub mod exit;
mod handler;
mod helper;
mod helping;
mod host;
mod inherited;
mod junit;
mod log;
mod metrics;
mod new;
mod operator;
mod options;
pub mod output;
mod pages;
mod printable;
mod privileges;
mod record;
mod reference;
mod reload;
mod serve;
mod signals;
mod sockets;
mod status;
mod supervisor;
mod swap;
mod test;
mod variables;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use echo_host::opening::compile_with;
use std::env;
use std::path::PathBuf;

#[derive(Debug, Parser)]
#[command(name = "echo-host", version, max_term_width = 100, after_help = AFTER_HELP)]
/// inetd for WebAssembly components: the host owns the sockets, a sandboxed component computes every
/// reply.
///
/// Without a subcommand it serves the built-in echo on tcp://127.0.0.1:8888.
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Examples:
  echo-host new shout                            begin a handler
  echo-host                                      echo on tcp://127.0.0.1:8888
  echo-host serve hello.wasm                     another handler, same port
  echo-host serve hello.wasm --listen tcp://[::1]:0
  echo-host connect tcp://127.0.0.1:8888         talk to it
  echo-host call hello.wasm 'Hi!'                one message, no sockets
  echo-host check hello.wasm                     would it be served?
  echo-host test hello.wasm hello.exchange       does it answer as recorded?
  echo-host record tcp://127.0.0.1:8888 a.exchange  make such a file of live traffic
  echo-host dev                                  build and serve the handler of this folder
  echo-host bench tcp://127.0.0.1:8888           how fast is it?
  echo-host status                               how is the running host doing?
  echo-host swap hello.wasm                      another handler for it, without a restart
  echo-host serve --config echo-host.toml        many services, in one file
  echo-host reload                               the file has changed

Exit codes:
  0    done; for serve, stopped by SIGINT or SIGTERM or taken over, and drained
  2    wrong usage
  65   the handler is bad: unreadable, no component, of another world, trapped, failed test or swap
  69   cannot listen on, or connect to, an address, or the running host
  70   internal error
  74   input or output failed
  78   the configuration, or a file of recorded exchanges, makes no sense
  130  stopped at once by a second SIGINT (143 by a second SIGTERM)";

#[derive(Debug, Subcommand)]
enum Command {
    New(new::NewArgs),
    Serve(Box<serve::ServeArgs>),
    Connect(connect::ConnectArgs),
    Call(call::CallArgs),
    Check(check::CheckArgs),
    Test(Box<test::TestArgs>),
    Record(record::RecordArgs),
    Dev(dev::DevArgs),
    Bench(bench::BenchArgs),
    Status(status::StatusArgs),
    Swap(swap::SwapArgs),
    Reload(reload::ReloadArgs),
    Man(pages::ManArgs),
    Completions(pages::CompletionsArgs),
}

/// Runs what the process was started with. Exits by itself on wrong usage, with clap's message and
/// code.
pub fn run() -> anyhow::Result<()> {
    let mut args = env::args_os().skip(1);
    let first = args.next().unwrap_or_default();
    if first == helper::NAME {
        return helping::run(&serve::ServeArgs::from_options(&args.collect::<Vec<_>>()));
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
        Command::New(args) => new::run(&args),
        Command::Serve(args) => serve::run(&args, &options),
        Command::Connect(args) => connect::run(&args),
        Command::Call(args) => call::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Dev(args) => dev::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Swap(args) => swap::run(&args),
        Command::Reload(args) => reload::run(&args),
        Command::Man(args) => pages::man(&args, Cli::command()),
        Command::Completions(args) => pages::completions(&args, Cli::command()),
    }
}
