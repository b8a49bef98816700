//! The time in which messages count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// From the end of the warm-up to the end of the run, which may come early.
#[derive(Debug)]
pub struct Window {
    start: Instant,
    opens_ns: u64,
    closes_ns: AtomicU64,
}

impl Window {
    /// The load starts at `start`.
    pub fn new(start: Instant, warm_up: Duration, duration: Duration) -> Self {
        Window {
            start,
            opens_ns: nanoseconds(warm_up),
            closes_ns: nanoseconds(warm_up + duration).into(),
        }
    }

    /// Closes it now, if it is not closed yet.
    pub fn close(&self) {
        let now = nanoseconds(self.start.elapsed());
        self.closes_ns.fetch_min(now, Ordering::Relaxed);
    }

    pub fn start(&self) -> Instant {
        self.start
    }

    pub fn opens(&self) -> Instant {
        self.start + Duration::from_nanos(self.opens_ns)
    }

    pub fn closes(&self) -> Instant {
        self.start + Duration::from_nanos(self.closes_ns.load(Ordering::Relaxed))
    }

    /// How long it is: nothing if it was closed during the warm-up.
    pub fn measured(&self) -> Duration {
        self.closes().saturating_duration_since(self.opens())
    }

    /// Whether something that lasted from one moment to another was under way while the window was open.
    pub fn meets(&self, from: Instant, to: Instant) -> bool {
        from < self.closes() && to >= self.opens() && !self.measured().is_zero()
    }

    /// How far into the window a moment lies, if it does.
    pub fn at(&self, moment: Instant) -> Option<Duration> {
        let since_start = nanoseconds(moment.saturating_duration_since(self.start));
        let measured = self.opens_ns..self.closes_ns.load(Ordering::Relaxed);
        measured
            .contains(&since_start)
            .then(|| Duration::from_nanos(since_start - self.opens_ns))
    }

    /// Whether nothing may be sent any more.
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.closes()
    }
}

/// Saturates after 584 years.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_lasts_from_the_warm_up_to_the_end() {
        let start = Instant::now();
        let window = Window::new(start, SECOND, 2 * SECOND);
        assert_eq!(window.at(start), None);
        assert_eq!(window.at(start + SECOND), Some(Duration::ZERO));
        assert_eq!(
            window.at(start + SECOND.mul_f64(1.5)),
            Some(SECOND.mul_f64(0.5))
        );
        assert_eq!(window.at(start + 3 * SECOND), None);
        let meets = |from, to| window.meets(start + SECOND * from, start + SECOND * to);
        assert!(meets(0, 1) && meets(0, 9) && meets(2, 9));
        assert!(!meets(0, 0) && !meets(3, 9));
        assert!(!window.is_over(start + 2 * SECOND) && window.is_over(start + 3 * SECOND));
        assert_eq!(window.measured(), 2 * SECOND);
    }

    #[test]
    fn closed_during_the_warm_up_it_was_never_open() {
        let window = Window::new(Instant::now(), 60 * SECOND, SECOND);
        window.close();
        assert_eq!(window.measured(), Duration::ZERO);
        assert_eq!(window.at(Instant::now()), None);
        assert!(!window.meets(window.start(), window.start() + 120 * SECOND));
        assert!(window.is_over(Instant::now()));
    }
}
