//! The traits that the network side uses to call a handler.
//!
//! This is the seam between sockets and sandboxes. Connection code calls these traits and never
//! names Wasm; the engine implements them and never names a socket. Sessions leave orders for a
//! connection in its [`ConnectionHandle`].

use crate::guest_text::GuestText;
use crate::handle::ConnectionHandle;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;

/// A handler that is ready to serve connections.
pub trait Handler: Send + Sync + 'static {
    /// What serves one connection message by message.
    type Session: Session + 'static;
    /// What serves one connection as a stream.
    type Program: Program + 'static;

    /// Creates what serves a new connection. Cheap: an instance starts only when it is first
    /// needed.
    fn serve(&self, handle: &Arc<ConnectionHandle>) -> Service<Self::Session, Self::Program>;

    /// The same handler without its instances.
    fn renewed(&self) -> Self;

    /// Whether its sessions converse: they open when a client connects, may send at any time, and
    /// learn when the host stops. Other sessions open with the first byte, only reply, and run
    /// until the client has finished.
    fn converses(&self) -> bool;

    /// Whether all its connections share an instance, whose calls are one at a time.
    fn is_shared(&self) -> bool;
}

/// What serves one connection.
pub enum Service<S, P> {
    /// Receives messages.
    Session(S),
    /// Receives the stream.
    Program(P),
}

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The session starts. Always the first event. Carries the saved state of the previous
    /// generation's session, if it continues one.
    Open(Option<Bytes>),
    /// The client sent a message.
    Message(Bytes),
    /// The client has shut down sending; it may still read.
    Eof,
    /// The unsent bytes fell below the high-water mark again.
    Writable,
    /// The timer with this id expired.
    Timer(u32),
    /// The connection that the session wanted under TLS is secured.
    Secured,
    /// A new generation of the handler is current.
    Move,
    /// The host is stopping, or the handler is being swapped out. Always the last event.
    Shutdown,
}

/// Serves one connection message by message.
pub trait Session: Send {
    /// Calls the session with an event and waits until it returns, with its reply if it has one.
    /// Its other orders are in the connection's handle then. After an error there are no orders
    /// from this event, and no further calls.
    fn tell(
        &mut self,
        event: Event,
    ) -> impl Future<Output = Result<Option<Bytes>, SessionError>> + Send;

    /// The state for a session of a new generation, if this one can move.
    fn save(&mut self) -> impl Future<Output = Result<Option<Bytes>, SessionError>> + Send;

    /// Ends the session. Called once, when its connection ends for any reason.
    fn end(self) -> impl Future<Output = ()> + Send;
}

/// Serves one connection as a stream.
pub trait Program: Send {
    /// Runs until the program exits. Reads the client's bytes from `stream` and writes replies to
    /// it; a half-close of the client is the end of input.
    fn run(self, stream: DuplexStream) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Why a session ends.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The client broke the handler's protocol.
    #[error("the client broke the protocol: {0}")]
    Protocol(GuestText),
    /// The handler refuses the client.
    #[error("the handler refused: {0}")]
    Refused(GuestText),
    /// The handler reported a failure.
    #[error("the handler failed: {0}")]
    Internal(GuestText),
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The guest trapped, for example at `unreachable`.
    #[error("the handler trapped: {0}")]
    Trap(String),
    /// The guest trapped after it was refused more memory.
    #[error("the handler ran out of its {limit_bytes} bytes of memory (--max-memory): {trap}")]
    Memory {
        /// The limit of its memory.
        limit_bytes: usize,
        /// How it ended.
        trap: String,
    },
    /// The guest exceeded a fixed limit.
    #[error("the handler exceeded a limit: {0}")]
    Limit(String),
    /// The guest called `exit`, which a handler should not do.
    #[error("the handler called exit({0})")]
    Exit(i32),
    /// The call timed out.
    #[error("the handler took longer than {0:?} (--call-timeout)")]
    Timeout(Duration),
    /// The host could not start an instance.
    #[error("cannot start an instance of the handler: {0}")]
    Instantiation(String),
    /// The instance ended in a call of another connection.
    #[error("the shared instance is gone")]
    Gone,
}
