//! Datagrams of one sender, waiting for its session.

use crate::limits::{MAX_WAITING_DATAGRAM_BYTES, MAX_WAITING_DATAGRAMS};
use crate::sync::{Mutex, MutexGuard};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

/// The queue between the receiving task and the task of a session.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Datagrams,
    closed: bool,
    waker: Option<Waker>,
}

/// Why a datagram was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The queue is full.
    Full,
    /// The session has ended.
    Closed,
}

/// Datagrams in order, stored back to back. Holds no memory while empty.
#[derive(Debug, Default)]
pub struct Datagrams {
    bytes: BytesMut,
    lengths: VecDeque<usize>,
}

impl Datagrams {
    /// The number of datagrams.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The total length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        self.lengths.iter().map(move |length| {
            let (datagram, behind) = rest.split_at(*length);
            rest = behind;
            datagram
        })
    }

    /// Removes the next datagram.
    pub fn pop(&mut self) -> Option<BytesMut> {
        let length = self.lengths.pop_front()?;
        if self.lengths.is_empty() {
            Some(std::mem::take(&mut self.bytes))
        } else {
            Some(self.bytes.split_to(length))
        }
    }
}

impl Inbox {
    /// Queues a datagram. The caller wakes the returned waker after the last datagram of a batch,
    /// so a session wakes once for each batch.
    pub fn put(&self, datagram: &[u8]) -> Result<Option<Waker>, NotTaken> {
        let state = &mut *self.lock();
        let Datagrams { bytes, lengths } = &mut state.waiting;
        if state.closed {
            return Err(NotTaken::Closed);
        }
        if lengths.len() == MAX_WAITING_DATAGRAMS
            || bytes.len() + datagram.len() > MAX_WAITING_DATAGRAM_BYTES
        {
            return Err(NotTaken::Full);
        }
        bytes.extend_from_slice(datagram);
        lengths.push_back(datagram.len());
        Ok(state.waker.take())
    }

    /// Closes the queue. Waiting datagrams can still be taken.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
    }

    /// Closes the queue if it is empty, and returns whether it is.
    pub fn close_if_empty(&self) -> bool {
        let mut state = self.lock();
        let is_empty = state.waiting.is_empty();
        state.closed |= is_empty;
        is_empty
    }

    /// Takes all waiting datagrams in exchange for `empty`. False if the queue is empty and closed.
    pub fn take(&self, empty: &mut Datagrams) -> bool {
        let mut state = self.lock();
        std::mem::swap(&mut state.waiting, empty);
        !state.closed || !empty.is_empty()
    }

    /// Ready when a datagram waits or the queue is closed.
    pub fn poll_filled(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.closed || !state.waiting.is_empty() {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests;
