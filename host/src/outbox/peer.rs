//! Who is on the other side.

use std::sync::Arc;

/// How bytes reach a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// No network at all: one message given by hand.
    Stdio,
}

/// Who is on the other side of a connection, and through which door they came.
#[derive(Clone, Debug)]
pub struct Peer {
    /// How the bytes travel.
    pub transport: Transport,
    /// The client's address, or nothing where it has none.
    pub peer: String,
    /// The address it reached.
    pub local: String,
    /// The listener's URI.
    pub listener: Arc<str>,
}

impl Peer {
    /// Nobody that has an address: what is said comes from this process.
    pub fn unconnected() -> Self {
        Peer {
            transport: Transport::Stdio,
            peer: String::new(),
            local: String::new(),
            listener: "stdio:".into(),
        }
    }
}
