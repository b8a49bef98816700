//! Orders of sessions that a connection has not carried out yet.
//!
//! One task serves a connection, but any session of the same instance may write to it: a chat room
//! does. So orders are left here, and the task is woken.

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
use std::task::{Context, Poll};
use tracing::Span;

/// The handle of a connection that sessions use.
#[derive(Debug)]
pub struct ConnectionHandle {
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

impl ConnectionHandle {
    /// The handle of connection `id`, which ends if more than `limit_bytes` are unsent. Its log
    /// lines use `span`.
    pub fn new(id: u64, peer: Peer, limit_bytes: usize, span: Span) -> Self {
        ConnectionHandle {
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

    /// The id of the connection, unique in this process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The peer.
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The span of the connection's log lines. Entered only for logging: entering it on every poll
    /// costs more than cutting a message.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Bytes sent and not yet written to the socket.
    pub fn unsent_bytes(&self) -> usize {
        self.unsent_bytes.load(Ordering::Relaxed)
    }

    /// Sends bytes: over UDP, as one datagram, possibly empty.
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
                // Uniquely owned bytes are moved, not copied.
                orders.bytes = bytes.into();
            } else {
                orders.bytes.extend_from_slice(&bytes);
            }
        });
    }

    /// Closes the connection. Later orders are ignored.
    pub fn close(&self, mode: CloseMode) {
        self.order(|orders| orders.close = Some(mode));
    }

    /// Marks the connection as gone. Orders through handles that a session has kept are dropped.
    pub fn retire(&self) {
        *self.lock() = Orders {
            close: Some(CloseMode::Reset),
            ..Orders::default()
        };
    }

    /// Changes the framing from the next message on.
    pub fn set_framing(&self, framing: Framing) {
        self.order(|orders| orders.framing = Some(framing));
    }

    /// Starts or cancels a timer.
    pub fn change_timer(&self, change: TimerChange) {
        self.order(|orders| orders.timers.push(change));
    }

    /// Gives the session a notice.
    pub fn notify(&self, notice: Notice) {
        self.order(|orders| orders.notice = orders.notice.max(Some(notice)));
    }

    /// Ends the connection because it cannot continue.
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

    /// Passes the orders to the connection's task, if there are any.
    pub fn collect(&self, take: impl FnOnce(&mut Orders)) {
        let mut orders = self.lock();
        if !orders.is_empty() {
            take(&mut orders);
        }
    }

    /// Notes that bytes were written.
    pub fn written(&self, bytes: usize) {
        self.unsent_bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.note_sent(bytes);
    }

    /// Notes that bytes will never be written.
    pub fn discarded(&self, bytes: usize) {
        self.unsent_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts written bytes that were not ordered here.
    pub fn note_sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts received bytes.
    pub fn note_received(&self, bytes: usize) {
        self.received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a message passed to the handler.
    pub fn note_message(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    /// The traffic of the connection so far.
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

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock()
    }
}
