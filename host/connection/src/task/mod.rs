//! Connections: one client each, served by a session or by a program. Generic over the stream, or over the way
//! back where there are datagrams instead, and without a word of Wasm.

mod datagrams;
mod goodbye;
mod idle;
mod inbox;
mod input;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod linger;
mod output;
mod program;
mod session;
mod timers;
mod transfer;

#[cfg(test)]
mod conversation_tests;
#[cfg(test)]
mod tests;

pub use datagrams::{Return, serve_datagrams};
pub use inbox::{Inbox, NotTaken};
pub use program::serve_program;
pub use session::serve;

use crate::framing::{Framing, FramingError};
use crate::handler::{CallError, SessionError};
use crate::limits::ConnectionLimits;
use crate::outbox::Lost;
use std::io;
use std::time::Duration;

/// How a connection ended as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client has finished and has everything that was sent, or the handler closed, or the host
    /// is stopping.
    Finished,
    /// The handler wants the client to see a reset.
    Reset,
}

/// Why a connection ended otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// No further message can be cut out of what the client sends.
    #[error("the client broke the framing: {0}")]
    Framing(#[from] FramingError),
    /// The session gave up, or its call failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something outside the session ended it.
    #[error("{0}")]
    Lost(Lost),
    /// Nothing went in or out for too long.
    #[error("no byte moved for {0:?} (--idle-timeout)")]
    Idle(Duration),
    /// The client's machine is gone, or the client does not read.
    #[error("the other side has answered nothing for too long (--peer-timeout)")]
    Silent,
    /// The network failed, or the client left without a word.
    #[error("the connection broke: {0}")]
    Io(io::Error),
}

impl From<io::Error> for ConnectionError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut => ConnectionError::Silent,
            _ => ConnectionError::Io(error),
        }
    }
}

impl From<CallError> for ConnectionError {
    fn from(error: CallError) -> Self {
        ConnectionError::Session(SessionError::Call(error))
    }
}

/// What a connection needs to know of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How messages are cut out of what the client sends, unless the session changes it.
    pub framing: Framing,
    /// What the connection may use.
    pub limits: ConnectionLimits,
    /// See [`Handler::converses`](crate::handler::Handler::converses).
    pub converses: bool,
}

impl Terms {
    /// How many bytes may wait to be written: see [`Outbox::new`](crate::outbox::Outbox::new).
    pub fn unsent_limit_bytes(&self) -> usize {
        match self.converses {
            true => self.limits.max_unsent_bytes,
            // One that only answers is bounded by reading no further until it is read.
            false => usize::MAX,
        }
    }
}
