//! A token bucket as one number: when it will be full again (the generic cell rate algorithm, ITU-T
//! I.371). It holds the tokens of one second, and may be in debt, because the size of a read is
//! only known afterwards.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The capacity of a bucket, as the time to fill it.
const DEPTH_NANOS: u64 = 1_000_000_000;

/// Starts full. Times are relative to a moment that the caller chooses.
#[derive(Debug, Default)]
pub struct Bucket {
    /// In nanoseconds.
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes tokens, even on debt, and returns the time until they are available.
    pub fn reserve(&self, now: Duration, per_second: u64, tokens: u64) -> Duration {
        let (now, cost) = (nanos(now), cost(per_second, tokens));
        let full_at = |before: u64| before.max(now).saturating_add(cost);
        let (Ok(before) | Err(before)) =
            self.full_at
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
                    Some(full_at(before))
                });
        // A full bucket gives more than it holds, because it would never hold that much.
        if before <= now {
            Duration::ZERO
        } else {
            Duration::from_nanos(full_at(before).saturating_sub(now + DEPTH_NANOS))
        }
    }

    /// Takes tokens if available, or if the bucket is full and can never hold that many.
    pub fn take(&self, now: Duration, per_second: u64, tokens: u64) -> bool {
        let (now, cost) = (nanos(now), cost(per_second, tokens));
        let taken = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
                let full_at = before.max(now).saturating_add(cost);
                let is_there = before <= now || full_at <= now + DEPTH_NANOS;
                is_there.then_some(full_at)
            });
        taken.is_ok()
    }

    /// The time until a debt is paid.
    pub fn debt(&self, now: Duration) -> Duration {
        let full_at = self.full_at.load(Ordering::Relaxed);
        Duration::from_nanos(full_at.saturating_sub(nanos(now) + DEPTH_NANOS))
    }

    /// Whether it is full.
    pub fn is_full(&self, now: Duration) -> bool {
        self.full_at.load(Ordering::Relaxed) <= nanos(now)
    }

    /// Fills the bucket.
    pub fn fill(&self) {
        self.full_at.store(0, Ordering::Relaxed);
    }
}

/// The time in which this many tokens arrive.
fn cost(per_second: u64, tokens: u64) -> u64 {
    let nanos = u128::from(tokens) * u128::from(DEPTH_NANOS) / u128::from(per_second.max(1));
    nanos.try_into().unwrap_or(u64::MAX)
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests;
