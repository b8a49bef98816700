//! The end of a connection that its session does not decide.

use super::{CloseMode, ConnectionHandle, Orders, Seen};
use crate::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

impl ConnectionHandle {
    /// Closes the connection at once, also if it is closing already.
    pub fn cut(&self) {
        let mut orders = self.lock();
        orders.close = Some(CloseMode::Reset);
        self.has_orders.store(true, Ordering::Release);
        let waker = orders.waker.take();
        drop(orders);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Marks the connection as gone. Orders through handles that a session has kept are dropped.
    pub fn retire(&self) {
        let gone = Orders {
            close: Some(CloseMode::Reset),
            ..Orders::default()
        };
        let left = std::mem::replace(&mut *self.lock(), gone);
        self.has_orders.store(true, Ordering::Release);
        if let Some(watch) = left.watch {
            watch.tell(self, Seen::Closed);
        }
    }

    /// Ready when the connection is to be cut, whatever it waits for.
    pub fn poll_cut(&self, cx: &Context<'_>) -> Poll<()> {
        let mut orders = self.lock();
        if orders.close == Some(CloseMode::Reset) {
            return Poll::Ready(());
        }
        orders.register(cx);
        Poll::Pending
    }
}
