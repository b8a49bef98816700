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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_starts_with_the_tokens_of_one_second() {
        let bucket = Bucket::default();
        let taken = (0..100).filter(|_| bucket.take(SECOND, 10, 1)).count();
        assert_eq!(taken, 10);
        assert!(!bucket.take(SECOND + SECOND / 20, 10, 1));
        assert!(bucket.take(SECOND + SECOND / 10, 10, 1));
        assert!(!bucket.take(SECOND + SECOND / 10, 10, 1));
        assert!(bucket.is_full(3 * SECOND));
    }

    #[test]
    fn reservations_wait_in_turn() {
        let bucket = Bucket::default();
        let waits: Vec<_> = (0..5).map(|_| bucket.reserve(SECOND, 2, 1)).collect();
        let expected = [0, 0, 500, 1000, 1500].map(Duration::from_millis);
        assert_eq!(waits, expected);
        assert_eq!(bucket.debt(SECOND), Duration::from_millis(1500));
        bucket.fill();
        assert_eq!(bucket.reserve(SECOND, 2, 1), Duration::ZERO);
    }

    #[test]
    fn a_request_above_the_capacity_needs_a_full_bucket() {
        let bucket = Bucket::default();
        assert!(bucket.take(SECOND, 10, 25));
        assert!(!bucket.take(2 * SECOND, 10, 25));
        assert!(bucket.take(SECOND * 7 / 2, 10, 25));
    }

    proptest! {
        /// In any period, no more is taken than the bucket holds and what arrives.
        #[test]
        fn no_more_is_taken_than_comes(
            per_second in 1_u64..10_000,
            steps in proptest::collection::vec((0_u64..2_000_000_000, 1_u64..20), 1..200)
        ) {
            let bucket = Bucket::default();
            let (mut now, mut taken) = (Duration::ZERO, Vec::new());
            for (pause, tokens) in steps {
                now += Duration::from_nanos(pause);
                let tokens = tokens.min(per_second);
                if bucket.take(now, per_second, tokens) {
                    taken.push((now, tokens));
                }
            }
            for (first, (begin, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (end, tokens) in &taken[first..] {
                    sum += tokens;
                    let comes = (*end - *begin).as_nanos() * u128::from(per_second) / 1_000_000_000;
                    prop_assert!(u128::from(sum) <= u128::from(per_second) + comes + 1);
                }
            }
        }

        /// After the returned wait, all reserved tokens are available, however many.
        #[test]
        fn reservations_add_up(
            per_second in 1_u64..1_000_000,
            asked in proptest::collection::vec(1_u64..100_000, 1..50)
        ) {
            let bucket = Bucket::default();
            let mut before = Duration::ZERO;
            let mut sum = 0_u128;
            for tokens in asked {
                let wait = bucket.reserve(SECOND, per_second, tokens);
                prop_assert!(wait >= before);
                sum += u128::from(tokens) * 1_000_000_000 / u128::from(per_second);
                if wait > Duration::ZERO {
                    prop_assert_eq!(wait.as_nanos(), sum - 1_000_000_000);
                }
                before = wait;
            }
        }

        #[test]
        fn no_number_overflows(now in any::<u64>(), per_second in any::<u64>(), tokens in any::<u64>()) {
            let (bucket, now) = (Bucket::default(), Duration::from_nanos(now / 2));
            bucket.reserve(now, per_second, tokens);
            bucket.take(now, per_second, tokens);
            bucket.debt(now);
        }
    }
}
