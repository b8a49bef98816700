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

    /// Closes the queue if it is empty, and returns whether it did.
    pub fn close_if_empty(&self) -> bool {
        let mut state = self.lock();
        state.closed |= state.waiting.is_empty();
        state.closed
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
mod tests {
    use super::*;

    fn all(inbox: &Inbox) -> Vec<BytesMut> {
        let mut datagrams = Datagrams::default();
        inbox.take(&mut datagrams);
        std::iter::from_fn(|| datagrams.pop()).collect()
    }

    #[test]
    fn datagrams_come_out_whole_and_in_order() {
        let inbox = Inbox::default();
        for round in 0..3_u8 {
            let sent: Vec<_> = [3, 0, 1, 0].map(|length| vec![round; length]).into();
            for datagram in &sent {
                inbox.put(datagram).unwrap();
            }
            assert_eq!(all(&inbox), sent);
            assert!(all(&inbox).is_empty());
        }
    }

    #[test]
    fn the_inbox_is_limited_in_number_and_bytes() {
        let inbox = Inbox::default();
        for _ in 0..MAX_WAITING_DATAGRAMS {
            inbox.put(b"").unwrap();
        }
        assert_eq!(inbox.put(b"").unwrap_err(), NotTaken::Full);
        assert_eq!(all(&inbox).len(), MAX_WAITING_DATAGRAMS);
        inbox.put(&vec![0; MAX_WAITING_DATAGRAM_BYTES - 1]).unwrap();
        assert_eq!(inbox.put(b"ab").unwrap_err(), NotTaken::Full);
        inbox.put(b"a").unwrap();
    }

    #[test]
    fn a_closed_inbox_still_returns_waiting_datagrams() {
        let inbox = Inbox::default();
        inbox.put(b"last").unwrap();
        assert!(!inbox.close_if_empty());
        inbox.close();
        assert_eq!(inbox.put(b"late").unwrap_err(), NotTaken::Closed);
        let mut datagrams = Datagrams::default();
        assert!(inbox.take(&mut datagrams));
        assert_eq!(datagrams.pop().unwrap(), "last");
        assert!(!inbox.take(&mut datagrams));
        let empty = Inbox::default();
        assert!(empty.close_if_empty());
        assert!(empty.put(b"").is_err());
    }
}
