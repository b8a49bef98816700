//! What the host's network side asks of a handler, whatever computes the replies.
//!
//! This is the seam between sockets and sandboxes: connection code calls these traits and never names
//! Wasm; the engine implements them and never names a socket. What a session wants of a connection it
//! leaves in the connection's [`Outbox`].

use crate::guest_text::GuestText;
use crate::outbox::Outbox;
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

    /// What serves a new connection. Costs nothing: whatever is dear is made when it is first asked
    /// for something.
    fn serve(&self, outbox: &Arc<Outbox>) -> Service<Self::Session, Self::Program>;

    /// Whether its sessions converse: they are opened when a client connects, may speak at any time,
    /// and are told when the host stops. Others are opened with the first byte, only ever answer, and
    /// go on until their client has finished.
    fn converses(&self) -> bool;
}

/// What serves one connection.
pub enum Service<S, P> {
    /// Something that is given messages.
    Session(S),
    /// Something that is given the stream.
    Program(P),
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It begins. Always the first event. If it carries a session of another generation on, this is what
    /// that one has saved.
    Open(Option<Bytes>),
    /// The client sent a message.
    Message(Bytes),
    /// The client has finished sending; it may still be reading.
    Eof,
    /// What was unsent above the high-water mark has gone out.
    Writable,
    /// The timer of this id has run out.
    Timer(u32),
    /// Another generation of the handler is the current one.
    Move,
    /// The host is stopping, or the handler is being swapped out. Always the last event.
    Shutdown,
}

/// Serves one connection message by message.
pub trait Session: Send {
    /// Tells the session what happened, and waits until it is done with it. What it sent, set or
    /// closed is in the connection's outbox then; after an error nothing of it is. After an error it
    /// is told nothing more.
    fn tell(&mut self, event: Event) -> impl Future<Output = Result<(), SessionError>> + Send;

    /// What another generation's session needs to carry this one on, if it can be carried.
    fn save(&mut self) -> impl Future<Output = Result<Option<Bytes>, SessionError>> + Send;

    /// Ends the session. Called once, when its connection ends, whatever the reason.
    fn end(self) -> impl Future<Output = ()> + Send;
}

/// Serves one connection as a stream.
pub trait Program: Send {
    /// Runs until the program exits. The client's bytes are read from `stream` and its replies are
    /// written to it; the client's half-close is the end of its input.
    fn run(self, stream: DuplexStream) -> impl Future<Output = Result<(), CallError>> + Send;
}

/// Why a session does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The client broke the handler's protocol.
    #[error("the client broke the protocol: {0}")]
    Protocol(GuestText),
    /// The handler declines the client.
    #[error("the handler refused: {0}")]
    Refused(GuestText),
    /// The handler says that it failed.
    #[error("the handler failed: {0}")]
    Internal(GuestText),
    /// The call itself failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// Why a handler gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The guest did what ends it, such as running into `unreachable`.
    #[error("the handler trapped: {0}")]
    Trap(String),
    /// The guest trapped after it had asked for more memory than it may have.
    #[error("the handler ran out of its {limit_bytes} bytes of memory (--max-memory): {trap}")]
    Memory {
        /// All the memory it may have.
        limit_bytes: usize,
        /// What it did then.
        trap: String,
    },
    /// The guest went beyond a limit that is fixed.
    #[error("the handler went beyond a limit: {0}")]
    Limit(String),
    /// The guest called `exit`, which a handler has no reason to do.
    #[error("the handler called exit({0})")]
    Exit(i32),
    /// The call took longer than it may.
    #[error("the handler took longer than {0:?} (--call-timeout)")]
    Timeout(Duration),
    /// The host could not make an instance.
    #[error("no instance of the handler could be made: {0}")]
    Instantiation(String),
    /// The instance was lost through another connection's call.
    #[error("the instance it shared is gone")]
    Gone,
}
