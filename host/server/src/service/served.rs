//! A service of a server, and its listeners.

use super::cap::{Cap, ConnectionPermits};
use super::client::Client;
use super::{CloseStats, ServerState};
use crate::admission::Admission;
use crate::listener::{Accepted, Listener, ListenerHandle};
use crate::stream::Stream;
use crate::tls::TlsTerminator;
use connection::generation::Generations;
use connection::handler::Handler;
use connection::rates::{Kind, RateLimits, ServiceRates};
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// The state that the connections of a service share.
pub struct ServedService<H> {
    pub(super) generations: Arc<Generations<H>>,
    /// The rate limits of all its connections together.
    pub(super) rates: Arc<ServiceRates>,
    /// The same for its UDP senders, which may be forged: they take nothing from connections.
    pub(super) sender_rates: ServiceRates,
    /// The connection limit.
    cap: Arc<Cap>,
    /// How its connections ended.
    pub(super) stats: CloseStats,
    pub(super) state: Arc<ServerState>,
    /// The parent span of its connections.
    pub(super) span: Span,
    /// Cancelled when the service accepts no more clients.
    stopping: CancellationToken,
    listeners: TaskTracker,
    /// Open connections, and ended ones not collected yet.
    connections: Mutex<JoinSet<()>>,
}

/// A listener of a service with its admission. Open until it is closed or the service stops.
#[derive(Clone)]
pub struct ServiceListener {
    handle: ListenerHandle,
    admission: Arc<Admission>,
    cap: Arc<Cap>,
    closing: CancellationToken,
    closed: TaskTracker,
}

impl<H: Handler> ServedService<H> {
    pub(super) fn new(
        state: Arc<ServerState>,
        generations: Arc<Generations<H>>,
        rates: RateLimits,
        span: Span,
    ) -> Self {
        ServedService {
            generations,
            rates: Arc::new(ServiceRates::new(rates)),
            sender_rates: ServiceRates::new(rates),
            cap: Arc::default(),
            stats: CloseStats::within(&state.stats),
            span,
            stopping: state.stopping.child_token(),
            state,
            listeners: TaskTracker::new(),
            connections: Mutex::default(),
        }
    }

    /// Accepts clients on another listener: at most `max_connections` at once, or as many UDP
    /// sessions as its admission says. `after` is the listener that had the socket before; its
    /// clients count too. Must be called in a tokio runtime.
    pub fn open(
        self: &Arc<Self>,
        listener: Listener,
        admission: Admission,
        max_connections: Option<usize>,
        after: Option<&ServiceListener>,
    ) -> ServiceListener {
        let cap = after.map_or_else(Arc::default, |listener| listener.cap.clone());
        cap.set(match listener.datagrams() {
            Some(_) => Some(admission.datagrams.max_sessions),
            None => max_connections,
        });
        let admission = Arc::new(admission);
        let closing = self.stopping.child_token();
        let closed = TaskTracker::new();
        let opened = ServiceListener {
            handle: listener.handle(),
            admission: admission.clone(),
            cap: cap.clone(),
            closing: closing.clone(),
            closed: closed.clone(),
        };
        let accepting = self.clone().accept(listener, admission, cap, closing);
        let accepting = accepting.instrument(self.span.clone());
        self.listeners.spawn(closed.track_future(accepting));
        opened
    }

    /// Changes the rate limits of its connections and UDP senders.
    pub fn set_rates(&self, limits: RateLimits) {
        self.rates.set(limits);
        self.sender_rates.set(limits);
    }

    /// Changes the connection limit.
    pub fn set_max_connections(&self, limit: Option<usize>) {
        self.cap.set(limit);
    }

    /// Waits for a permit of the listener, the service and the server.
    pub(super) async fn place(&self, listener: &Arc<Cap>, name: &str) -> ConnectionPermits {
        let why = "connection limit of the listener reached (max-connections): new clients wait";
        let of_listener = self.state.slot(listener, name, why).await;
        let why = "connection limit of the service reached (max-connections): new clients wait";
        let of_service = self.state.slot(&self.cap, name, why).await;
        ConnectionPermits {
            listener: of_listener,
            service: of_service,
            connection: self.state.place(name).await,
        }
    }

    /// The generations of its handler.
    pub fn generations(&self) -> &Arc<Generations<H>> {
        &self.generations
    }

    /// How its connections ended.
    pub fn stats(&self) -> &CloseStats {
        &self.stats
    }

    /// Serves the clients of one listener until it closes or has no more clients.
    async fn accept(
        self: Arc<Self>,
        listener: Listener,
        admission: Arc<Admission>,
        cap: Arc<Cap>,
        closing: CancellationToken,
    ) {
        if let Some(socket) = listener.datagrams() {
            let receiving = self.receive(socket.clone(), admission, cap, closing);
            return receiving.await;
        }
        // Dropped with the only client of such a listener.
        let mut exhausting = listener
            .is_for_one()
            .then(|| self.state.exhausted.clone().drop_guard());
        while let Some(Some(accepted)) = closing.run_until_cancelled(listener.accept()).await {
            let Some(client) = self.welcome(accepted, &admission, &cap) else {
                continue;
            };
            let turn = self.rates.reserve(Kind::NewConnections, 1);
            if !turn.is_zero() {
                closing.run_until_cancelled(sleep(turn)).await;
            }
            let place = self.place(&cap, &admission.listener);
            let place = closing.run_until_cancelled(place).await;
            let (served, exhausting) = (self.clone(), exhausting.take());
            self.spawn(async move {
                client.serve(&served, place).await;
                drop(exhausting);
            });
        }
    }

    /// An accepted client, unless it is refused right away. The real address behind a proxy is
    /// known later.
    fn welcome(
        &self,
        accepted: Accepted,
        admission: &Arc<Admission>,
        cap: &Arc<Cap>,
    ) -> Option<Client> {
        let mut share = None;
        if let Some(client) = accepted.client {
            if admission.turns_away(client) {
                self.stats.note_turned_away(client, &admission.listener);
                return None;
            }
            if !admission.is_proxy(client) {
                share = self.state.share(client.ip(), &admission.listener);
                if share.is_none() {
                    self.stats.count_turned_away();
                    return None;
                }
            }
        }
        if let Stream::Unix(unix) = &accepted.stream
            && let Ok(who) = unix.peer_cred()
        {
            share = self.state.share_of_user(who.uid(), &admission.listener);
            if share.is_none() {
                self.stats.count_turned_away();
                return None;
            }
        }
        Some(Client {
            id: self.state.next_id.fetch_add(1, Ordering::Relaxed),
            accepted,
            admission: admission.clone(),
            cap: cap.clone(),
            share,
        })
    }

    /// Runs a connection in its own task until it ends or is cut.
    pub(super) fn spawn(&self, serving: impl Future<Output = ()> + Send + 'static) {
        let mut connections = self.connections();
        connections.spawn(serving);
        while connections.try_join_next().is_some() {}
    }

    /// Stops accepting, and notifies conversations.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
        self.generations.stop();
    }

    /// Completes when all its listeners are closed, soon after `stop`.
    pub(super) async fn closed(&self) {
        self.listeners.close();
        self.listeners.wait().await;
    }

    /// The connections still open after `closed`; no more follow.
    pub(super) fn still_open(&self) -> JoinSet<()> {
        let mut connections = std::mem::take(&mut *self.connections());
        while connections.try_join_next().is_some() {}
        connections
    }
    fn connections(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.connections.lock()
    }
}

impl ServiceListener {
    /// The handle of the listening socket.
    pub fn handle(&self) -> &ListenerHandle {
        &self.handle
    }

    /// The TLS terminator, if any.
    pub fn terminator(&self) -> Option<&Arc<TlsTerminator>> {
        self.admission.tls.as_ref()
    }

    /// Whether both are the same listener.
    pub fn is(&self, other: &ServiceListener) -> bool {
        TaskTracker::ptr_eq(&self.closed, &other.closed)
    }

    /// Stops accepting. Open connections stay. Completes when the socket is closed.
    pub async fn close(self) {
        self.closing.cancel();
        self.closed.close();
        self.closed.wait().await;
    }
}
