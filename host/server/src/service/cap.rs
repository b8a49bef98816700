//! How many connections a service, or a listener, may have at once. A reload may change it.

use connection::limits::Limit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// A limit of connections, and how many there are.
#[derive(Debug, Default)]
pub struct Cap {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// `None` for any number.
    limit: Option<usize>,
}

/// One of the connections, as long as it is open.
#[derive(Debug)]
pub struct Slot(Arc<Cap>);

/// A connection's place among those of the listener, of the service, and of all services.
#[derive(Debug)]
#[expect(dead_code, reason = "they are held until it is dropped")]
pub struct Place {
    pub listener: Slot,
    pub service: Slot,
    pub connection: OwnedSemaphorePermit,
}

impl Cap {
    /// Changes the limit, from now on. Those who are there stay.
    pub fn set(&self, limit: Option<usize>) {
        self.state().limit = limit;
        self.changed.notify_waiters();
    }

    /// Another connection, if it may be.
    pub fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let mut state = self.state();
        if state.limit.is_some_and(|limit| state.open >= limit) {
            return None;
        }
        state.open += 1;
        Some(Slot(self.clone()))
    }

    /// Another connection, as soon as it may be.
    pub async fn take(self: &Arc<Self>) -> Slot {
        if let Some(slot) = self.try_take() {
            return slot;
        }
        Limit::MaxConnections.reached();
        loop {
            let changed = self.changed.notified();
            if let Some(slot) = self.try_take() {
                return slot;
            }
            changed.await;
        }
    }

    /// What is guarded is whole at every step: a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.state().open -= 1;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_limit_counts_those_who_are_there() {
        let cap = Arc::<Cap>::default();
        let one = cap.try_take();
        let two = cap.try_take();
        cap.set(Some(1));
        assert!(cap.try_take().is_none());
        drop(one);
        assert!(cap.try_take().is_none());
        drop(two);
        let one = cap.try_take();
        assert!(one.is_some() && cap.try_take().is_none());
        cap.set(None);
        assert!(cap.try_take().is_some());
    }
}
