//! The lock of an instance that all connections share: calls are in the order of arrival, but senders of datagrams, who
//! may be forged, first wait for each other. However many there are, one of them at most is before a connection.

use connection::outbox::Transport;
use std::ops::{Deref, DerefMut};
use tokio::sync::{Mutex, MutexGuard};

/// Guards what all connections share.
#[derive(Debug, Default)]
pub struct SharedLock<T> {
    value: Mutex<T>,
    datagrams: Mutex<()>,
}

/// The right to use it, until it is dropped.
#[derive(Debug)]
pub struct Locked<'a, T> {
    value: MutexGuard<'a, T>,
    _datagrams: Option<MutexGuard<'a, ()>>,
}

impl<T> SharedLock<T> {
    /// Nobody uses it yet.
    pub fn new(value: T) -> Self {
        SharedLock {
            value: Mutex::new(value),
            datagrams: Mutex::default(),
        }
    }

    /// Waits until it is this client's turn.
    pub async fn lock(&self, transport: Transport) -> Locked<'_, T> {
        let datagrams = match transport {
            Transport::Udp => Some(self.datagrams.lock().await),
            Transport::Tcp | Transport::Tls | Transport::Unix | Transport::Stdio => None,
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
    async fn one_datagram_at_most_is_before_a_connection() {
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
        let place = order.iter().position(|it| *it == Transport::Tcp);
        assert!(place.unwrap() <= 1, "{order:?}");
        assert_eq!(order.len(), 51);
    }
}
