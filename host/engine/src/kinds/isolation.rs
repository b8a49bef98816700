//! Which connections or messages share an instance.

use serde::Deserialize;
use std::fmt;

/// What shares an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Each connection has its own instance.
    #[default]
    Connection,
    /// One instance serves all connections, one message at a time. If it fails, the connection of
    /// that message is closed (for a conversation, all connections with a session in it), and a new
    /// instance serves the next.
    Shared,
    /// Each message has its own instance: nothing is remembered. For responders only.
    Message,
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isolation::Connection => "connection",
            Isolation::Shared => "shared",
            Isolation::Message => "message",
        })
    }
}
