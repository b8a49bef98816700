//! What sessions, and the host, want of a connection.

use crate::framing::Framing;
use bytes::{Bytes, BytesMut};
use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

/// How a session ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseMode {
    /// All that was sent is written first.
    Graceful,
    /// At once: what was not written yet is discarded.
    Reset,
}

/// Why a connection must end though nobody closed it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Lost {
    /// Its client reads more slowly than sessions write.
    #[error("it reads too slowly: more than {limit_bytes} bytes wait to be sent (--max-unsent)")]
    SlowReader {
        /// The most unsent bytes it may have.
        limit_bytes: usize,
    },
    /// Its session set too many timers.
    #[error("its session has more than {limit} timers set")]
    TooManyTimers {
        /// The most it may have.
        limit: usize,
    },
    /// It may not stay with a handler that was swapped out.
    #[error("its handler was swapped out")]
    SwappedOut,
    /// The instance that held its session is gone.
    #[error("the instance it shared is gone: {0}")]
    Instance(String),
}

/// What a connection's session is to be told that has nothing to do with its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// Another generation of its handler is the current one.
    Move,
    /// It must end: the host is stopping, or its handler is being swapped out.
    Stop,
}

/// A change of a connection's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// Starts a timer, in place of one with the same id.
    Set {
        /// What the session calls it.
        id: u32,
        /// When it runs out, from now.
        delay: Duration,
    },
    /// Stops the timer of this id, if there is one.
    Cancel {
        /// What the session calls it.
        id: u32,
    },
}

/// What was ordered since the connection's task last looked.
#[derive(Debug, Default)]
pub struct Orders {
    /// Bytes to write.
    pub bytes: BytesMut,
    /// What to send instead where a connection has no stream: what one callback sent is one datagram.
    pub datagrams: VecDeque<Bytes>,
    /// The framing from the next message on.
    pub framing: Option<Framing>,
    /// Changes of timers, in order.
    pub timers: Vec<TimerChange>,
    /// What the session is to be told: the last word, if there was more than one.
    pub notice: Option<Notice>,
    /// The end, after which nothing more is ordered.
    pub close: Option<CloseMode>,
    /// The end that nobody ordered.
    pub lost: Option<Lost>,
    pub(super) waker: Option<Waker>,
}

impl Orders {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
            && self.datagrams.is_empty()
            && self.framing.is_none()
            && self.timers.is_empty()
            && self.notice.is_none()
            && self.close.is_none()
            && self.lost.is_none()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.close.is_some() || self.lost.is_some()
    }
}
