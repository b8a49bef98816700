//! The log rate of all instances of a handler together: there may be one per message.

use connection::limits::{Limit, MAX_HANDLER_LOG_LINES_PER_SECOND};
use connection::rates::LogRateLimiter;
use std::sync::Arc;

/// The rate of one handler. Its clones count as one.
#[derive(Clone, Default)]
pub struct LogRate(Arc<LogRateLimiter<MAX_HANDLER_LOG_LINES_PER_SECOND>>);

impl LogRate {
    /// Whether another line may be logged; counts it. Logs once a second that lines are dropped,
    /// and how many.
    pub fn admits(&self) -> bool {
        let admitted = self.0.admit();
        match admitted {
            Ok(0) => {}
            Ok(suppressed) => {
                tracing::warn!(target: "guest", "{suppressed} lines of this handler were dropped");
            }
            Err(suppressed) => {
                Limit::HandlerLogRate.reached();
                if suppressed == 1 {
                    tracing::warn!(
                        target: "guest",
                        "dropping lines: the guests of this handler print more than \
                         {MAX_HANDLER_LOG_LINES_PER_SECOND} a second"
                    );
                }
            }
        }
        admitted.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_instances_of_a_handler_share_one_rate() {
        let rate = LogRate::default();
        let admitted = (0..1200).filter(|_| rate.clone().admits()).count();
        assert_eq!((admitted, rate.0.take_suppressed()), (1000, 200));
    }
}
