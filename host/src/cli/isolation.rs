//! `--isolation`, as people write it.

use clap::ValueEnum;
use engine::Isolation;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum IsolationArg {
    /// One instance for each connection
    Connection,
    /// One instance for all connections
    Shared,
    /// One instance for each message
    Message,
}

impl From<IsolationArg> for Isolation {
    fn from(arg: IsolationArg) -> Self {
        match arg {
            IsolationArg::Connection => Isolation::Connection,
            IsolationArg::Shared => Isolation::Shared,
            IsolationArg::Message => Isolation::Message,
        }
    }
}
