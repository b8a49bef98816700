//! Rate limits of client addresses. An address is remembered while its buckets are not full: a
//! second, or until its debts are paid.

use super::bucket::Bucket;
use super::{Buckets, Kind, RateLimits, SharedLimits, of_address};
use crate::limits::MAX_RATED_ADDRESSES;
use address::counted_as;
use parking_lot::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The number of addresses from which full ones are forgotten.
const TIDY_FROM: usize = 1024;

/// How often addresses are checked when the table is full.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// Rate limits of clients with one address, or in one IPv6 network of 64 bits.
#[derive(Debug)]
pub struct AddressRates {
    limits: SharedLimits,
    known: Mutex<Known>,
    epoch: Instant,
}

#[derive(Debug, Default)]
struct Known {
    buckets: HashMap<IpAddr, Arc<Buckets>>,
    /// The number of addresses for the next check.
    tidy_at: usize,
    /// The time of the last check.
    tidied: Duration,
    /// The buckets shared by addresses beyond the table.
    others: Arc<Buckets>,
}

/// The rates of one address.
#[derive(Clone, Debug)]
pub struct RatedAddress {
    rates: Arc<AddressRates>,
    address: IpAddr,
    /// Created when there is a limit.
    buckets: Option<Arc<Buckets>>,
}

impl AddressRates {
    /// Starts with full buckets.
    pub fn new(limits: RateLimits) -> Arc<Self> {
        Arc::new(AddressRates {
            limits: SharedLimits::new(limits),
            known: Mutex::default(),
            epoch: Instant::now(),
        })
    }

    /// Changes the limits. Current waits continue.
    pub fn set(&self, limits: RateLimits) {
        self.limits.set(limits);
        let known = self.known();
        let all = known.buckets.values().chain([&known.others]);
        all.flat_map(|buckets| buckets.iter())
            .for_each(Bucket::fill);
    }

    /// Whether nothing is limited.
    pub fn are_off(&self) -> bool {
        self.limits.are_off()
    }

    /// The rate limits of a client address.
    pub fn of(self: &Arc<Self>, client: IpAddr) -> RatedAddress {
        RatedAddress {
            rates: self.clone(),
            address: counted_as(client),
            buckets: None,
        }
    }

    fn buckets(&self, address: IpAddr) -> Arc<Buckets> {
        let mut known = self.known();
        if let Some(buckets) = known.buckets.get(&address) {
            return buckets.clone();
        }
        let now = self.epoch.elapsed();
        let is_full = known.buckets.len() >= MAX_RATED_ADDRESSES;
        if known.buckets.len() >= known.tidy_at
            // Checking all addresses for each new one would help an attacker.
            || is_full && now.saturating_sub(known.tidied) >= TIDY_EVERY
        {
            known.tidied = now;
            known.buckets.retain(|_, buckets| {
                Arc::strong_count(buckets) > 1 || buckets.iter().any(|it| !it.is_full(now))
            });
            known.tidy_at = (2 * known.buckets.len()).max(TIDY_FROM);
        }
        if known.buckets.len() >= MAX_RATED_ADDRESSES {
            return known.others.clone();
        }
        known.buckets.entry(address).or_default().clone()
    }
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }
}

impl RatedAddress {
    /// See [`ServiceRates::reserve`](super::ServiceRates::reserve).
    pub fn reserve(&mut self, kind: Kind, tokens: u64) -> Duration {
        let Some(limit) = self.rates.limits.of(kind) else {
            return Duration::ZERO;
        };
        let now = self.rates.epoch.elapsed();
        let wait = self.bucket(kind).reserve(now, limit, tokens);
        if !wait.is_zero() {
            of_address(kind).reached();
        }
        wait
    }

    /// Takes tokens, if available.
    pub fn take(&mut self, kind: Kind, tokens: u64) -> bool {
        let Some(limit) = self.rates.limits.of(kind) else {
            return true;
        };
        let now = self.rates.epoch.elapsed();
        let taken = self.bucket(kind).take(now, limit, tokens);
        if !taken {
            of_address(kind).reached();
        }
        taken
    }

    /// The time until a debt is paid, which other connections may have caused.
    pub(super) fn debt(&mut self, kind: Kind) -> Duration {
        match self.rates.limits.of(kind) {
            Some(_) => {
                let now = self.rates.epoch.elapsed();
                self.bucket(kind).debt(now)
            }
            None => Duration::ZERO,
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.rates.are_off()
    }

    pub(super) fn changes(&self) -> u64 {
        self.rates.limits.changes()
    }

    fn bucket(&mut self, kind: Kind) -> &Bucket {
        let RatedAddress {
            rates,
            address,
            buckets,
        } = self;
        &buckets.get_or_insert_with(|| rates.buckets(*address))[kind as usize]
    }
}

#[cfg(test)]
mod tests;
