//! Which messages share an instance.

use serde::Deserialize;
use std::fmt;

/// What is kept apart from what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Each connection has an instance of its own: what one does can't be seen in another.
    #[default]
    Connection,
    /// One instance serves all connections, one message at a time. If it fails, the connection whose
    /// message it was is closed (with a conversation, all whose sessions it held) and a fresh instance
    /// serves the next.
    Shared,
    /// Each message has an instance of its own: nothing at all is remembered. For responders only.
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
