//! What sessions want of a connection and it has not done yet.
//!
//! A connection is served by one task, but any session of the same handler instance may write to it: a
//! chat room does. So what is to happen to it is left here, and its task is woken.

mod orders;
mod peer;
mod traffic;

pub use orders::{CloseMode, Lost, Notice, Orders, TimerChange};
pub use peer::{Peer, TlsInfo, Transport};
pub use traffic::Traffic;

use crate::framing::Framing;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use bytes::Bytes;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use tracing::Span;

/// The sessions' side of a connection.
#[derive(Debug)]
pub struct Outbox {
    id: u64,
    peer: Peer,
    limit_bytes: usize,
    span: Span,
    /// Bytes sent and not yet written to the socket.
    unsent_bytes: AtomicUsize,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    messages: AtomicU64,
    orders: Mutex<Orders>,
}

impl Outbox {
    /// The outbox of connection `id`, which is lost if more than `limit_bytes` wait to be written. What
    /// is logged of the connection is logged in `span`.
    pub fn new(id: u64, peer: Peer, limit_bytes: usize, span: Span) -> Self {
        Outbox {
            id,
            peer,
            limit_bytes,
            span,
            unsent_bytes: AtomicUsize::new(0),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            orders: Mutex::default(),
        }
    }

    /// A number no other connection of this process has or had.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Who is on the other side.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The span of the connection's log lines. Entered only where something is logged: entering it
    /// whenever the connection's task runs costs more than cutting a message.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Bytes sent and not yet written to the socket.
    pub fn unsent_bytes(&self) -> usize {
        self.unsent_bytes.load(Ordering::Relaxed)
    }

    /// Sends bytes: over UDP, as one datagram, which may be empty.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.order(|orders| {
            let unsent = self.unsent_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
            if unsent.saturating_add(bytes.len()) > self.limit_bytes {
                let limit_bytes = self.limit_bytes;
                orders.lost = Some(Lost::SlowReader { limit_bytes });
            } else if self.peer.transport == Transport::Udp {
                orders.datagrams.push_back(bytes);
            } else if orders.bytes.is_empty() {
                // Where nobody else has a hold on them they are taken over, not copied.
                orders.bytes = bytes.into();
            } else {
                orders.bytes.extend_from_slice(&bytes);
            }
        });
    }

    /// Ends the connection: what is ordered after this is ignored.
    pub fn close(&self, mode: CloseMode) {
        self.order(|orders| orders.close = Some(mode));
    }

    /// Ends it for good: the connection is gone, and what is ordered through a handle on it that a session has kept
    /// is forgotten.
    pub fn retire(&self) {
        *self.lock() = Orders {
            close: Some(CloseMode::Reset),
            ..Orders::default()
        };
    }

    /// Cuts messages another way, from the next one on.
    pub fn set_framing(&self, framing: Framing) {
        self.order(|orders| orders.framing = Some(framing));
    }

    /// Starts or stops a timer.
    pub fn change_timer(&self, change: TimerChange) {
        self.order(|orders| orders.timers.push(change));
    }

    /// Has the session told something.
    pub fn notify(&self, notice: Notice) {
        self.order(|orders| orders.notice = orders.notice.max(Some(notice)));
    }

    /// Ends the connection because it can't go on.
    pub fn lose(&self, why: Lost) {
        self.order(|orders| orders.lost = Some(why));
    }

    fn order(&self, order: impl FnOnce(&mut Orders)) {
        let mut orders = self.lock();
        if orders.has_ended() {
            return;
        }
        order(&mut orders);
        if let Some(waker) = orders.waker.take() {
            drop(orders);
            waker.wake();
        }
    }

    /// Gives the connection's task its orders, if there are any.
    pub fn collect(&self, take: impl FnOnce(&mut Orders)) {
        let mut orders = self.lock();
        if !orders.is_empty() {
            take(&mut orders);
        }
    }

    /// Tells that so many of the bytes were written.
    pub fn written(&self, bytes: usize) {
        self.unsent_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.note_sent(bytes);
    }

    /// Tells that so many of the bytes will never be written.
    pub fn discarded(&self, bytes: usize) {
        self.unsent_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts bytes that were written without having been ordered here.
    pub fn note_sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes that were read.
    pub fn note_received(&self, bytes: usize) {
        self.received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a message that the handler is given.
    pub fn note_message(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// What has gone through the connection so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            received_bytes: self.received_bytes.load(Ordering::Relaxed),
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            messages: self.messages.load(Ordering::Relaxed),
        }
    }

    /// Ready when there are orders.
    pub fn poll_ordered(&self, cx: &Context<'_>) -> Poll<()> {
        let mut orders = self.lock();
        if !orders.is_empty() {
            return Poll::Ready(());
        }
        match &mut orders.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        // Orders are whole at every step: a panic elsewhere does not spoil them.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
