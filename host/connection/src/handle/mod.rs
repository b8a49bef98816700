//! Orders of sessions that a connection has not carried out yet.
//!
//! One task serves a connection, but any session of the same instance may write to it: a chat room
//! does. So orders are left here, and the task is woken.

mod ending;
mod orders;
mod outgoing;
mod peer;
mod quiet;
mod telnet;
mod traffic;
mod watch;

pub use orders::{CloseMode, Lost, Notice, Orders, TimerChange};
pub use outgoing::Outgoing;
pub use peer::{Peer, TlsInfo, Transport, WebSocketInfo};
pub use quiet::Sweep;
pub use telnet::TelnetInfo;
pub use traffic::Traffic;
pub use watch::{Seen, Watch, Watcher};

use crate::clock::Clock;
use crate::limits::ConnectionLimits;
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use bytes::Bytes;
use framing::Framing;
use quiet::Quiet;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;
use tracing::Span;

/// The handle of a connection that sessions use.
#[derive(Debug)]
pub struct ConnectionHandle {
    id: u64,
    peer: Peer,
    /// The result of the handshake that a session asked for.
    secured: OnceLock<TlsInfo>,
    /// Whether a session has asked for one.
    has_started_tls: AtomicBool,
    limit_bytes: AtomicUsize,
    span: Span,
    clock: Clock,
    /// When it began.
    since: Instant,
    /// The memory of its own instances.
    memory_bytes: Arc<AtomicUsize>,
    /// Bytes sent and not yet written to the socket.
    unsent_bytes: AtomicUsize,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    messages: AtomicU64,
    /// The number of the generation that serves it.
    generation: AtomicU64,
    quiet: Quiet,
    orders: Mutex<Orders>,
    /// Whether there are orders: the task looks here first, without the lock.
    has_orders: AtomicBool,
    /// Whether its session is being called: the task collects the orders afterwards, and need not
    /// be woken for them.
    is_calling: AtomicBool,
}

impl ConnectionHandle {
    /// The handle of connection `id`, which ends if more than `limit_bytes` are unsent. Its log
    /// lines use `span`.
    pub fn new(id: u64, peer: Peer, limit_bytes: usize, span: Span) -> Self {
        ConnectionHandle {
            id,
            peer,
            secured: OnceLock::new(),
            has_started_tls: AtomicBool::new(false),
            limit_bytes: AtomicUsize::new(limit_bytes),
            span,
            clock: Clock::default(),
            since: Instant::now(),
            memory_bytes: Arc::default(),
            unsent_bytes: AtomicUsize::new(0),
            received_bytes: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            generation: AtomicU64::new(0),
            quiet: Quiet::new(),
            orders: Mutex::default(),
            has_orders: AtomicBool::new(false),
            is_calling: AtomicBool::new(false),
        }
    }

    /// The same with timers by this clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        ConnectionHandle { clock, ..self }
    }

    /// The clock of its timers.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The id of the connection, unique in this process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When it began.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// The memory of its own instances, in bytes, which these keep up to date.
    pub fn memory_bytes(&self) -> &Arc<AtomicUsize> {
        &self.memory_bytes
    }

    /// The peer.
    #[inline]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// A detail, by its name in the contract (`connection.info`).
    pub fn info(&self, name: &str) -> Option<String> {
        if name == "start-tls" {
            return self.offers_tls().then(|| "offered".to_owned());
        }
        let tls = self.peer.tls.as_ref().or(self.secured.get());
        let websocket = self.peer.websocket.as_ref();
        let detail = tls.and_then(|it| it.get(name));
        let detail = detail.or_else(|| websocket?.get(name));
        let telnet = || self.peer.telnet.as_ref()?.get(name);
        detail.map(str::to_owned).or_else(telnet)
    }

    /// Whether a session may start TLS.
    pub fn offers_tls(&self) -> bool {
        self.peer.offers_tls && !self.has_started_tls.load(Ordering::Relaxed)
    }

    /// The span of the connection's log lines. Entered only for logging: entering it on every poll
    /// costs more than cutting a message.
    #[inline]
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Bytes sent and not yet written to the socket.
    pub fn unsent_bytes(&self) -> usize {
        self.unsent_bytes.load(Ordering::Relaxed)
    }

    /// Sends bytes: over UDP and WebSocket, as one message, possibly empty.
    pub fn send(&self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.order(|orders| {
            let unsent = self.unsent_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
            let limit_bytes = self.limit_bytes.load(Ordering::Relaxed);
            if unsent.saturating_add(bytes.len()) > limit_bytes {
                orders.lost = Some(Lost::SlowReader { limit_bytes });
            } else if self.peer.transport.keeps_messages() {
                orders.messages.push_back(bytes);
            } else if orders.is_securing {
                orders.bytes_for_tls.push(bytes);
            } else {
                orders.bytes.push(bytes);
            }
        });
    }

    /// Reads from the client, or does not.
    pub fn set_reading(&self, reads: bool) {
        self.order(|orders| orders.reads = Some(reads));
    }

    /// Starts TLS when what was sent before is written. What is sent from now on waits for it.
    pub fn start_tls(&self) {
        self.has_started_tls.store(true, Ordering::Relaxed);
        self.order(|orders| {
            orders.starts_tls = true;
            orders.is_securing = true;
        });
    }

    /// TLS is established: what has waited for it can go out.
    pub fn secured(&self, tls: TlsInfo) {
        // There is one handshake only.
        let _ = self.secured.set(tls);
        self.order(|orders| {
            orders.is_securing = false;
            // What was sent in clear was taken with the order to start.
            orders.bytes = std::mem::take(&mut orders.bytes_for_tls);
        });
    }

    /// Counts bytes as unsent that the task of the connection will write, and were not ordered
    /// here.
    #[inline]
    pub fn note_unsent(&self, bytes: usize) {
        self.unsent_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Closes the connection. Later orders are ignored.
    pub fn close(&self, mode: CloseMode) {
        self.order(|orders| orders.close = Some(mode));
    }

    /// Changes the framing from the next message on.
    pub fn set_framing(&self, framing: Framing) {
        self.order(|orders| orders.framing = Some(framing));
    }

    /// Applies the limits of another version of the handler from the next message on. A UDP sender
    /// keeps the idle timeout of its listener.
    pub fn set_limits(&self, limits: ConnectionLimits, unsent_limit_bytes: usize) {
        self.limit_bytes
            .store(unsent_limit_bytes, Ordering::Relaxed);
        if self.peer.transport != Transport::Udp {
            self.set_idle_timeout(limits.idle_timeout);
        }
        self.order(|orders| orders.limits = Some(limits));
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
        self.has_orders.store(true, Ordering::Release);
        // An order that is not announced is found by `poll_ordered`, which takes the lock.
        if !self.is_calling.load(Ordering::Relaxed)
            && let Some(waker) = orders.waker.take()
        {
            drop(orders);
            waker.wake();
        }
    }

    /// Says whether the session of the connection is being called.
    #[inline]
    pub fn set_calling(&self, is_calling: bool) {
        self.is_calling.store(is_calling, Ordering::Relaxed);
    }

    /// Whether there are orders.
    #[inline]
    pub fn has_orders(&self) -> bool {
        self.has_orders.load(Ordering::Acquire)
    }

    /// Passes the orders to the connection's task, if there are any. A close stays for good.
    #[inline]
    pub fn collect(&self, take: impl FnOnce(&mut Orders)) {
        if self.has_orders() {
            let mut orders = self.lock();
            take(&mut orders);
            self.has_orders.store(orders.stay(), Ordering::Relaxed);
        }
    }

    /// Ready when there are orders.
    #[inline]
    pub fn poll_ordered(&self, cx: &Context<'_>) -> Poll<()> {
        let mut orders = self.lock();
        if self.has_orders.load(Ordering::Relaxed) && !orders.rest() {
            return Poll::Ready(());
        }
        orders.register(cx);
        Poll::Pending
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock()
    }
}
