//! Rate limits: new connections, messages and bytes per second, of a service or a client address.
//!
//! Only knows client addresses. The connection and the server decide what waits for a token, or is
//! dropped without one.

mod addresses;
mod bucket;
mod lines;
mod throttle;

pub use addresses::{AddressRates, RatedAddress};
pub use lines::LogRateLimiter;
pub use throttle::{Gate, Throttle};

use crate::limits::Limit;
use bucket::Bucket;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// The kinds of rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// New connections; over UDP, new sessions.
    NewConnections,
    /// Messages passed to a handler.
    Messages,
    /// Received bytes.
    Bytes,
}

/// The limits per second; `None` for no limit. After an idle second, as many may come at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// See [`Kind::NewConnections`].
    pub new_connections_per_second: Option<u64>,
    /// See [`Kind::Messages`].
    pub messages_per_second: Option<u64>,
    /// See [`Kind::Bytes`].
    pub bytes_per_second: Option<u64>,
}

/// Limits that can change while in use. 0 means none.
#[derive(Debug)]
struct SharedLimits {
    per_second: [AtomicU64; 3],
    are_on: AtomicBool,
    /// The number of changes.
    changes: AtomicU64,
}

impl SharedLimits {
    fn new(limits: RateLimits) -> Self {
        let shared = SharedLimits {
            per_second: Default::default(),
            are_on: AtomicBool::new(false),
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
        let are_on = all.iter().any(Option::is_some);
        self.are_on.store(are_on, Ordering::Relaxed);
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, kind: Kind) -> Option<u64> {
        let limit = self.per_second[kind as usize].load(Ordering::Relaxed);
        (limit > 0).then_some(limit)
    }

    fn are_off(&self) -> bool {
        !self.are_on.load(Ordering::Relaxed)
    }

    fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }
}

/// A bucket for each kind.
type Buckets = [Bucket; 3];

/// The rate limits of a service, shared by its connections.
#[derive(Debug)]
pub struct ServiceRates {
    limits: SharedLimits,
    buckets: Buckets,
    epoch: Instant,
}

impl ServiceRates {
    /// Starts with full buckets.
    pub fn new(limits: RateLimits) -> Self {
        ServiceRates {
            limits: SharedLimits::new(limits),
            buckets: Buckets::default(),
            epoch: Instant::now(),
        }
    }

    /// Changes the limits. Current waits continue.
    pub fn set(&self, limits: RateLimits) {
        self.limits.set(limits);
        self.buckets.iter().for_each(Bucket::fill);
    }

    /// Whether nothing is limited.
    pub fn are_off(&self) -> bool {
        self.limits.are_off()
    }

    /// Takes tokens, and returns how long to wait before using them: later callers wait longer.
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

    /// Takes tokens, if available.
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
    /// The time until a debt is paid, which other connections may have caused.
    fn debt(&self, kind: Kind) -> Duration {
        match self.limits.of(kind) {
            Some(_) => self.buckets[kind as usize].debt(self.epoch.elapsed()),
            None => Duration::ZERO,
        }
    }
}
