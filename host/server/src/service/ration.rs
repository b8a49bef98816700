//! Log lines that clients cause, of whom there may be thousands.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lets so many lines pass within a second, and knows how many it has left out.
#[derive(Debug, Default)]
pub struct Ration<const PER_SECOND: u32>(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the second began.
    since: Option<Instant>,
    passed: u32,
    left_out: u64,
}

impl<const PER_SECOND: u32> Ration<PER_SECOND> {
    /// Whether a line may be logged, and if so, how many were left out since the last one.
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
    fn what_is_left_out_is_told_with_the_next_line() {
        let ration = Ration::<2>::default();
        let mut taken: Vec<_> = (0..5).map(|_| ration.take()).collect();
        // Should the second have gone by meanwhile, the third one begins another.
        assert_eq!(taken[..2], [Some(0), Some(0)]);
        ration.0.lock().unwrap().since = None;
        taken.push(ration.take());
        let left_out: u64 = taken.iter().flatten().sum();
        let passed = taken.iter().flatten().count() as u64;
        assert_eq!(left_out + passed, 6);
        assert!(taken[5].is_some());
    }
}
