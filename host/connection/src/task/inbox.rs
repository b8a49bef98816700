//! Datagrams of one sender that wait for its session.

use crate::limits::{MAX_WAITING_DATAGRAM_BYTES, MAX_WAITING_DATAGRAMS};
use crate::sync::{Mutex, MutexGuard};
use bytes::BytesMut;
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

/// Where whoever receives leaves a sender's datagrams for the task of its session.
#[derive(Debug, Default)]
pub struct Inbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    waiting: Datagrams,
    closed: bool,
    waker: Option<Waker>,
}

/// Why a datagram was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Too many wait already.
    Full,
    /// The session takes no more.
    Closed,
}

/// Datagrams in order, one behind the other in the same memory. None is held while there are none.
#[derive(Debug, Default)]
pub struct Datagrams {
    bytes: BytesMut,
    lengths: VecDeque<usize>,
}

impl Datagrams {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// How many bytes they have together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The next one.
    pub fn pop(&mut self) -> Option<BytesMut> {
        let length = self.lengths.pop_front()?;
        match self.lengths.is_empty() {
            true => Some(std::mem::take(&mut self.bytes)),
            false => Some(self.bytes.split_to(length)),
        }
    }
}

impl Inbox {
    /// Takes a datagram in. What is returned is to be woken when there is nothing more to put: so a session
    /// wakes up once for all its datagrams of a batch.
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

    /// Takes no more in. What waits can still be taken out.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
    }

    /// The same, unless something waits. True if it is closed then.
    pub fn close_if_empty(&self) -> bool {
        let mut state = self.lock();
        state.closed |= state.waiting.is_empty();
        state.closed
    }

    /// Takes out all that waits, in exchange for `empty`. False if nothing does, and nothing will.
    pub fn take(&self, empty: &mut Datagrams) -> bool {
        let mut state = self.lock();
        std::mem::swap(&mut state.waiting, empty);
        !state.closed || !empty.is_empty()
    }

    /// Ready when something waits, or nothing ever will.
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
        // It is whole at every step: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn what_is_put_in_comes_out_in_order_and_whole() {
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
    fn it_holds_so_many_and_so_much() {
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
    fn what_waited_when_it_was_closed_is_still_taken_out() {
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
