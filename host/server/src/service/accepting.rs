//! Accepts the clients of a listener: each worker takes part, and keeps what it accepts unless
//! another one has more time for it.

use super::ServedService;
use super::cap::Cap;
use super::client::Client;
use crate::admission::Admission;
use crate::listener::{Accepted, Listener};
use crate::stream::Stream;
use crate::workers::Worker;
use connection::handler::Handler;
use connection::rates::Kind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A listener that accepts.
#[derive(Clone)]
pub struct Accepting {
    pub listener: Arc<Listener>,
    pub admission: Arc<Admission>,
    /// Its connection limit.
    pub cap: Arc<Cap>,
    /// Cancelled when it accepts no more.
    pub closing: CancellationToken,
}

impl<H: Handler> ServedService<H> {
    /// Accepts clients on one worker until the listener closes or has no more clients.
    /// Must be called in its runtime.
    pub(super) fn accept(
        self: Arc<Self>,
        on: Accepting,
        worker: Arc<Worker>,
    ) -> impl Future<Output = ()> + Send {
        // Registered before it is said that the host listens.
        let mut acceptor = self.is_here(&worker).then(|| on.listener.acceptor());
        async move {
            if let Some(socket) = on.listener.datagrams() {
                return self.receive(socket.clone(), &on, worker).await;
            }
            let mut swaps = self.generations.numbers();
            // Dropped with the only client of such a listener.
            let mut exhausting =
                (on.listener.is_for_one()).then(|| self.state.exhausted.clone().drop_guard());
            loop {
                if !self.is_here(&worker) {
                    // The socket must not wake this worker meanwhile.
                    acceptor = None;
                    match on.closing.run_until_cancelled(swaps.changed()).await {
                        Some(Ok(())) => continue,
                        _ => return,
                    }
                }
                let acceptor = acceptor.get_or_insert_with(|| on.listener.acceptor());
                let accepted = on.closing.run_until_cancelled(acceptor.accept()).await;
                let Some(Some(accepted)) = accepted else {
                    return;
                };
                if let Some(client) = self.welcome(accepted, &on) {
                    self.admit(client, &on, &worker, exhausting.take()).await;
                }
            }
        }
    }

    /// Serves a client as soon as rates and limits allow it.
    async fn admit(
        self: &Arc<Self>,
        mut client: Client,
        on: &Accepting,
        worker: &Arc<Worker>,
        exhausting: Option<DropGuard>,
    ) {
        let turn = self.rates.reserve(Kind::NewConnections, 1);
        if !turn.is_zero() {
            on.closing.run_until_cancelled(sleep(turn)).await;
        }
        let permits = self.permits(&on.cap, &on.admission.listener);
        let permits = on.closing.run_until_cancelled(permits).await;
        let placement = self.place(worker);
        client.is_moved = !Arc::ptr_eq(placement.worker(), worker);
        let (served, at) = (self.clone(), placement.worker().clone());
        self.spawn(&at, async move {
            client.serve(&served, permits).await;
            drop((placement, exhausting));
        });
    }

    /// Whether this worker serves new connections.
    fn is_here(&self, worker: &Arc<Worker>) -> bool {
        !self.is_shared() || Arc::ptr_eq(&self.home, worker)
    }

    /// An accepted client, unless it is refused right away. The real address behind a proxy is
    /// known later.
    fn welcome(
        &self,
        accepted: Accepted,
        Accepting { admission, cap, .. }: &Accepting,
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
            is_moved: false,
        })
    }
}
