//! Rates: how many new connections, messages and bytes a service, or one client address, may have in a second.
//!
//! Knows clients by their addresses only; what waits for a token, or is dropped for want of one, is for the connection
//! and the server to say.

mod addresses;
mod bucket;
mod throttle;

pub use addresses::{AddressRates, RatedAddress};
pub use throttle::Throttle;

use crate::limits::Limit;
use bucket::Bucket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Connections that begin, over UDP sessions.
    NewConnections,
    /// Messages that a handler is given.
    Messages,
    /// Bytes that are received.
    Bytes,
}

/// How many of each there may be in a second; `None` for any number. As many may come at once after a second without
/// any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// See [`Kind::NewConnections`].
    pub new_connections_per_second: Option<u64>,
    /// See [`Kind::Messages`].
    pub messages_per_second: Option<u64>,
    /// See [`Kind::Bytes`].
    pub bytes_per_second: Option<u64>,
}

/// Limits that can change while they are used. 0 stands for none.
#[derive(Debug)]
struct SharedLimits {
    per_second: [AtomicU64; 3],
    /// How often they have changed.
    changes: AtomicU64,
}

impl SharedLimits {
    fn new(limits: RateLimits) -> Self {
        let shared = SharedLimits {
            per_second: Default::default(),
            changes: AtomicU64::new(0),
        };
        shared.set(limits);
        shared
    }

    fn set(&self, limits: RateLimits) {
        let all = [
            limits.new_connections_per_second,
            limits.messages_per_second,
            limits.bytes_per_second,
        ];
        for (shared, limit) in self.per_second.iter().zip(all) {
            shared.store(limit.unwrap_or(0), Ordering::Relaxed);
        }
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, kind: Kind) -> Option<u64> {
        let limit = self.per_second[kind as usize].load(Ordering::Relaxed);
        (limit > 0).then_some(limit)
    }

    fn are_off(&self) -> bool {
        let off = |limit: &AtomicU64| limit.load(Ordering::Relaxed) == 0;
        self.per_second.iter().all(off)
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }
}

/// A bucket for each kind.
type Buckets = [Bucket; 3];

/// The rates of one service, which all its connections share.
#[derive(Debug)]
pub struct ServiceRates {
    limits: SharedLimits,
    buckets: Buckets,
    epoch: Instant,
}

impl ServiceRates {
    /// Nothing has been used of them.
    pub fn new(limits: RateLimits) -> Self {
        ServiceRates {
            limits: SharedLimits::new(limits),
            buckets: Buckets::default(),
            epoch: Instant::now(),
        }
    }

    /// Changes them, from now on. Who waits by others goes on.
    pub fn set(&self, limits: RateLimits) {
        self.limits.set(limits);
        self.buckets.iter().for_each(Bucket::fill);
    }

    /// Whether nothing is limited.
    pub fn are_off(&self) -> bool {
        self.limits.are_off()
    }

    /// Takes tokens, and says how long to wait before what they are for: who comes later waits for longer.
    pub fn reserve(&self, kind: Kind, tokens: u64) -> Duration {
        let Some(limit) = self.limits.of(kind) else {
            return Duration::ZERO;
        };
        let wait = self.buckets[kind as usize].reserve(self.epoch.elapsed(), limit, tokens);
        if !wait.is_zero() {
            of_service(kind).reached();
        }
        wait
    }

    /// Takes tokens if they are there.
    pub fn take(&self, kind: Kind, tokens: u64) -> bool {
        let taken = self.limits.of(kind).is_none_or(|limit| {
            self.buckets[kind as usize].take(self.epoch.elapsed(), limit, tokens)
        });
        if !taken {
            of_service(kind).reached();
        }
        taken
    }
}

fn of_service(kind: Kind) -> Limit {
    match kind {
        Kind::NewConnections => Limit::MaxNewConnectionsPerSecond,
        Kind::Messages => Limit::MaxMessagesPerSecond,
        Kind::Bytes => Limit::MaxBytesPerSecond,
    }
}

fn of_address(kind: Kind) -> Limit {
    match kind {
        Kind::NewConnections => Limit::MaxNewConnectionsPerSecondPerIp,
        Kind::Messages => Limit::MaxMessagesPerSecondPerIp,
        Kind::Bytes => Limit::MaxBytesPerSecondPerIp,
    }
}

impl ServiceRates {
    /// How long it takes until a debt is paid, which other connections may have made.
    fn debt(&self, kind: Kind) -> Duration {
        match self.limits.of(kind) {
            Some(_) => self.buckets[kind as usize].debt(self.epoch.elapsed()),
            None => Duration::ZERO,
        }
    }
}
