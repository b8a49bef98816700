//! When the messages of a run count, and when those of an open loop are due.

use super::Plan;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SECOND_NS: u128 = 1_000_000_000;

/// The measured time lasts from the end of the warm-up to the end of the run, which may be early.
#[derive(Debug)]
pub struct Schedule {
    start: Instant,
    opens_ns: u64,
    closes_ns: AtomicU64,
    rate_per_s: Option<u32>,
}

impl Schedule {
    /// The load starts at `start`.
    pub fn new(plan: &Plan, start: Instant) -> Self {
        Schedule {
            start,
            opens_ns: nanoseconds(plan.warm_up),
            closes_ns: nanoseconds(plan.warm_up + plan.duration).into(),
            rate_per_s: plan.rate_per_s,
        }
    }

    /// Ends the run now, unless it has ended.
    pub fn close(&self) {
        let now = nanoseconds(self.elapsed());
        self.closes_ns.fetch_min(now, Ordering::Relaxed);
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn opens(&self) -> Instant {
        self.start + Duration::from_nanos(self.opens_ns)
    }

    pub fn closes(&self) -> Instant {
        self.start + Duration::from_nanos(self.closes_ns.load(Ordering::Relaxed))
    }

    /// The length of the measured time: zero if the run was ended during the warm-up.
    pub fn measured(&self) -> Duration {
        self.closes().saturating_duration_since(self.opens())
    }

    /// Whether this period overlaps the measured time.
    pub fn meets(&self, from: Instant, to: Instant) -> bool {
        from < self.closes() && to >= self.opens() && !self.measured().is_zero()
    }

    /// The offset of a moment in the measured time, if it is inside.
    pub fn at(&self, moment: Instant) -> Option<Duration> {
        let offset = moment.checked_duration_since(self.opens())?;
        (offset < self.measured()).then_some(offset)
    }

    /// Whether sending has ended.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.closes()
    }

    /// When a message of an open loop is due, by its number among those of all connections.
    pub fn due(&self, message: u64) -> Option<Instant> {
        let after_ns = u128::from(message) * SECOND_NS / u128::from(self.rate_per_s?);
        let after_ns = u64::try_from(after_ns).unwrap_or(u64::MAX);
        Some(self.start + Duration::from_nanos(after_ns))
    }

    /// How many messages of an open loop were due before the end of the run, from this one on, if a
    /// connection has one of so many.
    pub fn unsent(&self, next: u64, connections: u32) -> u64 {
        let Some(rate_per_s) = self.rate_per_s else {
            return 0;
        };
        let time_ns = u128::from(self.closes_ns.load(Ordering::Relaxed));
        let due = (time_ns * u128::from(rate_per_s)).div_ceil(SECOND_NS);
        let unsent = due.saturating_sub(next.into());
        u64::try_from(unsent.div_ceil(connections.into())).unwrap_or(u64::MAX)
    }
}

/// Saturates after 584 years.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::plan;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_overlaps_the_measured_time_counts() {
        let start = Instant::now();
        let schedule = Schedule::new(&plan(2 * SECOND), start);
        let at = |seconds| schedule.at(start + SECOND.mul_f64(seconds));
        let half = Some(SECOND / 2);
        let offsets = [at(0.0), at(1.0), at(1.5), at(3.0)];
        assert_eq!(offsets, [None, Some(Duration::ZERO), half, None]);
        let meets = |from, to| schedule.meets(start + SECOND * from, start + SECOND * to);
        assert!(meets(0, 1) && meets(0, 9) && meets(2, 9));
        assert!(!meets(0, 0) && !meets(3, 9));
        schedule.close();
        assert_eq!(schedule.measured(), Duration::ZERO);
        assert!(!meets(0, 120) && schedule.is_over(Instant::now()));
    }

    #[test]
    fn messages_are_evenly_spaced_and_those_before_the_end_are_due() {
        let start = Instant::now();
        let mut plan = plan(2 * SECOND);
        assert_eq!(Schedule::new(&plan, start).due(0), None);
        plan.rate_per_s = Some(8);
        let schedule = Schedule::new(&plan, start);
        assert_eq!(schedule.due(3), Some(start + SECOND * 3 / 8));
        for (sent, unsent) in [(0, 24), (1, 20), (5, 4), (6, 0), (9, 0)] {
            let all = (0..4).map(|connection| schedule.unsent(connection + 4 * sent, 4));
            assert_eq!(all.sum::<u64>(), unsent);
        }
    }
}
