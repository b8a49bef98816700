//! The server: accepts on every door of every service, serves each connection in a task of its own, and drains.
//!
//! ```text
//! Server -> Served -> Door      a host, a service of it, a listener of that
//! ```
//!
//! A sender of datagrams is a connection, too, but for the limits: it may be forged, so it takes nothing that
//! connections need.
//!
//! Services and doors come and go while the server runs; what all of them have in common is the limit of
//! connections.

mod cap;
mod client;
mod datagrams;
mod drops;
mod ends;
mod quota;
mod ration;
mod sender;
mod served;

use cap::{Cap, Slot};
use drops::Drops;
pub use ends::{Ends, Totals};
pub use served::{Door, Served};

use connection::generation::Generations;
use connection::handler::Handler;
use connection::limits::{Limit, MAX_NO_PLACE_LINES_PER_SECOND, ServerLimits};
use connection::outbox::Traffic;
use connection::rates::{AddressRates, Kind, RateLimits};
use quota::{Holder, Quota, Share};
use ration::Ration;
use std::future::pending;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;

/// The services of a host.
pub struct Server<H> {
    house: Arc<House>,
    /// Those that accept, and those that finish.
    services: Mutex<Vec<Arc<Served<H>>>>,
}

/// What all services have in common.
struct House {
    /// Cancelled when nobody is to be accepted any more, by whatever door, of whatever service.
    stopping: CancellationToken,
    /// A permit for each connection that may be open.
    free: Arc<Semaphore>,
    quota: Arc<Quota>,
    /// What each client address may have in a second.
    address_rates: Arc<AddressRates>,
    /// What each address may send in datagrams, which may be forged: it takes nothing from its connections.
    sender_rates: Arc<AddressRates>,
    /// What the operator is told of clients that come too often.
    no_rate: Ration<MAX_NO_PLACE_LINES_PER_SECOND>,
    /// What the operator is told of clients that have too many connections.
    no_share: Ration<MAX_NO_PLACE_LINES_PER_SECOND>,
    /// What the operator is told of clients that wait for a place.
    no_place: Ration<MAX_NO_PLACE_LINES_PER_SECOND>,
    next_id: AtomicU64,
    ends: Arc<Ends>,
    drops: Arc<Drops>,
    /// Cancelled when a listener has no more clients, and the last one has gone.
    exhausted: CancellationToken,
    /// What standard input or output failed with, if they are the client.
    stdio_failed: Mutex<Option<io::Error>>,
}

/// How a server ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open when the drain timeout ran out, and were cut.
    pub cut: usize,
}

impl<H: Handler> Server<H> {
    /// A server without a service, whose connections stay within these limits.
    pub fn new(limits: &ServerLimits, address_rates: RateLimits) -> Self {
        Server {
            house: Arc::new(House {
                stopping: CancellationToken::new(),
                free: Arc::new(Semaphore::new(limits.max_connections)),
                no_share: Ration::default(),
                no_place: Ration::default(),
                quota: Quota::new(
                    limits.max_connections_per_ip,
                    limits.max_connections_per_uid,
                ),
                address_rates: AddressRates::new(address_rates),
                sender_rates: AddressRates::new(address_rates),
                no_rate: Ration::default(),
                next_id: AtomicU64::new(1),
                ends: Arc::default(),
                drops: Arc::default(),
                exhausted: CancellationToken::new(),
                stdio_failed: Mutex::default(),
            }),
            services: Mutex::default(),
        }
    }

    /// Adds a service, which has no door yet, and may have `max_connections` at once. What is logged about its connections is logged in `span`.
    pub fn add(
        &self,
        generations: Arc<Generations<H>>,
        rates: RateLimits,
        max_connections: Option<usize>,
        span: Span,
    ) -> Arc<Served<H>> {
        let served = Served::new(self.house.clone(), generations, rates, span);
        let served = Arc::new(served);
        served.set_max_connections(max_connections);
        self.services().push(served.clone());
        served
    }

    /// Changes what each client address may have in a second, from now on.
    pub fn set_address_rates(&self, limits: RateLimits) {
        self.house.address_rates.set(limits);
        self.house.sender_rates.set(limits);
    }

    /// Ends a service: no client gets in any more, and those that are there may finish within `limit`.
    pub async fn end(&self, served: &Arc<Served<H>>, limit: Duration) -> Drained {
        let drained = drain(std::slice::from_ref(served), limit).await;
        self.services().retain(|it| !Arc::ptr_eq(it, served));
        drained
    }

    /// Lets nobody in any more, from this moment on.
    pub fn close(&self) {
        self.house.stopping.cancel();
    }

    /// Ends all services likewise, those too that are added from now on.
    pub async fn stop(&self, limit: Duration) -> Drained {
        self.close();
        let all = self.services().clone();
        let drained = drain(&all, limit).await;
        self.house.ends.log();
        self.house.drops.log();
        drained
    }

    /// Completes when a listener has no more clients to come, and the last one has gone.
    pub async fn exhausted(&self) {
        self.house.exhausted.cancelled().await;
    }

    /// What standard input or output failed with, if they are the client. It is told once.
    pub fn stdio_failure(&self) -> Option<io::Error> {
        let failed = &self.house.stdio_failed;
        failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// How the connections of all services ended, of those too that are gone.
    pub fn ends(&self) -> &Ends {
        &self.house.ends
    }

    /// Datagrams that came to nothing, by the reason.
    pub fn dropped_datagrams(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.house.drops.counts()
    }

    /// How many connections are open, and what has gone through them so far.
    pub fn live(&self) -> (usize, Traffic) {
        let services = self.services().clone();
        let (open, traffic): (Vec<_>, Vec<_>) =
            services.iter().map(|it| it.generations.live()).unzip();
        (open.into_iter().sum(), traffic.into_iter().sum())
    }

    fn services(&self) -> MutexGuard<'_, Vec<Arc<Served<H>>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl House {
    /// A place for another connection, as soon as there is one. If there is none at once the operator is told, but not
    /// each time.
    async fn place(&self, listener: &str) -> OwnedSemaphorePermit {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return permit;
        }
        Limit::MaxConnections.reached();
        self.tell_who_waits(
            listener,
            "the connection limit is reached (--max-connections): new clients wait",
        );
        match self.free.clone().acquire_owned().await {
            Ok(permit) => permit,
            // Only a closed semaphore fails, and nobody closes this one.
            Err(_) => pending().await,
        }
    }

    /// The same for one that a service, or a listener, may have.
    async fn slot(&self, cap: &Arc<Cap>, listener: &str, why: &str) -> Slot {
        if let Some(slot) = cap.try_take() {
            return slot;
        }
        self.tell_who_waits(listener, why);
        cap.take().await
    }

    fn tell_who_waits(&self, listener: &str, why: &str) {
        if let Some(left_out) = self.no_place.take() {
            tracing::warn!(listener, left_out, "{why}");
        }
    }

    /// Another connection of a client, if it may have one. Otherwise the operator is told, but not each time.
    fn share(&self, client: IpAddr, listener: &str) -> Option<Share> {
        let mut rated = self.address_rates.of(client);
        if !rated.take(Kind::NewConnections, 1) {
            if let Some(left_out) = self.no_rate.take() {
                tracing::warn!(
                    listener, %client, left_out,
                    "a client connects more often than it may: further connections are closed \
                     (--max-new-connections-per-second-per-ip)"
                );
            }
            return None;
        }
        let share = self.quota.take(client);
        if share.is_none() {
            Limit::MaxConnectionsPerIp.reached();
            if let Some(left_out) = self.no_share.take() {
                tracing::warn!(
                    listener, %client, left_out,
                    "a client has as many connections as it may: further ones are closed (--max-connections-per-ip)"
                );
            }
        }
        share
    }
}

impl House {
    /// Another connection of a user of this machine, likewise.
    fn share_of_user(&self, uid: u32, listener: &str) -> Option<Share> {
        let share = self.quota.take(Holder::User(uid));
        if share.is_none() {
            Limit::MaxConnectionsPerUid.reached();
            if let Some(left_out) = self.no_share.take() {
                tracing::warn!(
                    listener,
                    uid,
                    left_out,
                    "a user has as many connections as they may: further ones are closed (--max-connections-per-uid)"
                );
            }
        }
        share
    }
}

/// Waits for connections that are still open, and cuts those that are so at the end of `limit`.
async fn drain<H: Handler>(services: &[Arc<Served<H>>], limit: Duration) -> Drained {
    for served in services {
        served.stop();
    }
    for served in services {
        served.closed().await;
    }
    let mut connections: Vec<_> = services.iter().map(|it| it.still_open()).collect();
    match connections.iter().map(JoinSet::len).sum() {
        0usize => return Drained { cut: 0 },
        open => tracing::info!("stopping: {open} connections may finish within {limit:?}"),
    }
    let all = async {
        for set in &mut connections {
            while set.join_next().await.is_some() {}
        }
    };
    let _ = timeout(limit, all).await;
    let mut cut = 0;
    for set in &mut connections {
        while set.try_join_next().is_some() {}
        cut += set.len();
        set.shutdown().await;
    }
    Limit::DrainTimeout.reached_times(cut as u64);
    Drained { cut }
}
