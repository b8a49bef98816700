//! The lock of a shared instance: calls run in order of arrival, but UDP senders, which may be
//! forged, first queue among themselves. So at most one of them is ahead of a connection.

use connection::handle::Transport;
use std::ops::{Deref, DerefMut};
use tokio::sync::{Mutex, MutexGuard};

/// Guards a value that all connections share.
#[derive(Debug, Default)]
pub struct SharedLock<T> {
    value: Mutex<T>,
    datagrams: Mutex<()>,
}

/// The guard of the lock.
#[derive(Debug)]
pub struct Locked<'a, T> {
    value: MutexGuard<'a, T>,
    _datagrams: Option<MutexGuard<'a, ()>>,
}

impl<T> SharedLock<T> {
    /// An unlocked value.
    pub fn new(value: T) -> Self {
        SharedLock {
            value: Mutex::new(value),
            datagrams: Mutex::default(),
        }
    }

    /// Waits for the lock.
    pub async fn lock(&self, transport: Transport) -> Locked<'_, T> {
        let datagrams = match transport {
            Transport::Udp => Some(self.datagrams.lock().await),
            _ => None,
        };
        Locked {
            value: self.value.lock().await,
            _datagrams: datagrams,
        }
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::task::{JoinSet, yield_now};

    #[tokio::test]
    async fn at_most_one_udp_sender_is_ahead_of_a_connection() {
        let lock = Arc::new(SharedLock::<Vec<Transport>>::default());
        let first = lock.lock(Transport::Udp).await;
        let mut waiting = JoinSet::new();
        for transport in [[Transport::Udp; 50].as_slice(), &[Transport::Tcp]].concat() {
            let lock = lock.clone();
            waiting.spawn(async move { lock.lock(transport).await.push(transport) });
        }
        for _ in 0..100 {
            yield_now().await;
        }
        drop(first);
        waiting.join_all().await;
        let order = lock.lock(Transport::Tcp).await;
        let position = order.iter().position(|it| *it == Transport::Tcp);
        assert!(position.unwrap() <= 1, "{order:?}");
        assert_eq!(order.len(), 51);
    }
}
