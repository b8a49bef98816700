//! Orders of sessions and of the host for a connection.

use super::quiet::Sweep;
use super::{Outgoing, Watch};
use crate::limits::ConnectionLimits;
use bytes::Bytes;
use framing::Framing;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

/// How a session ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseMode {
    /// After everything that was sent is written.
    Graceful,
    /// At once; unwritten bytes are discarded.
    Reset,
}

/// Why a connection must end although nobody closed it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Lost {
    /// The client reads more slowly than sessions write.
    #[error("the client reads too slowly: more than {limit_bytes} bytes are unsent (--max-unsent)")]
    SlowReader {
        /// The limit of unsent bytes.
        limit_bytes: usize,
    },
    /// The session set too many timers.
    #[error("the session has more than {limit} timers")]
    TooManyTimers {
        /// The limit.
        limit: usize,
    },
    /// The session sent bytes that the client would get as text and cannot read.
    #[error("the handler sent text that is not UTF-8; hint: --ws-messages binary")]
    NotText,
    /// Its handler was swapped out.
    #[error("the handler was swapped out")]
    SwappedOut,
    /// The instance of its session is gone.
    #[error("the shared instance is gone: {0}")]
    Instance(String),
}

/// A notice for a session that does not come from its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A new generation of its handler is current.
    Move,
    /// The session must end: the host is stopping, or the handler is being swapped out.
    Stop,
}

/// A change of a connection's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// Starts a timer, replacing one with the same id.
    Set {
        /// The session's id of the timer.
        id: u32,
        /// The time until it expires.
        delay: Duration,
    },
    /// Cancels the timer with this id, if there is one.
    Cancel {
        /// The session's id of the timer.
        id: u32,
    },
}

/// Orders since the connection's task last collected them.
#[derive(Debug, Default)]
pub struct Orders {
    /// Bytes to write.
    pub bytes: Outgoing,
    /// For UDP and WebSocket, instead of bytes: what one callback sent is one message.
    pub messages: VecDeque<Bytes>,
    /// Bytes to write when TLS is established.
    pub(super) bytes_for_tls: Outgoing,
    /// Whether TLS was asked for and is not established.
    pub(super) is_securing: bool,
    /// Whether TLS is to be started.
    pub starts_tls: bool,
    /// Whether to read from the client from now on.
    pub reads: Option<bool>,
    /// The framing from the next message on.
    pub framing: Option<Framing>,
    /// The limits from the next message on.
    pub limits: Option<ConnectionLimits>,
    /// Changes of timers, in order.
    pub timers: Vec<TimerChange>,
    /// The latest notice for the session.
    pub notice: Option<Notice>,
    /// What the last sweep found.
    pub sweep: Sweep,
    /// The close, after which there are no more orders.
    pub close: Option<CloseMode>,
    /// The forced end.
    pub lost: Option<Lost>,
    /// Those who watch the connection. It stays here while there are any.
    pub watch: Option<Arc<Watch>>,
    pub(super) waker: Option<Waker>,
}

impl Orders {
    pub(super) fn has_ended(&self) -> bool {
        self.close.is_some() || self.lost.is_some()
    }

    /// Wakes this task at the next order.
    #[inline]
    pub(super) fn register(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Whether the task looks here again in any case: a close stays for good, and those who watch
    /// look at all orders.
    pub(super) fn stay(&self) -> bool {
        self.has_ended() || self.watch.is_some()
    }
}
