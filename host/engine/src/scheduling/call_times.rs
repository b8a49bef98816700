//! How long calls of a service take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The upper bounds of the counts, in microseconds; one more count has no bound.
const UP_TO_MICROSECONDS: [u64; 14] = [
    10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
    10_000_000, 30_000_000,
];

/// Times of a sample of the calls: of each epoch, the first.
#[derive(Debug)]
pub struct CallTimer {
    /// The epoch of the last sample.
    sampled: AtomicU64,
    counts: [AtomicU64; UP_TO_MICROSECONDS.len() + 1],
    sum_nanoseconds: AtomicU64,
}

/// How many calls took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallTimes {
    /// Calls by the most microseconds they took, which is `None` for the slowest.
    pub counts: Vec<(Option<u64>, u64)>,
    /// The time of all of them.
    pub sum: Duration,
}

impl Default for CallTimer {
    fn default() -> Self {
        CallTimer {
            // No epoch has this number.
            sampled: AtomicU64::new(u64::MAX),
            counts: Default::default(),
            sum_nanoseconds: AtomicU64::new(0),
        }
    }
}

impl CallTimer {
    /// The start of a call in this epoch, if the call is in the sample. Reading the clock costs
    /// more than everything else here.
    #[inline]
    pub fn sample(&self, epoch: u64) -> Option<Instant> {
        if self.sampled.load(Ordering::Relaxed) == epoch {
            return None;
        }
        self.sampled.store(epoch, Ordering::Relaxed);
        Some(Instant::now())
    }

    /// Counts a call that began then.
    pub fn record(&self, begun: Instant) {
        let time = begun.elapsed();
        let is_longer = |up_to: &u64| time > Duration::from_micros(*up_to);
        let at = UP_TO_MICROSECONDS.partition_point(is_longer);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The times so far.
    pub fn times(&self) -> CallTimes {
        let bounds = UP_TO_MICROSECONDS.into_iter().map(Some).chain([None]);
        let counts = self.counts.iter().map(|it| it.load(Ordering::Relaxed));
        CallTimes {
            counts: bounds.zip(counts).collect(),
            sum: Duration::from_nanos(self.sum_nanoseconds.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_of_an_epoch_is_counted_by_its_time() {
        let timer = CallTimer::default();
        let first = timer.sample(0).unwrap();
        assert!(timer.sample(0).is_none());
        timer.record(first);
        timer.record(timer.sample(1).unwrap() - Duration::from_secs(60));
        let times = timer.times();
        assert_eq!(times.counts.iter().map(|it| it.1).sum::<u64>(), 2);
        assert_eq!(times.counts.last(), Some(&(None, 1)));
        assert!(times.sum >= Duration::from_secs(60));
    }
}
