//! The connection limit of a service or listener. A reload may change it.

use connection::limits::Limit;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use tokio::sync::{Notify, OwnedSemaphorePermit};

/// A limit, and the number of open connections.
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

/// A permit for one open connection.
#[derive(Debug)]
pub struct CapPermit(Arc<Cap>);

/// The permits of a connection: of its listener, its service, and the server.
#[derive(Debug)]
#[expect(dead_code, reason = "they are held until it is dropped")]
pub struct ConnectionPermits {
    pub listener: CapPermit,
    pub service: CapPermit,
    pub connection: OwnedSemaphorePermit,
}

impl Cap {
    /// Changes the limit. Open connections stay.
    pub fn set(&self, limit: Option<usize>) {
        self.state().limit = limit;
        self.changed.notify_waiters();
    }

    /// The number of open connections.
    pub fn open(&self) -> usize {
        self.state().open
    }

    /// Takes a permit, if there is one.
    pub fn try_take(self: &Arc<Self>) -> Option<CapPermit> {
        let mut state = self.state();
        if state.limit.is_some_and(|limit| state.open >= limit) {
            return None;
        }
        state.open += 1;
        Some(CapPermit(self.clone()))
    }

    /// Waits for a permit.
    pub async fn take(self: &Arc<Self>) -> CapPermit {
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
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Drop for CapPermit {
    fn drop(&mut self) {
        self.0.state().open -= 1;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_limit_counts_open_connections() {
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
