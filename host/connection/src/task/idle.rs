//! The idle timeout.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Expires when it was not touched for its limit. Touching costs next to nothing: the clock is read only
/// when it is next waited for, and the timer itself is moved only when it fires.
pub struct IdleTimer {
    pub limit: Duration,
    touched: bool,
    quiet_since: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl IdleTimer {
    pub fn new(limit: Duration) -> Self {
        let now = Instant::now();
        IdleTimer {
            limit,
            touched: false,
            quiet_since: now,
            sleep: Box::pin(sleep_until(now + limit)),
        }
    }

    pub fn touch(&mut self) {
        self.touched = true;
    }

    pub fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.touched) {
            self.quiet_since = Instant::now();
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let due = self.quiet_since + self.limit;
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
    }
}
