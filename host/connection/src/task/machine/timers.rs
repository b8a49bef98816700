//! A session's timers.

use crate::handle::TimerChange;
use crate::limits::MAX_TIMERS;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

/// Timers by id. Free until the first is set, which most sessions never do.
#[derive(Default)]
pub struct Timers {
    set: Option<Box<Set>>,
}

#[derive(Default)]
struct Set {
    by_time: BTreeSet<(Instant, u32)>,
    times: HashMap<u32, Instant>,
}

impl Timers {
    /// Starts, replaces or cancels a timer. False if there would be too many.
    #[must_use]
    pub fn change(&mut self, change: TimerChange, now: Instant) -> bool {
        let set = self.set.get_or_insert_default();
        match change {
            TimerChange::Set { id, delay } => {
                if !set.remove(id) && set.times.len() == MAX_TIMERS {
                    return false;
                }
                set.by_time.insert((now + delay, id));
                set.times.insert(id, now + delay);
            }
            TimerChange::Cancel { id } => {
                set.remove(id);
            }
        }
        true
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.next().is_none()
    }

    /// When the next timer expires.
    #[inline]
    pub fn next(&self) -> Option<Instant> {
        let set = self.set.as_ref()?;
        set.by_time.first().map(|(time, _)| *time)
    }

    /// Removes the next timer if it has expired.
    pub fn expire(&mut self, now: Instant) -> Option<u32> {
        let set = self.set.as_mut()?;
        let (time, id) = *set.by_time.first()?;
        (time <= now && set.remove(id)).then_some(id)
    }
}

impl Set {
    /// Whether there was such a timer.
    fn remove(&mut self, id: u32) -> bool {
        let Some(time) = self.times.remove(&id) else {
            return false;
        };
        self.by_time.remove(&(time, id))
    }
}
