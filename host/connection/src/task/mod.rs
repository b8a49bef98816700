//! Connections: one client each, served by a session or a program. Generic over the stream (or over
//! the reply sender, for datagrams). Must not know sockets or Wasm.

mod alarm;
mod close_code;
mod datagrams;
mod foreign;
mod goodbye;
mod inbox;
mod input;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod linger;
mod machine;
mod observed;
mod observer;
mod program;
mod securing;
mod serve;
mod session;
mod start_tls;
mod websocket_stream;

#[cfg(test)]
mod conversation_tests;
#[cfg(test)]
mod tests;

pub use datagrams::{ReplySink, serve_datagrams};
pub use inbox::{Inbox, NotTaken};
pub use linger::linger;
pub use program::serve_program;
pub use serve::{WebSocketStart, serve, serve_websocket};
pub use start_tls::{NoTls, StartTls};
pub use websocket_stream::WebSocketStream;

use crate::handle::Lost;
use crate::handler::{CallError, SessionError};
use crate::limits::ConnectionLimits;
use framing::{Framing, FramingError};
use std::io;
use std::time::Duration;

/// How a connection ended normally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client finished and received everything, or the handler closed, or the host is stopping.
    Finished,
    /// The stream ended without the end that its protocol has (TLS `close_notify`, a WebSocket's
    /// close frame). Data may be missing.
    CutOff,
    /// The handler asked for a reset.
    Reset,
}

/// Why a connection ended with an error.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The client's bytes cannot be cut into messages.
    #[error("the client broke the framing: {0}")]
    Framing(#[from] FramingError),
    /// The session returned a failure, or its call failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something outside the session ended it.
    #[error("{0}")]
    Lost(#[from] Lost),
    /// No byte was read or written for too long.
    #[error("no byte moved for {0:?} (--idle-timeout)")]
    Idle(Duration),
    /// The peer is unreachable, or does not read.
    #[error("the peer did not respond for too long (--peer-timeout)")]
    Silent,
    /// The session wanted TLS, and there is none.
    #[error("cannot start TLS: {0}")]
    StartTls(NotSecured),
    /// It was still open when its service ended.
    #[error("still open after the drain timeout (--drain-timeout)")]
    Cut,
    /// The network failed, or the client disconnected abruptly.
    #[error("connection lost: {0}")]
    Io(io::Error),
}

/// Why a connection could not go on under TLS.
#[derive(Debug, thiserror::Error)]
pub enum NotSecured {
    /// The client sent bytes in clear that would count as sent under TLS. Anyone on the way may
    /// have added them (CVE-2021-33515).
    #[error("the client sent more in clear after the command that starts it")]
    EarlyBytes,
    /// The handshake failed.
    #[error("the handshake failed: {0}")]
    Handshake(io::Error),
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

/// The settings of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The initial framing; the session may change it.
    pub framing: Framing,
    /// The limits of the connection.
    pub limits: ConnectionLimits,
    /// See [`Handler::converses`](crate::handler::Handler::converses).
    pub converses: bool,
}

impl ConnectionSettings {
    /// The most unsent bytes: see [`ConnectionHandle::new`](crate::handle::ConnectionHandle::new).
    pub fn unsent_limit_bytes(&self) -> usize {
        if self.converses {
            self.limits.max_unsent_bytes
        } else {
            usize::MAX
        }
    }
}
