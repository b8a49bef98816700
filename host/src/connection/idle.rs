//! The idle timeout.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Expires when it was not touched for its limit. Touching is as cheap as reading the clock: the timer
/// itself is moved only when it fires.
pub struct IdleTimer {
    pub limit: Duration,
    touched: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl IdleTimer {
    pub fn new(limit: Duration) -> Self {
        let now = Instant::now();
        IdleTimer {
            limit,
            touched: now,
            sleep: Box::pin(sleep_until(now + limit)),
        }
    }

    pub fn touch(&mut self) {
        self.touched = Instant::now();
    }

    pub fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let due = self.touched + self.limit;
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(due);
        }
    }
}
