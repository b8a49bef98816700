//! Coarse clocks, for guests without a grant for precise ones.
//!
//! A nanosecond clock lets a guest measure other processes on the same processor: the time of a
//! memory access reveals what was cached. A clock with a grain of [`CLOCK_GRAIN`] makes that slow
//! and noisy, and is precise enough for people and networks.

use connection::clock::Clock;
use connection::limits::CLOCK_GRAIN;
use std::time::{Duration, Instant, SystemTime};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// The time of day, rounded down to the grain.
pub struct CoarseWallClock(pub Clock);

impl HostWallClock for CoarseWallClock {
    fn resolution(&self) -> Duration {
        CLOCK_GRAIN
    }

    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A clock before 1970 is wrong anyway.
        floor(now.unwrap_or_default() + self.0.skipped())
    }
}

/// The time since the instance started, rounded down, plus one grain: never zero, which Go programs
/// take for a broken clock.
///
/// Time that a rehearsal skips counts, too: also that before the instance started.
///
/// A guest that waits until a time of this clock never wakes too early: the clock is at most a
/// grain behind, and the guest waits that much longer.
pub struct CoarseMonotonicClock {
    started: Instant,
    clock: Clock,
}

impl CoarseMonotonicClock {
    pub fn new(clock: Clock) -> Self {
        CoarseMonotonicClock {
            started: Instant::now(),
            clock,
        }
    }
}

impl HostMonotonicClock for CoarseMonotonicClock {
    fn resolution(&self) -> u64 {
        nanoseconds(CLOCK_GRAIN)
    }

    fn now(&self) -> u64 {
        nanoseconds(CLOCK_GRAIN + floor(self.started.elapsed() + self.clock.skipped()))
    }
}

fn floor(time: Duration) -> Duration {
    let into_grain = time.as_nanos() % CLOCK_GRAIN.as_nanos();
    time - Duration::from_nanos(into_grain as u64)
}

/// 64 bits are enough for 584 years.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_tells_zero() {
        let clock = CoarseMonotonicClock::new(Clock::default());
        assert!(clock.now() >= clock.resolution());
    }

    #[test]
    fn time_stands_still_within_a_grain() {
        let times = [0, 999_999, 1_000_000, 1_999_999, 5_000_000_001];
        let shown = times.map(|time| nanoseconds(floor(Duration::from_nanos(time))));
        assert_eq!(shown, [0, 0, 1_000_000, 1_000_000, 5_000_000_000]);
    }
}
