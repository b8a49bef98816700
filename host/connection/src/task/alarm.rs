//! Wakes a connection at the time of its next timer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::time::{self, Sleep, sleep_until};

/// A timer of the runtime that exists only while it is needed, which most connections never do.
#[derive(Default)]
pub struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready at this time. Without one, never.
    #[inline]
    pub fn poll(&mut self, at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = at.map(time::Instant::from_std) else {
            self.0 = None;
            return Poll::Pending;
        };
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
