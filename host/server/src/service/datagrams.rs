//! Serves a UDP listener: sorts datagrams by sender, each of whom has a session in a task of its own.

use super::cap::{Cap, Slot};
use super::quota::{Holder, Share};
use super::sender::Sender;
use super::{House, Served};
use crate::admission::Admission;
use crate::datagram::{Batch, DatagramSocket, Route};
use connection::handler::Handler;
use connection::limits::Limit;
use connection::rates::Kind;
use connection::task::{Inbox, NotTaken};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

/// Where the datagrams of a listener's senders go. An entry lasts as long as its session.
type Inboxes = Arc<Mutex<HashMap<Route, Arc<Inbox>>>>;

impl<H: Handler> Served<H> {
    /// Serves the senders of one socket until its door is closed. Their sessions go on until they end, and count in
    /// `cap` until then.
    pub(super) async fn receive(
        self: Arc<Self>,
        socket: Arc<DatagramSocket>,
        admission: Arc<Admission>,
        cap: Arc<Cap>,
        closing: CancellationToken,
    ) {
        let mut reception = Reception {
            cap,
            served: self,
            socket: socket.clone(),
            admission,
            inboxes: Inboxes::default(),
            wakers: Vec::new(),
        };
        let mut batch = Batch::default();
        while let Some(()) = closing
            .run_until_cancelled(socket.receive(&mut batch))
            .await
        {
            reception.take_in(&batch);
            if batch.is_full() {
                // More is waiting. The sessions have to get their turn first.
                yield_now().await;
            }
        }
        for inbox in locked(&reception.inboxes).values() {
            inbox.close();
        }
    }
}

/// What comes in at one socket.
struct Reception<H> {
    served: Arc<Served<H>>,
    socket: Arc<DatagramSocket>,
    admission: Arc<Admission>,
    /// How many sessions there may be.
    cap: Arc<Cap>,
    inboxes: Inboxes,
    /// Those that have got something of a batch.
    wakers: Vec<Waker>,
}

impl<H: Handler> Reception<H> {
    fn take_in(&mut self, batch: &Batch) {
        for (route, datagram) in batch.datagrams() {
            let drops = &self.served.house.drops;
            let (listener, peer) = (&*self.admission.listener, route.peer);
            if !route.is_answered() {
                drops.unanswered_port.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(
                    listener, %peer,
                    "dropped a datagram: answering its source port could go on for ever"
                );
            } else if self.admission.turns_away(peer) {
                drops.turned_away.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(listener, %peer, "dropped a datagram (--allow, --deny)");
            } else if !self.has_tokens(route, datagram.len()) {
                drops.rate.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(listener, %peer, "dropped a datagram: there are more than may be");
            } else {
                self.deliver(route, datagram);
            }
        }
        self.wakers.drain(..).for_each(Waker::wake);
    }

    /// Whether the rates of its service and of its sender's address let another datagram in, and if it begins a
    /// session, another one of those. Both have buckets for datagrams beside those of connections.
    fn has_tokens(&self, route: Route, bytes: usize) -> bool {
        let (service, addresses) = (&self.served.sender_rates, &self.served.house.sender_rates);
        if service.are_off() && addresses.are_off() {
            return true;
        }
        let mut address = addresses.of(route.peer.ip());
        let is_new = || !locked(&self.inboxes).contains_key(&route);
        let mut take = |kind, tokens| address.take(kind, tokens) && service.take(kind, tokens);
        take(Kind::Messages, 1)
            && take(Kind::Bytes, bytes as u64)
            && (!is_new() || take(Kind::NewConnections, 1))
    }

    fn deliver(&mut self, route: Route, datagram: &[u8]) {
        let mut inboxes = locked(&self.inboxes);
        let entry = inboxes.entry(route);
        if let Entry::Occupied(entry) = &entry {
            match entry.get().put(datagram) {
                Ok(waker) => return self.wakers.extend(waker),
                Err(NotTaken::Full) => {
                    let drops = &self.served.house.drops;
                    drops.waiting.fetch_add(1, Ordering::Relaxed);
                    Limit::UdpWaiting.reached();
                    return;
                }
                // Its session is ending. This begins another one.
                Err(NotTaken::Closed) => {}
            }
        }
        let listener = &self.admission.listener;
        let house = &self.served.house;
        let Some(place) = Place::take(&self.cap, house, route.peer.ip(), listener) else {
            return;
        };
        let inbox = Arc::<Inbox>::default();
        // It is empty, and longer than what it holds no datagram is.
        let _ = inbox.put(datagram);
        entry.insert_entry(inbox.clone());
        let sender = Sender {
            id: self.served.house.next_id.fetch_add(1, Ordering::Relaxed),
            socket: self.socket.clone(),
            route,
            inbox: inbox.clone(),
            limits: self.admission.datagrams,
            listener: listener.clone(),
        };
        let listed = Listed {
            inboxes: self.inboxes.clone(),
            route,
            inbox,
            _place: place,
        };
        let served = self.served.clone();
        self.served.spawn(async move {
            let _listed = listed;
            sender.serve(&served).await;
        });
    }
}

/// A session's place, among those of the listener's senders and among those of its address. It is none of the
/// connections': whoever sends datagrams may forge any number of addresses, also one that has connections.
struct Place {
    _session: Slot,
    _share: Share,
}

impl Place {
    /// Takes one if there is one: a datagram can't wait.
    fn take(cap: &Arc<Cap>, house: &House, sender: IpAddr, listener: &str) -> Option<Self> {
        let Some(session) = cap.try_take() else {
            let why = "no more sessions are allowed (--udp-max-sessions)";
            house.drops.no_place(listener, Limit::UdpMaxSessions, why);
            return None;
        };
        let Some(share) = house.quota.take(Holder::sender(sender)) else {
            let why = "their address has as many as it may (--max-connections-per-ip)";
            house
                .drops
                .no_place(listener, Limit::MaxConnectionsPerIp, why);
            return None;
        };
        Some(Place {
            _session: session,
            _share: share,
        })
    }
}

/// A session's entry among the inboxes, which goes with it, however it ends.
struct Listed {
    inboxes: Inboxes,
    route: Route,
    inbox: Arc<Inbox>,
    _place: Place,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.inbox.close();
        let mut inboxes = locked(&self.inboxes);
        // The sender may have begun another session meanwhile.
        if let Entry::Occupied(entry) = inboxes.entry(self.route)
            && Arc::ptr_eq(entry.get(), &self.inbox)
        {
            entry.remove();
        }
        // A storm of senders should not leave a table of its size behind.
        if inboxes.is_empty() {
            inboxes.shrink_to_fit();
        }
    }
}

/// What is guarded is whole at every step: a panic elsewhere does not spoil it.
fn locked(inboxes: &Inboxes) -> MutexGuard<'_, HashMap<Route, Arc<Inbox>>> {
    inboxes.lock().unwrap_or_else(PoisonError::into_inner)
}
