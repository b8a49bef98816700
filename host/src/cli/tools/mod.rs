//! The commands that no daemon needs: writing, testing, recording and measuring. A package may leave them out (feature
//! `tools`).

mod bench;
mod call;
mod connect;
mod dev;
mod junit;
mod new;
mod record;
mod test;

use super::exit::{BAD_HANDLER, CONFIGURATION, IO};
use clap::Subcommand;
use std::error::Error;
use test::OtherwiseError;
use tools::project::{BuildError, ProjectError};
use tools::record::RecordingError;
use tools::scaffold::ScaffoldError;

pub const EXAMPLES: &str = "
  echo-host new shout                            begin a handler
  echo-host dev                                  build and serve the handler of this folder
  echo-host test hello.wasm hello.exchange       does it answer as recorded?
  echo-host call hello.wasm 'Hi!'                one message, no sockets
  echo-host connect tcp://127.0.0.1:8888         talk to a server
  echo-host record tcp://127.0.0.1:8888 a.exchange  record live traffic
  echo-host bench tcp://127.0.0.1:8888           how fast is it?";

#[derive(Debug, Subcommand)]
pub enum Command {
    New(new::NewArgs),
    Dev(dev::DevArgs),
    Test(Box<test::TestArgs>),
    Call(Box<call::CallArgs>),
    Connect(connect::ConnectArgs),
    Record(record::RecordArgs),
    Bench(bench::BenchArgs),
}

impl Command {
    pub fn run(&self) -> anyhow::Result<()> {
        match self {
            Command::New(args) => new::run(args),
            Command::Dev(args) => dev::run(args),
            Command::Test(args) => test::run(args),
            Command::Call(args) => call::run(args),
            Command::Connect(args) => connect::run(args),
            Command::Record(args) => record::run(args),
            Command::Bench(args) => bench::run(args),
        }
    }
}

/// The exit code for an error of these commands only.
pub fn code(cause: &(dyn Error + 'static)) -> Option<u8> {
    if cause.is::<OtherwiseError>() || cause.is::<BuildError>() {
        Some(BAD_HANDLER)
    } else if cause.is::<ProjectError>() {
        Some(CONFIGURATION)
    } else if cause.is::<RecordingError>() || cause.is::<ScaffoldError>() {
        Some(IO)
    } else {
        None
    }
}
