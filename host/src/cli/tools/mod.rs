//! Commands that a daemon does not need: creating, testing, recording and measuring. A package may
//! omit them (feature `tools`).

mod bench;
mod call;
mod connect;
mod dev;
mod doctor;
mod junit;
mod language;
mod new;
mod profile;
mod record;
mod script;
mod side_by_side;
mod tap;
mod test;
mod trial;

use super::exit::{BAD_HANDLER, CONFIGURATION, IO, USAGE};
use clap::Subcommand;
use doctor::CannotBuildError;
use std::error::Error;
use test::{NothingToPlay, OtherwiseError};
use tools::project::{BuildError, ProjectError};
use tools::record::RecordingError;
use tools::scaffold::ScaffoldError;

pub const EXAMPLES: &str = "
  echo-host new shout                            start a new handler
  echo-host doctor                               show which tools of languages are here
  echo-host dev                                  build and serve the handler in this directory
  echo-host test hello.wasm hello.exchange       replay recorded exchanges
  echo-host call hello.wasm 'Hi!'                one message, no sockets
  echo-host connect tcp://127.0.0.1:8888         connect to a server
  echo-host record tcp://127.0.0.1:8888 a.exchange  record live traffic
  echo-host tap                                  show what clients and handlers send
  echo-host profile                              show in which functions handlers compute
  echo-host bench tcp://127.0.0.1:8888           measure its speed";

#[derive(Debug, Subcommand)]
pub enum Command {
    New(new::NewArgs),
    Doctor(doctor::DoctorArgs),
    Dev(dev::DevArgs),
    Test(Box<test::TestArgs>),
    Call(Box<call::CallArgs>),
    Connect(connect::ConnectArgs),
    Record(record::RecordArgs),
    Tap(tap::TapArgs),
    Profile(profile::ProfileArgs),
    Bench(bench::BenchArgs),
}

impl Command {
    pub fn run(&self) -> anyhow::Result<()> {
        match self {
            Command::New(args) => new::run(args),
            Command::Doctor(args) => doctor::run(args),
            Command::Dev(args) => dev::run(args),
            Command::Test(args) => test::run(args),
            Command::Call(args) => call::run(args),
            Command::Connect(args) => connect::run(args),
            Command::Record(args) => record::run(args),
            Command::Tap(args) => tap::run(args),
            Command::Profile(args) => profile::run(args),
            Command::Bench(args) => bench::run(args),
        }
    }
}

/// The exit code of errors of these commands.
pub fn code(cause: &(dyn Error + 'static)) -> Option<u8> {
    if cause.is::<NothingToPlay>() {
        Some(USAGE)
    } else if cause.is::<OtherwiseError>() || cause.is::<BuildError>() {
        Some(BAD_HANDLER)
    } else if cause.is::<ProjectError>() || cause.is::<CannotBuildError>() {
        Some(CONFIGURATION)
    } else if cause.is::<RecordingError>() || cause.is::<ScaffoldError>() {
        Some(IO)
    } else {
        None
    }
}
