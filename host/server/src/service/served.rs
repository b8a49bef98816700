//! A service of a server, and the doors to it.

use super::cap::{Cap, Place};
use super::client::Client;
use super::{Ends, House};
use crate::admission::Admission;
use crate::listener::{Accepted, Listener, ListenerHandle};
use crate::stream::Stream;
use crate::tls::Terminator;
use connection::generation::Generations;
use connection::handler::Handler;
use connection::rates::{Kind, RateLimits, ServiceRates};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

/// A service: what its connections have in common.
pub struct Served<H> {
    pub(super) generations: Arc<Generations<H>>,
    /// What all its connections together may have in a second.
    pub(super) rates: Arc<ServiceRates>,
    /// As much again for its senders of datagrams, who may be forged: they take nothing from connections.
    pub(super) sender_rates: ServiceRates,
    /// How many connections it may have.
    cap: Arc<Cap>,
    /// How its connections ended.
    pub(super) ends: Ends,
    pub(super) house: Arc<House>,
    /// The parent of its connections' spans.
    pub(super) span: Span,
    /// Cancelled when nobody is to be accepted any more.
    stopping: CancellationToken,
    doors: TaskTracker,
    /// Those that are open, and those that have ended since the last one came.
    connections: Mutex<JoinSet<()>>,
}

/// A listener of a service. It is open until it is closed, or the service stops.
#[derive(Clone)]
pub struct Door {
    listener: ListenerHandle,
    admission: Arc<Admission>,
    cap: Arc<Cap>,
    closing: CancellationToken,
    closed: TaskTracker,
}

impl<H: Handler> Served<H> {
    pub(super) fn new(
        house: Arc<House>,
        generations: Arc<Generations<H>>,
        rates: RateLimits,
        span: Span,
    ) -> Self {
        Served {
            generations,
            rates: Arc::new(ServiceRates::new(rates)),
            sender_rates: ServiceRates::new(rates),
            cap: Arc::default(),
            ends: Ends::within(&house.ends),
            span,
            stopping: house.stopping.child_token(),
            house,
            doors: TaskTracker::new(),
            connections: Mutex::default(),
        }
    }

    /// Lets clients in by another listener, from now on, if they pass: `max_connections` at once, or as many sessions as
    /// its admission says where they send datagrams. Those count too that came by the door whose socket it has `after`
    /// that. Must be called within a tokio runtime.
    pub fn open(
        self: &Arc<Self>,
        listener: Listener,
        admission: Admission,
        max_connections: Option<usize>,
        after: Option<&Door>,
    ) -> Door {
        let cap = after.map_or_else(Arc::default, |door| door.cap.clone());
        cap.set(match listener.datagrams() {
            Some(_) => Some(admission.datagrams.max_sessions),
            None => max_connections,
        });
        let admission = Arc::new(admission);
        let closing = self.stopping.child_token();
        let closed = TaskTracker::new();
        let door = Door {
            listener: listener.handle(),
            admission: admission.clone(),
            cap: cap.clone(),
            closing: closing.clone(),
            closed: closed.clone(),
        };
        let accepting = self.clone().accept(listener, admission, cap, closing);
        let accepting = accepting.instrument(self.span.clone());
        self.doors.spawn(closed.track_future(accepting));
        door
    }

    /// Changes what its connections, and its senders of datagrams, may have in a second, from now on.
    pub fn set_rates(&self, limits: RateLimits) {
        self.rates.set(limits);
        self.sender_rates.set(limits);
    }

    /// Changes how many connections it may have at once, from now on.
    pub fn set_max_connections(&self, limit: Option<usize>) {
        self.cap.set(limit);
    }

    /// A place for another connection of a listener, as soon as there is one everywhere.
    pub(super) async fn place(&self, listener: &Arc<Cap>, name: &str) -> Place {
        let why =
            "the listener has as many connections as it may (max-connections): new clients wait";
        let of_listener = self.house.slot(listener, name, why).await;
        let why =
            "the service has as many connections as it may (max-connections): new clients wait";
        let of_service = self.house.slot(&self.cap, name, why).await;
        Place {
            listener: of_listener,
            service: of_service,
            connection: self.house.place(name).await,
        }
    }

    /// Its versions.
    pub fn generations(&self) -> &Arc<Generations<H>> {
        &self.generations
    }

    /// How its connections ended.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Serves the clients of one listener until it is closed, or has no more.
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
        // Goes with the only client of a listener that has no more.
        let mut exhausting = listener
            .is_for_one()
            .then(|| self.house.exhausted.clone().drop_guard());
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

    /// A client, unless it is to be sent away at once. Whom a proxy speaks for turns out later.
    fn welcome(
        &self,
        accepted: Accepted,
        admission: &Arc<Admission>,
        cap: &Arc<Cap>,
    ) -> Option<Client> {
        let mut share = None;
        if let Some(client) = accepted.client {
            if admission.turns_away(client) {
                self.ends.note_turned_away(client, &admission.listener);
                return None;
            }
            if !admission.is_proxy(client) {
                share = self.house.share(client.ip(), &admission.listener);
                if share.is_none() {
                    self.ends.count_turned_away();
                    return None;
                }
            }
        }
        if let Stream::Unix(unix) = &accepted.stream
            && let Ok(who) = unix.peer_cred()
        {
            share = self.house.share_of_user(who.uid(), &admission.listener);
            if share.is_none() {
                self.ends.count_turned_away();
                return None;
            }
        }
        Some(Client {
            id: self.house.next_id.fetch_add(1, Ordering::Relaxed),
            accepted,
            admission: admission.clone(),
            cap: cap.clone(),
            share,
        })
    }

    /// Serves a connection in a task of its own, until it ends or is cut.
    pub(super) fn spawn(&self, serving: impl Future<Output = ()> + Send + 'static) {
        let mut connections = self.connections();
        connections.spawn(serving);
        while connections.try_join_next().is_some() {}
    }

    /// Lets nobody in any more, and tells conversations so.
    pub(super) fn stop(&self) {
        self.stopping.cancel();
        self.generations.stop();
    }

    /// Completes when all its doors are closed, which they are soon after it was stopped.
    pub(super) async fn closed(&self) {
        self.doors.close();
        self.doors.wait().await;
    }

    /// Its connections that are still open when it is closed, of which there are no more to come.
    pub(super) fn still_open(&self) -> JoinSet<()> {
        let mut connections = std::mem::take(&mut *self.connections());
        while connections.try_join_next().is_some() {}
        connections
    }

    /// What is guarded is whole at every step: a panic elsewhere does not spoil it.
    fn connections(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    /// Where clients come from.
    pub fn listener(&self) -> &ListenerHandle {
        &self.listener
    }

    /// What takes TLS off, if there is any.
    pub fn terminator(&self) -> Option<&Arc<Terminator>> {
        self.admission.tls.as_ref()
    }

    /// Whether both are the same.
    pub fn is(&self, other: &Door) -> bool {
        TaskTracker::ptr_eq(&self.closed, &other.closed)
    }

    /// Lets nobody in any more. Those who are inside stay. Completes when the socket is closed.
    pub async fn close(self) {
        self.closing.cancel();
        self.closed.close();
        self.closed.wait().await;
    }
}
