//! The clocks of a guest that is not granted exact ones.
//!
//! A clock that tells nanoseconds lets a guest measure what others do on the same processor: how long a memory
//! access takes shows what was in a cache. One that tells [`CLOCK_GRAIN`]s makes that slow and noisy, and is
//! exact enough for everything that has to do with people and networks.

use connection::limits::CLOCK_GRAIN;
use std::time::{Duration, Instant, SystemTime};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// The time of day, as if it stood still within a grain.
pub struct CoarseWallClock;

impl HostWallClock for CoarseWallClock {
    fn resolution(&self) -> Duration {
        CLOCK_GRAIN
    }

    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A machine whose clock is set to a time before 1970 does not know what time it is.
        floor(now.unwrap_or_default())
    }
}

/// Time since the instance was made, likewise, and a grain more: it never tells zero, which programs in Go take for a
/// clock that does not work.
///
/// A guest that waits until a time of this clock never finds that it woke too early: it is at most a grain behind,
/// and by so much longer the guest waits.
pub struct CoarseMonotonicClock(Instant);

impl CoarseMonotonicClock {
    pub fn new() -> Self {
        CoarseMonotonicClock(Instant::now())
    }
}

impl HostMonotonicClock for CoarseMonotonicClock {
    fn resolution(&self) -> u64 {
        nanoseconds(CLOCK_GRAIN)
    }

    fn now(&self) -> u64 {
        nanoseconds(CLOCK_GRAIN + floor(self.0.elapsed()))
    }
}

fn floor(time: Duration) -> Duration {
    let into_grain = time.as_nanos() % CLOCK_GRAIN.as_nanos();
    time - Duration::from_nanos(into_grain as u64)
}

/// There are enough of them in 64 bits for 584 years.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_tells_zero() {
        let clock = CoarseMonotonicClock::new();
        assert!(clock.now() >= clock.resolution());
    }

    #[test]
    fn time_stands_still_within_a_grain() {
        let times = [0, 999_999, 1_000_000, 1_999_999, 5_000_000_001];
        let shown = times.map(|time| nanoseconds(floor(Duration::from_nanos(time))));
        assert_eq!(shown, [0, 0, 1_000_000, 1_000_000, 5_000_000_000]);
    }
}
