//! The clock of timers. A rehearsal skips the time in which nothing can happen.

use crate::sync::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time as timers and guests see it: that of the system, plus what was skipped.
///
/// By default nothing can be skipped, and the clock costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Mutex<Skipping>>>);

#[derive(Debug, Default)]
struct Skipping {
    skipped: Duration,
    wait: Wait,
    is_stuck: bool,
    has_stopped: bool,
}

/// What a connection waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// A call, or nothing.
    #[default]
    Other,
    /// Its client.
    Client,
    /// Its client, or a timer at this time.
    Timer(Instant),
}

impl Clock {
    /// A clock whose time can be skipped.
    pub fn of_a_rehearsal() -> Self {
        Clock(Some(Arc::default()))
    }

    /// Whether time can be skipped.
    #[inline]
    pub fn can_skip(&self) -> bool {
        self.0.is_some()
    }

    /// How much time was skipped.
    pub fn skipped(&self) -> Duration {
        let skipping = self.0.as_ref();
        skipping.map_or(Duration::ZERO, |it| it.lock().skipped)
    }

    /// Notes what a connection waits for.
    #[inline]
    pub(crate) fn wait(&self, wait: Wait) {
        if let Some(skipping) = &self.0 {
            skipping.lock().wait = wait;
        }
    }

    /// Skips the time until the timer that a connection waits for, at `now` of the system's clock.
    /// Without one, it is [stuck](Clock::is_stuck). False if it waits for neither timer nor client.
    pub fn skip(&self, now: Instant) -> bool {
        let Some(skipping) = &self.0 else {
            return false;
        };
        let mut skipping = skipping.lock();
        match std::mem::take(&mut skipping.wait) {
            Wait::Other => return false,
            Wait::Timer(until) if !skipping.has_stopped => {
                let left = until.saturating_duration_since(now + skipping.skipped);
                if left.is_zero() {
                    return false;
                }
                skipping.skipped += left;
            }
            Wait::Client | Wait::Timer(_) => skipping.is_stuck = true,
        }
        true
    }

    /// Skips no more. A connection that waits for a timer then is stuck.
    pub fn stop(&self) {
        if let Some(skipping) = &self.0 {
            skipping.lock().has_stopped = true;
        }
    }

    /// Whether the connection waits for its client while that waits, too.
    pub fn is_stuck(&self) -> bool {
        self.0.as_ref().is_some_and(|it| it.lock().is_stuck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_waited_for_is_skipped_and_once() {
        let clock = Clock::of_a_rehearsal();
        let now = Instant::now();
        assert!(!clock.skip(now));
        clock.wait(Wait::Timer(now + Duration::from_secs(5)));
        assert!(clock.skip(now + Duration::from_secs(1)));
        assert_eq!(clock.skipped(), Duration::from_secs(4));
        assert!(!clock.skip(now));
        // Already over, by this clock.
        clock.wait(Wait::Timer(now + Duration::from_secs(3)));
        assert!(!clock.skip(now));
        assert_eq!(clock.skipped(), Duration::from_secs(4));
        clock.wait(Wait::Client);
        assert!(clock.skip(now) && clock.is_stuck());
        let stopped = Clock::of_a_rehearsal();
        stopped.stop();
        stopped.wait(Wait::Timer(now + Duration::from_secs(5)));
        assert!(stopped.skip(now) && stopped.is_stuck());
        assert_eq!(stopped.skipped(), Duration::ZERO);
        let real = Clock::default();
        real.wait(Wait::Client);
        assert!(!real.skip(now) && !real.is_stuck());
    }
}
