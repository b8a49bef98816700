//! Counts of values by size, such as the times of calls.

use crate::sync::atomic::{AtomicU64, Ordering};

/// Counts values by size. Any thread may record.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than bounds: the last has none.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// How many values were how large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Values by the largest that counts there, which is `None` for the largest values.
    pub counts: Vec<(Option<u64>, u64)>,
    /// The sum of all values.
    pub sum: u64,
}

impl Histogram {
    /// Counts by these upper bounds, smallest first.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = bounds.iter().map(|_| 0).chain([0]);
        Histogram {
            bounds,
            counts: counts.map(AtomicU64::new).collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a value.
    pub fn record(&self, value: u64) {
        let at = self.bounds.partition_point(|bound| value > *bound);
        self.counts[at].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// The counts so far.
    pub fn distribution(&self) -> Distribution {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().map(|it| it.load(Ordering::Relaxed));
        Distribution {
            counts: bounds.zip(counts).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_at_the_first_bound_that_is_not_smaller() {
        let histogram = Histogram::new(&[10, 100]);
        for value in [0, 10, 11, 100, 101, 1000] {
            histogram.record(value);
        }
        let Distribution { counts, sum } = histogram.distribution();
        assert_eq!(counts, [(Some(10), 2), (Some(100), 2), (None, 2)]);
        assert_eq!(sum, 1222);
    }
}
