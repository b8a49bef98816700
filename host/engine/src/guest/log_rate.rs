//! The log rate of guests.

use connection::limits::{Limit, MAX_HANDLER_LOG_LINES_PER_SECOND};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The log rate of all instances of a handler together: there may be one per message. Clones share
/// it.
#[derive(Clone, Default)]
pub struct LogRate(Arc<Mutex<HandlerSecond>>);

#[derive(Default)]
struct HandlerSecond {
    second: Second,
    /// Dropped lines that were not reported yet.
    left_out: u64,
}

impl LogRate {
    /// Whether another line may be logged; counts it. Logs once a second that lines are dropped,
    /// and how many.
    pub fn admits(&self) -> bool {
        let mut rate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rate.second.admits(MAX_HANDLER_LOG_LINES_PER_SECOND) {
            let left_out = std::mem::take(&mut rate.left_out);
            if left_out > 0 {
                tracing::warn!(target: "guest", "{left_out} lines of this handler were dropped");
            }
            return true;
        }
        rate.left_out += 1;
        Limit::HandlerLogRate.reached();
        if rate.left_out == 1 {
            tracing::warn!(
                target: "guest",
                "dropping lines: the guests of this handler print more than \
                 {MAX_HANDLER_LOG_LINES_PER_SECOND} a second"
            );
        }
        false
    }
}

/// The current second and its lines.
pub struct Second {
    begun: Instant,
    lines: u32,
}

impl Default for Second {
    fn default() -> Self {
        Second {
            begun: Instant::now(),
            lines: 0,
        }
    }
}

impl Second {
    /// Whether another line fits; counts it.
    pub fn admits(&mut self, limit: u32) -> bool {
        if self.begun.elapsed() >= Duration::from_secs(1) {
            *self = Second::default();
        }
        let admits = self.lines < limit;
        self.lines += u32::from(admits);
        admits
    }
}

#[cfg(test)]
impl Second {
    /// A second that does not end during a test.
    pub fn endless() -> Self {
        Second {
            begun: Instant::now() + Duration::from_secs(3600),
            lines: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_lines_are_counted_across_instances() {
        let rate = LogRate::default();
        rate.0.lock().unwrap().second = Second::endless();
        let admitted = (0..1200).filter(|_| rate.clone().admits()).count();
        assert_eq!(admitted, 1000);
        assert_eq!(rate.0.lock().unwrap().left_out, 200);
        // The next second reports and resets it.
        rate.0.lock().unwrap().second = Second::default();
        assert!(rate.admits());
        assert_eq!(rate.0.lock().unwrap().left_out, 0);
    }
}
