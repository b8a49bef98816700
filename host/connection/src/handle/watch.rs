//! Who watches a connection: its traffic for a tap, and the time in its calls.
//!
//! A connection that nobody watches pays nothing. Its handle says that it has orders as long as it
//! is watched, so its task looks here on ways that it otherwise leaves alone.

use super::orders::Orders;
use super::quiet::Sweep;
use super::{ConnectionHandle, Traffic};
use crate::sync::Mutex;
use crate::sync::atomic::Ordering;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Something that watches connections. It is told by the thread that serves the connection, so it
/// must not wait.
pub trait Watcher: Debug + Send + Sync {
    /// Something has happened on a connection.
    fn see(&self, connection: &ConnectionHandle, what: Seen<'_>);
}

/// What happens on a connection that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// This watcher sees everything from here on.
    Begun {
        /// The service of the connection.
        service: &'a str,
        /// Whether nothing has been sent before.
        is_fresh: bool,
    },
    /// The client has sent this: one read of a stream, or one message.
    FromClient(&'a [u8]),
    /// The handler has sent this. It may not be written yet.
    ToClient(&'a [u8]),
    /// The client sends no more.
    Finished,
    /// The connection has ended.
    Closed,
}

/// The watchers of one connection, and its time in calls since the first of them came.
#[derive(Debug)]
pub struct Watch {
    watchers: Mutex<Vec<Arc<dyn Watcher>>>,
    calls: Mutex<Calls>,
}

#[derive(Debug)]
struct Calls {
    begun: Instant,
    /// Whether the connection's task knows that it is watched. Until then it is in a call.
    is_known: bool,
    /// When the current call began, if there is one.
    since: Option<Instant>,
    total: Duration,
}

impl Watch {
    fn new() -> Self {
        Watch {
            watchers: Mutex::default(),
            calls: Mutex::new(Calls {
                begun: Instant::now(),
                is_known: false,
                since: None,
                total: Duration::ZERO,
            }),
        }
    }

    /// Tells the watchers.
    pub fn tell(&self, connection: &ConnectionHandle, what: Seen<'_>) {
        for watcher in &*self.watchers.lock() {
            watcher.see(connection, what);
        }
    }

    /// Whether all watchers have left.
    pub fn is_over(&self) -> bool {
        self.watchers.lock().is_empty()
    }

    /// A call may begin now.
    pub fn begin_call(&self) {
        let mut calls = self.calls.lock();
        calls.is_known = true;
        calls.since = Some(Instant::now());
    }

    /// The call that began last has ended.
    pub fn end_call(&self) {
        let mut calls = self.calls.lock();
        if let Some(since) = calls.since.take() {
            calls.total += since.elapsed();
        }
    }

    /// The connection waits: no call has begun. False if its task does not know yet that it is
    /// watched.
    fn rest(&self) -> bool {
        let mut calls = self.calls.lock();
        calls.since = None;
        calls.is_known
    }

    /// The time in calls since the first watcher came, with the call that is going on.
    pub fn time_in_calls(&self) -> Duration {
        let calls = self.calls.lock();
        if !calls.is_known {
            return calls.begun.elapsed();
        }
        calls.total + calls.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Adds a watcher, unless it is there already.
    fn add(&self, watcher: &Arc<dyn Watcher>) -> bool {
        let mut watchers = self.watchers.lock();
        let is_new = !watchers.iter().any(|it| Arc::ptr_eq(it, watcher));
        if is_new {
            watchers.push(watcher.clone());
        }
        is_new
    }
}

impl ConnectionHandle {
    /// Lets somebody watch a connection of this service. Does nothing if it does already.
    pub fn watch(&self, watcher: &Arc<dyn Watcher>, service: &str) {
        let mut orders = self.lock();
        let watch = orders.watch.get_or_insert_with(|| Arc::new(Watch::new()));
        if !watch.add(watcher) {
            return;
        }
        let is_fresh = self.traffic() == Traffic::default() && self.unsent_bytes() == 0;
        watcher.see(self, Seen::Begun { service, is_fresh });
        self.has_orders.store(true, Ordering::Release);
        let waker = orders.waker.take();
        drop(orders);
        // The task learns that it is watched, unless it is in a call.
        waker.into_iter().for_each(std::task::Waker::wake);
    }

    /// Ends what [`ConnectionHandle::watch`] has begun.
    pub fn unwatch(&self, watcher: &Arc<dyn Watcher>) {
        let mut orders = self.lock();
        let Some(watch) = &orders.watch else {
            return;
        };
        let is_over = {
            let mut watchers = watch.watchers.lock();
            watchers.retain(|it| !Arc::ptr_eq(it, watcher));
            watchers.is_empty()
        };
        if is_over {
            // The next look at the orders says whether there are still some.
            orders.watch = None;
        }
    }

    /// Who watches it, if anybody does.
    pub fn watched(&self) -> Option<Arc<Watch>> {
        if !self.has_orders.load(Ordering::Acquire) {
            return None;
        }
        self.lock().watch.clone()
    }

    /// Shows something to those who watch, if there are any. For ways on which few messages go.
    #[inline]
    pub fn show(&self, what: Seen<'_>) {
        if let Some(watch) = self.watched() {
            watch.tell(self, what);
        }
    }
}

impl Orders {
    /// Whether the task looks at the orders only because it is watched. Then it rests now.
    #[cold]
    pub(super) fn rest(&self) -> bool {
        let watch = self.watch.as_ref();
        watch.is_some_and(|watch| !self.has_any() && watch.rest())
    }

    fn has_any(&self) -> bool {
        self.has_ended()
            || !self.bytes.is_empty()
            || !self.messages.is_empty()
            || !self.timers.is_empty()
            || self.starts_tls
            || self.reads.is_some()
            || self.framing.is_some()
            || self.limits.is_some()
            || self.notice.is_some()
            || self.sweep != Sweep::Moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::{CloseMode, Peer};
    use std::task::{Context, Poll, Waker};
    use tracing::Span;

    #[derive(Debug, Default)]
    struct Eye(Mutex<Vec<String>>);

    impl Watcher for Eye {
        fn see(&self, _: &ConnectionHandle, what: Seen<'_>) {
            self.0.lock().push(format!("{what:?}"));
        }
    }

    fn watched() -> (ConnectionHandle, Arc<Eye>) {
        let handle = ConnectionHandle::new(1, Peer::unconnected(), 0, Span::none());
        let eye = Arc::<Eye>::default();
        let watcher: Arc<dyn Watcher> = eye.clone();
        handle.watch(&watcher, "main");
        handle.watch(&watcher, "main");
        (handle, eye)
    }

    fn is_ordered(handle: &ConnectionHandle) -> bool {
        handle.poll_ordered(&Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn learn(handle: &ConnectionHandle) {
        handle.collect(|orders| orders.watch.as_ref().unwrap().begin_call());
    }

    #[test]
    fn a_task_learns_that_it_is_watched_and_then_waits_as_before() {
        let (handle, eye) = watched();
        assert!(is_ordered(&handle));
        learn(&handle);
        assert!(!is_ordered(&handle));
        handle.close(CloseMode::Graceful);
        assert!(is_ordered(&handle));
        handle.retire();
        let seen = eye.0.lock();
        assert_eq!(seen[1..], ["Closed"], "{seen:?}");
        assert!(seen[0].contains("is_fresh: true"), "{seen:?}");
    }

    #[test]
    fn whoever_leaves_sees_nothing_more() {
        let (handle, eye) = watched();
        let watch = handle.watched().unwrap();
        let watcher: Arc<dyn Watcher> = eye.clone();
        handle.unwatch(&watcher);
        assert!(watch.is_over() && handle.watched().is_none());
        learn_nothing(&handle);
        handle.retire();
        assert_eq!(eye.0.lock().len(), 1);
    }

    fn learn_nothing(handle: &ConnectionHandle) {
        handle.collect(|orders| assert!(orders.watch.is_none()));
        assert!(!is_ordered(handle));
    }

    #[test]
    fn only_calls_count_as_time_in_calls() {
        let (handle, _) = watched();
        let watch = handle.watched().unwrap();
        // Until its task knows, it is in a call.
        assert!(!watch.time_in_calls().is_zero());
        learn(&handle);
        assert!(!is_ordered(&handle));
        assert!(watch.time_in_calls().is_zero());
        watch.begin_call();
        assert!(!watch.time_in_calls().is_zero());
        watch.end_call();
        let time = watch.time_in_calls();
        assert_eq!(watch.time_in_calls(), time);
    }
}
