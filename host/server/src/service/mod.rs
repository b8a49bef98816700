//! The server: accepts on every listener of every service, serves each connection in its own task,
//! and drains. Must not know Wasm or configuration files.
//!
//! ```text
//! Server -> ServedService -> ServiceListener      a host, its services, their listeners
//! ```
//!
//! A UDP sender is a connection too, but with separate limits: it may be forged, so it takes
//! nothing that connections need.
//!
//! Services and listeners come and go while the server runs. They share the connection limit.

mod accepting;
mod cap;
mod client;
mod close_stats;
mod datagrams;
mod drops;
mod ended;
mod permits;
mod quota;
mod sender;
mod served;
mod sweep;
mod tap;
mod watching;

pub use close_stats::{CloseStats, Totals};
use drops::Drops;
pub use served::{ServedService, ServiceListener};
pub use tap::{Tap, TapEntry, Tapped};
pub use watching::{Found, Selection};

use crate::workers::Workers;
use connection::generation::Generations;
use connection::handle::Traffic;
use connection::handler::Handler;
use connection::limits::{Limit, MAX_NO_PERMIT_LINES_PER_SECOND, ServerLimits};
use connection::rates::{AddressRates, LogRateLimiter, RateLimits};
use parking_lot::{Mutex, MutexGuard};
use quota::ConnectionQuota;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;
use watching::Watchers;

/// The services of a host.
pub struct Server<H> {
    state: Arc<ServerState>,
    /// Services that accept, and services that drain.
    services: Mutex<Vec<Arc<ServedService<H>>>>,
}

/// State shared by all services.
struct ServerState {
    workers: Arc<Workers>,
    /// Cancelled when no listener of any service accepts any more.
    stopping: CancellationToken,
    /// A permit for each allowed connection.
    free: Arc<Semaphore>,
    quota: Arc<ConnectionQuota>,
    /// Rate limits of client addresses.
    address_rates: Arc<AddressRates>,
    /// Rate limits of addresses for datagrams. These may be forged, so they take nothing from
    /// connections.
    sender_rates: Arc<AddressRates>,
    /// Rate limit of log lines about clients that connect too often.
    no_rate: LogRateLimiter<MAX_NO_PERMIT_LINES_PER_SECOND>,
    /// Rate limit of log lines about clients with too many connections.
    no_share: LogRateLimiter<MAX_NO_PERMIT_LINES_PER_SECOND>,
    /// Rate limit of log lines about waiting clients.
    no_permit: LogRateLimiter<MAX_NO_PERMIT_LINES_PER_SECOND>,
    next_id: AtomicU64,
    stats: Arc<CloseStats>,
    drops: Arc<Drops>,
    /// Who watches connections.
    watchers: Watchers,
    /// The fixed moment from which sweeps count.
    begun: Instant,
    /// Cancelled when a listener has no more clients and the last one is gone.
    exhausted: CancellationToken,
    /// The error of standard input or output, if they are the client.
    stdio_failed: Mutex<Option<io::Error>>,
}

/// How a server ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut at the drain timeout.
    pub cut: usize,
}

impl<H: Handler> Server<H> {
    /// A server without services, with these threads and limits. `logs_connections`: whether the
    /// normal end of a connection is logged at level info.
    pub fn new(
        workers: Arc<Workers>,
        limits: &ServerLimits,
        address_rates: RateLimits,
        logs_connections: bool,
    ) -> Self {
        Server {
            state: Arc::new(ServerState {
                workers,
                stopping: CancellationToken::new(),
                free: Arc::new(Semaphore::new(limits.max_connections)),
                no_share: LogRateLimiter::default(),
                no_permit: LogRateLimiter::default(),
                quota: ConnectionQuota::new(
                    limits.max_connections_per_ip,
                    limits.max_connections_per_uid,
                ),
                address_rates: AddressRates::new(address_rates),
                sender_rates: AddressRates::new(address_rates),
                no_rate: LogRateLimiter::default(),
                next_id: AtomicU64::new(1),
                stats: Arc::new(CloseStats::new(logs_connections)),
                drops: Arc::default(),
                watchers: Watchers::default(),
                begun: Instant::now(),
                exhausted: CancellationToken::new(),
                stdio_failed: Mutex::default(),
            }),
            services: Mutex::default(),
        }
    }

    /// Adds a service of this name without listeners and with at most `max_connections`. Its log
    /// lines use `span`.
    pub fn add(
        &self,
        name: &str,
        generations: Arc<Generations<H>>,
        rates: RateLimits,
        max_connections: Option<usize>,
        span: Span,
    ) -> Arc<ServedService<H>> {
        let state = self.state.clone();
        let served = ServedService::new(name.into(), state, generations, rates, span);
        let served = Arc::new(served);
        served.set_max_connections(max_connections);
        self.services().push(served.clone());
        served
    }

    /// Changes the rate limits of client addresses.
    pub fn set_address_rates(&self, limits: RateLimits) {
        self.state.address_rates.set(limits);
        self.state.sender_rates.set(limits);
    }

    /// Closes a service: accepts no more clients, and lets open connections finish within `limit`.
    pub async fn end(&self, served: &Arc<ServedService<H>>, limit: Duration) -> Drained {
        let drained = drain(std::slice::from_ref(served), limit).await;
        self.services().retain(|it| !Arc::ptr_eq(it, served));
        drained
    }

    /// Stops accepting, at once.
    pub fn close(&self) {
        self.state.stopping.cancel();
    }

    /// Closes all services the same way, also those added later.
    pub async fn stop(&self, limit: Duration) -> Drained {
        self.close();
        let all = self.services().clone();
        let drained = drain(&all, limit).await;
        self.state.stats.log();
        self.state.drops.log();
        drained
    }

    /// Completes when a listener has no more clients and the last one is gone.
    pub async fn exhausted(&self) {
        self.state.exhausted.cancelled().await;
    }

    /// The error of standard input or output, if they are the client. Returned once.
    pub fn stdio_failure(&self) -> Option<io::Error> {
        let failed = &self.state.stdio_failed;
        failed.lock().take()
    }

    /// The counts of all services, also of removed ones.
    pub fn stats(&self) -> &CloseStats {
        &self.state.stats
    }

    /// Dropped datagrams by reason.
    pub fn dropped_datagrams(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.state.drops.counts().into_iter()
    }

    /// The number of open connections, and their traffic so far.
    pub fn live(&self) -> (usize, Traffic) {
        let services = self.services().clone();
        let (open, traffic): (Vec<_>, Vec<_>) =
            services.iter().map(|it| it.generations.live()).unzip();
        (open.into_iter().sum(), traffic.into_iter().sum())
    }

    /// The threads that serve.
    pub fn workers(&self) -> &Workers {
        &self.state.workers
    }

    fn services(&self) -> MutexGuard<'_, Vec<Arc<ServedService<H>>>> {
        self.services.lock()
    }
}

/// Waits for open connections, and cuts those still open after `limit`.
async fn drain<H: Handler>(services: &[Arc<ServedService<H>>], limit: Duration) -> Drained {
    for served in services {
        served.stop();
    }
    for served in services {
        served.closed().await;
    }
    let mut connections: Vec<_> = services.iter().flat_map(|it| it.still_open()).collect();
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
