//! A session's timers.

use crate::handle::TimerChange;
use crate::limits::MAX_TIMERS;
use std::collections::HashMap;
use std::task::{Context, Poll};
use tokio_util::time::{DelayQueue, delay_queue::Key};

/// Timers by id. Free until the first is set, which most sessions never do.
#[derive(Default)]
pub struct Timers {
    set: Option<Box<Set>>,
}

#[derive(Default)]
struct Set {
    queue: DelayQueue<u32>,
    keys: HashMap<u32, Key>,
}

impl Timers {
    /// Starts, replaces or cancels a timer. False if there would be too many.
    #[must_use]
    pub fn change(&mut self, change: TimerChange) -> bool {
        match change {
            TimerChange::Set { id, delay } => {
                let set = self.set.get_or_insert_default();
                match set.keys.get(&id) {
                    Some(key) => set.queue.reset(key, delay),
                    None if set.keys.len() == MAX_TIMERS => return false,
                    None => {
                        set.keys.insert(id, set.queue.insert(id, delay));
                    }
                }
            }
            TimerChange::Cancel { id } => {
                if let Some(set) = &mut self.set
                    && let Some(key) = set.keys.remove(&id)
                {
                    set.queue.remove(&key);
                }
            }
        }
        true
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.set.as_ref().is_none_or(|set| set.keys.is_empty())
    }

    /// The next expired timer.
    pub fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<u32> {
        let Some(set) = &mut self.set else {
            return Poll::Pending;
        };
        match set.queue.poll_expired(cx) {
            Poll::Ready(Some(expired)) => {
                let id = expired.into_inner();
                set.keys.remove(&id);
                Poll::Ready(id)
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}
