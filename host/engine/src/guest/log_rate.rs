//! How fast guests may log.

use connection::limits::{Limit, MAX_HANDLER_LOG_LINES_PER_SECOND};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How fast the instances of one handler may log together: there may be one for each message. Its clones count
/// as one.
#[derive(Clone, Default)]
pub struct LogRate(Arc<Mutex<HandlerSecond>>);

#[derive(Default)]
struct HandlerSecond {
    second: Second,
    /// Lines that were left out and not spoken of yet.
    left_out: u64,
}

impl LogRate {
    /// Whether another line may be logged, which is counted then. Says itself, once for each second, when lines are
    /// left out, and how many those were.
    pub fn admits(&self) -> bool {
        let mut rate = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rate.second.admits(MAX_HANDLER_LOG_LINES_PER_SECOND) {
            let left_out = std::mem::take(&mut rate.left_out);
            if left_out > 0 {
                tracing::warn!(target: "guest", "{left_out} lines of this handler were left out");
            }
            return true;
        }
        rate.left_out += 1;
        Limit::HandlerLogRate.reached();
        if rate.left_out == 1 {
            tracing::warn!(
                target: "guest",
                "lines are left out: all guests of this handler together print more than \
                 {MAX_HANDLER_LOG_LINES_PER_SECOND} a second"
            );
        }
        false
    }
}

/// The second that is running, and how many lines were logged in it.
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
    /// Whether another line fits into it, which is counted then.
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
    /// One that does not end while a test runs.
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
    fn what_is_left_out_is_counted_for_all_instances_together() {
        let rate = LogRate::default();
        rate.0.lock().unwrap().second = Second::endless();
        let admitted = (0..1200).filter(|_| rate.clone().admits()).count();
        assert_eq!(admitted, 1000);
        assert_eq!(rate.0.lock().unwrap().left_out, 200);
        // In the next second it is said, and forgotten.
        rate.0.lock().unwrap().second = Second::default();
        assert!(rate.admits());
        assert_eq!(rate.0.lock().unwrap().left_out, 0);
    }
}
