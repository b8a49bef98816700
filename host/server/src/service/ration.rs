//! A rate limit for log lines that clients cause.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Allows a number of lines per second, and counts those left out.
#[derive(Debug, Default)]
pub struct Ration<const PER_SECOND: u32>(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The start of the current second.
    since: Option<Instant>,
    passed: u32,
    left_out: u64,
}

impl<const PER_SECOND: u32> Ration<PER_SECOND> {
    /// Allows a line, or not. If so, returns how many were left out since the last one.
    pub fn take(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state
            .since
            .is_none_or(|since| since.elapsed() >= Duration::from_secs(1))
        {
            state.since = Some(Instant::now());
            state.passed = 0;
        }
        if state.passed == PER_SECOND {
            state.left_out += 1;
            return None;
        }
        state.passed += 1;
        Some(std::mem::take(&mut state.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_lines_are_reported_with_the_next_line() {
        let ration = Ration::<2>::default();
        let mut taken: Vec<_> = (0..5).map(|_| ration.take()).collect();
        // If the second has passed meanwhile, the third line starts the next one.
        assert_eq!(taken[..2], [Some(0), Some(0)]);
        ration.0.lock().unwrap().since = None;
        taken.push(ration.take());
        let left_out: u64 = taken.iter().flatten().sum();
        let passed = taken.iter().flatten().count() as u64;
        assert_eq!(left_out + passed, 6);
        assert!(taken[5].is_some());
    }
}
