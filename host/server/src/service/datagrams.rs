//! Serves a UDP listener: sorts datagrams by sender and runs a session for each sender in its own
//! task.

use super::accepting::Accepting;
use super::cap::{Cap, CapPermit};
use super::quota::{Holder, QuotaPermit};
use super::sender::Sender;
use super::{ServedService, ServerState};
use crate::admission::Admission;
use crate::datagram::{Batch, DatagramSocket, Route};
use crate::workers::{Placement, Worker};
use connection::handler::Handler;
use connection::limits::Limit;
use connection::rates::Kind;
use connection::task::{Inbox, NotTaken};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use tokio::task::yield_now;

/// The inboxes of a listener's senders. An entry lives as long as its session.
type Inboxes = Arc<Mutex<HashMap<Route, Arc<Inbox>>>>;

impl<H: Handler> ServedService<H> {
    /// Serves the senders of one socket until the listener closes. Their sessions run on and count
    /// in `cap` until they end.
    pub(super) async fn receive(
        self: Arc<Self>,
        socket: Arc<DatagramSocket>,
        on: &Accepting,
        worker: Arc<Worker>,
    ) {
        let mut reception = Reception {
            cap: on.cap.clone(),
            served: self,
            worker,
            socket: socket.clone(),
            admission: on.admission.clone(),
            inboxes: Inboxes::default(),
            wakers: Vec::new(),
        };
        let mut batch = Batch::default();
        while let Some(()) = on
            .closing
            .run_until_cancelled(socket.receive(&mut batch))
            .await
        {
            reception.take_in(&batch);
            if batch.is_full() {
                // More is waiting, but the sessions must run first.
                yield_now().await;
            }
        }
        for inbox in reception.inboxes.lock().values() {
            inbox.close();
        }
    }
}

/// The receiving side of one socket.
struct Reception<H> {
    served: Arc<ServedService<H>>,
    /// The worker that receives.
    worker: Arc<Worker>,
    socket: Arc<DatagramSocket>,
    admission: Arc<Admission>,
    /// The session limit.
    cap: Arc<Cap>,
    inboxes: Inboxes,
    /// Sessions with new datagrams from this batch.
    wakers: Vec<Waker>,
}

impl<H: Handler> Reception<H> {
    fn take_in(&mut self, batch: &Batch) {
        for (route, datagram) in batch.datagrams() {
            let drops = &self.served.state.drops;
            let (listener, peer) = (&*self.admission.listener, route.peer);
            if !route.is_answered() {
                drops.unanswered_port.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(
                    listener, %peer,
                    "dropped a datagram: a reply to its source port could loop for ever"
                );
            } else if self.admission.turns_away(peer) {
                drops.turned_away.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(listener, %peer, "dropped a datagram (--allow, --deny)");
            } else if !self.has_tokens(route, datagram.len()) {
                drops.rate.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(listener, %peer, "dropped a datagram: rate limit reached");
            } else {
                self.deliver(route, datagram);
            }
        }
        self.wakers.drain(..).for_each(Waker::wake);
    }

    /// Whether the rates of the service and of the sender's address allow this datagram, and a new
    /// session if it starts one. Datagrams have buckets separate from those of connections.
    fn has_tokens(&self, route: Route, bytes: usize) -> bool {
        let (service, addresses) = (&self.served.sender_rates, &self.served.state.sender_rates);
        if service.are_off() && addresses.are_off() {
            return true;
        }
        let mut address = addresses.of(route.peer.ip());
        let is_new = || !self.inboxes.lock().contains_key(&route);
        let mut take = |kind, tokens| address.take(kind, tokens) && service.take(kind, tokens);
        take(Kind::Messages, 1)
            && take(Kind::Bytes, bytes as u64)
            && (!is_new() || take(Kind::NewConnections, 1))
    }

    fn deliver(&mut self, route: Route, datagram: &[u8]) {
        let mut inboxes = self.inboxes.lock();
        let entry = inboxes.entry(route);
        if let Entry::Occupied(entry) = &entry {
            match entry.get().put(datagram) {
                Ok(waker) => return self.wakers.extend(waker),
                Err(NotTaken::Full) => {
                    return Limit::UdpWaiting.reached();
                }
                // Its session is ending. This datagram starts a new one.
                Err(NotTaken::Closed) => {}
            }
        }
        let listener = &self.admission.listener;
        let state = &self.served.state;
        let Some(permits) = SenderPermits::take(&self.cap, state, route.peer.ip(), listener) else {
            return;
        };
        let inbox = Arc::<Inbox>::default();
        // Empty; its capacity is the largest datagram we accept.
        let _ = inbox.put(datagram);
        entry.insert_entry(inbox.clone());
        let sender = Sender {
            id: self.served.state.next_id.fetch_add(1, Ordering::Relaxed),
            socket: self.socket.clone(),
            route,
            inbox: inbox.clone(),
            limits: self.admission.datagrams,
            listener: listener.clone(),
        };
        let placement = self.served.place(&self.worker);
        let worker = placement.worker().clone();
        let listed = Listed {
            inboxes: self.inboxes.clone(),
            route,
            inbox,
            _permits: permits,
            _placement: placement,
        };
        let served = self.served.clone();
        self.served.spawn(&worker, async move {
            let _listed = listed;
            sender.serve(&served).await;
        });
    }
}

/// The permits of a session: of its listener and its address. Separate from those of connections,
/// because a sender may forge any address, also one with connections.
struct SenderPermits {
    _session: CapPermit,
    _share: QuotaPermit,
}

impl SenderPermits {
    /// Takes the permits if there are any: a datagram cannot wait.
    fn take(cap: &Arc<Cap>, state: &ServerState, sender: IpAddr, listener: &str) -> Option<Self> {
        let Some(session) = cap.try_take() else {
            let why = "session limit reached (--udp-max-sessions)";
            state.drops.no_permit(listener, Limit::UdpMaxSessions, why);
            return None;
        };
        let Some(share) = state.quota.take(Holder::sender(sender)) else {
            let why = "session limit of the address reached (--max-connections-per-ip)";
            state
                .drops
                .no_permit(listener, Limit::MaxConnectionsPerIp, why);
            return None;
        };
        Some(SenderPermits {
            _session: session,
            _share: share,
        })
    }
}

/// A guard that removes a session's inbox however the session ends.
struct Listed {
    inboxes: Inboxes,
    route: Route,
    inbox: Arc<Inbox>,
    _permits: SenderPermits,
    _placement: Placement,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.inbox.close();
        let mut inboxes = self.inboxes.lock();
        // The sender may have started a new session meanwhile.
        if let Entry::Occupied(entry) = inboxes.entry(self.route)
            && Arc::ptr_eq(entry.get(), &self.inbox)
        {
            entry.remove();
        }
        // A flood of senders must not leave a large table behind.
        if inboxes.is_empty() {
            inboxes.shrink_to_fit();
        }
    }
}
