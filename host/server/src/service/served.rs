//! A service of a server, and its listeners.

use super::accepting::Accepting;
use super::cap::{Cap, ConnectionPermits};
use super::{CloseStats, ServerState};
use crate::admission::Admission;
use crate::listener::{Listener, ListenerHandle};
use crate::tls::TlsTerminator;
use crate::workers::{Placement, Worker};
use connection::generation::Generations;
use connection::handler::Handler;
use connection::rates::{RateLimits, ServiceRates};
use parking_lot::Mutex;
use std::slice;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// The state that the connections of a service share.
pub struct ServedService<H> {
    /// Its name: `main` without a configuration file.
    pub(super) name: Arc<str>,
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
    /// The worker of all connections that share an instance.
    pub(super) home: Arc<Worker>,
    /// Open connections, and ended ones not collected yet, by worker.
    connections: Vec<Mutex<JoinSet<()>>>,
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
        name: Arc<str>,
        state: Arc<ServerState>,
        generations: Arc<Generations<H>>,
        rates: RateLimits,
        span: Span,
    ) -> Self {
        ServedService {
            name,
            generations,
            rates: Arc::new(ServiceRates::new(rates)),
            sender_rates: ServiceRates::new(rates),
            cap: Arc::default(),
            stats: CloseStats::within(&state.stats),
            span,
            stopping: state.stopping.child_token(),
            home: state.workers.next().clone(),
            connections: state
                .workers
                .all()
                .iter()
                .map(|_| Mutex::default())
                .collect(),
            state,
            listeners: TaskTracker::new(),
        }
    }

    /// Accepts clients on another listener: at most `max_connections` at once, or as many UDP
    /// sessions as its admission says. `after` is the listener that had the socket before; its
    /// clients count too.
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
        let workers = match listener.datagrams() {
            Some(_) if !self.is_shared() => slice::from_ref(self.state.workers.next()),
            None if !listener.is_for_one() => self.state.workers.all(),
            _ => slice::from_ref(&self.home),
        };
        let accepting = Accepting {
            listener: Arc::new(listener),
            admission,
            cap,
            closing,
        };
        for worker in workers {
            let _runtime = worker.runtime().enter();
            let accept = self.clone().accept(accepting.clone(), worker.clone());
            let accept = closed.track_future(accept.instrument(self.span.clone()));
            self.listeners.spawn_on(accept, worker.runtime());
        }
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
    pub(super) async fn permits(&self, listener: &Arc<Cap>, name: &str) -> ConnectionPermits {
        let why = "connection limit of the listener reached (max-connections): new clients wait";
        let of_listener = self.state.cap_permit(listener, name, why).await;
        let why = "connection limit of the service reached (max-connections): new clients wait";
        let of_service = self.state.cap_permit(&self.cap, name, why).await;
        ConnectionPermits {
            listener: of_listener,
            service: of_service,
            connection: self.state.permit(name).await,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The generations of its handler.
    pub fn generations(&self) -> &Arc<Generations<H>> {
        &self.generations
    }

    /// How its connections ended.
    pub fn stats(&self) -> &CloseStats {
        &self.stats
    }

    /// Places a connection that `here` has accepted. Those of a shared instance are all at home:
    /// its calls are one at a time, so that no other thread would gain anything.
    pub(super) fn place(&self, here: &Arc<Worker>) -> Placement {
        if self.is_shared() {
            Placement::on(&self.home)
        } else {
            self.state.workers.place(here)
        }
    }

    /// Whether its connections share an instance now.
    pub(super) fn is_shared(&self) -> bool {
        self.generations.current().made_from.handler.is_shared()
    }

    /// Runs a connection in its own task until it ends or is cut.
    pub(super) fn spawn(&self, worker: &Worker, serve: impl Future<Output = ()> + Send + 'static) {
        let mut connections = self.connections[worker.index()].lock();
        connections.spawn_on(serve, worker.runtime());
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
    pub(super) fn still_open(&self) -> impl Iterator<Item = JoinSet<()>> {
        self.connections.iter().map(|connections| {
            let mut connections = std::mem::take(&mut *connections.lock());
            while connections.try_join_next().is_some() {}
            connections
        })
    }
}

impl ServiceListener {
    /// The handle of the listening socket.
    pub fn handle(&self) -> &ListenerHandle {
        &self.handle
    }

    /// The number of its connections, or of UDP sessions.
    pub fn connections(&self) -> usize {
        self.cap.open()
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
