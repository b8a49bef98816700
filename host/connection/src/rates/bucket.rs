//! A token bucket, as one number: when it will be full again (the generic cell rate algorithm, ITU-T I.371). It holds as
//! many tokens as come in a second, and may be in debt, as nobody knows what a read returns before it has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a bucket holds, as the time in which it fills.
const DEPTH_NANOS: u64 = 1_000_000_000;

/// Full at first. Times are since a moment that whoever uses it has chosen.
#[derive(Debug, Default)]
pub struct Bucket {
    /// In nanoseconds.
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes tokens, even those that are not there yet, and says how long it takes until they are.
    pub fn reserve(&self, now: Duration, per_second: u64, tokens: u64) -> Duration {
        let (now, cost) = (nanos(now), cost(per_second, tokens));
        let full_at = |before: u64| before.max(now).saturating_add(cost);
        let (Ok(before) | Err(before)) =
            self.full_at
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| {
                    Some(full_at(before))
                });
        // A full bucket gives more than it holds, as it would never hold that much.
        match before <= now {
            true => Duration::ZERO,
            false => Duration::from_nanos(full_at(before).saturating_sub(now + DEPTH_NANOS)),
        }
    }

    /// Takes tokens if they are there, or if the bucket is full and never holds so many.
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

    /// How long it takes until a debt is paid.
    pub fn debt(&self, now: Duration) -> Duration {
        let full_at = self.full_at.load(Ordering::Relaxed);
        Duration::from_nanos(full_at.saturating_sub(nanos(now) + DEPTH_NANOS))
    }

    /// Whether it is full, as a new one is.
    pub fn is_full(&self, now: Duration) -> bool {
        self.full_at.load(Ordering::Relaxed) <= nanos(now)
    }

    /// Forgets what was taken.
    pub fn fill(&self) {
        self.full_at.store(0, Ordering::Relaxed);
    }
}

/// How long so many tokens take to come.
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
    fn a_second_s_worth_is_there_at_first_and_then_as_many_as_come() {
        let bucket = Bucket::default();
        let taken = (0..100).filter(|_| bucket.take(SECOND, 10, 1)).count();
        assert_eq!(taken, 10);
        assert!(!bucket.take(SECOND + SECOND / 20, 10, 1));
        assert!(bucket.take(SECOND + SECOND / 10, 10, 1));
        assert!(!bucket.take(SECOND + SECOND / 10, 10, 1));
        assert!(bucket.is_full(3 * SECOND));
    }

    #[test]
    fn who_reserves_waits_in_turn() {
        let bucket = Bucket::default();
        let waits: Vec<_> = (0..5).map(|_| bucket.reserve(SECOND, 2, 1)).collect();
        let expected = [0, 0, 500, 1000, 1500].map(Duration::from_millis);
        assert_eq!(waits, expected);
        assert_eq!(bucket.debt(SECOND), Duration::from_millis(1500));
        bucket.fill();
        assert_eq!(bucket.reserve(SECOND, 2, 1), Duration::ZERO);
    }

    #[test]
    fn what_is_larger_than_the_bucket_needs_a_full_one() {
        let bucket = Bucket::default();
        assert!(bucket.take(SECOND, 10, 25));
        assert!(!bucket.take(2 * SECOND, 10, 25));
        assert!(bucket.take(SECOND * 7 / 2, 10, 25));
    }

    proptest! {
        /// In no stretch of time more is taken than a bucket holds and what comes meanwhile.
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

        /// Who waits as long as they are told has what they asked for, however much that is.
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
