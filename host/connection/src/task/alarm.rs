//! Wakes a connection at the time of its next timer.

use crate::clock::{Clock, Wait};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::{self, Sleep, sleep_until};

/// A timer of the runtime that exists only while it is needed, which most connections never do.
#[derive(Default)]
pub struct Alarm {
    clock: Clock,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// An alarm by this clock.
    pub fn by(clock: Clock) -> Self {
        Alarm { clock, sleep: None }
    }

    /// The time by its clock.
    pub fn now(&self) -> Instant {
        time::Instant::now().into_std() + self.clock.skipped()
    }

    /// Ready at this time by its clock. Without one, never.
    #[inline]
    pub fn poll(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        self.clock.wait(at.map_or(Wait::Client, Wait::Timer));
        let Some(at) = at else {
            self.sleep = None;
            return Poll::Pending;
        };
        if self.clock.can_skip() && at <= self.now() {
            return Poll::Ready(());
        }
        let at = time::Instant::from_std(at) - self.clock.skipped();
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }

    /// Nothing waits for it now.
    #[inline]
    pub fn rest(&self) {
        self.clock.wait(Wait::Other);
    }
}
