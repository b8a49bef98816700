//! What the host's network side asks of a handler, whatever computes the replies.
//!
//! This is the seam between sockets and sandboxes: connection code calls these traits and never names
//! Wasm; the engine implements them and never names a socket.

use bytes::Bytes;
use std::time::Duration;

/// A handler that is ready to serve connections.
pub trait Handler: Send + Sync + 'static {
    /// What computes the replies of one connection.
    type Responder: Responder + 'static;

    /// A responder for a new connection. Costs nothing: whatever is dear is made in
    /// [`Responder::open`].
    fn responder(&self) -> Self::Responder;
}

/// Computes the replies of one connection.
pub trait Responder: Send {
    /// Prepares for the first message. Called once, when the client has sent its first byte, so that
    /// idle connections cost nothing.
    fn open(&mut self) -> impl Future<Output = Result<(), CallError>> + Send;

    /// Computes the reply to one message; an empty reply is none. After an error the connection ends:
    /// it is not called again.
    fn respond(&mut self, message: Bytes) -> impl Future<Output = Result<Bytes, CallError>> + Send;
}

/// Why a handler gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The guest did what ends it, such as running into `unreachable`.
    #[error("the handler trapped: {0}")]
    Trap(String),
    /// The guest trapped after it had asked for more memory than it may have.
    #[error("the handler ran out of its {limit_bytes} bytes of memory (--max-memory): {trap}")]
    Memory { limit_bytes: usize, trap: String },
    /// The guest called `exit`, which a handler has no reason to do.
    #[error("the handler called exit({0})")]
    Exit(i32),
    /// The call took longer than it may.
    #[error("the handler took longer than {0:?} (--call-timeout)")]
    Timeout(Duration),
    /// The host could not make an instance.
    #[error("no instance of the handler could be made: {0}")]
    Instantiation(String),
}
