//! Skips the time in which nothing can happen: nobody waits for a timer of a handler.

use connection::clock::Clock;
use parking_lot::Mutex;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tokio::time::Instant;

/// Completes with the future. Whenever it waits for nothing but a timer by this clock, the time
/// until then is skipped.
pub async fn skipping<F: Future>(clock: &Clock, future: F) -> F::Output {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut is_quiet = false;
    poll_fn(|task| {
        woken.pass_on(task.waker());
        let mut was_woken = woken.take();
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return Poll::Ready(output);
            }
            was_woken |= woken.take();
            if was_woken || !is_quiet {
                // The runtime wakes some only when the task has yielded, such as those that have
                // used up its budget.
                is_quiet = !was_woken;
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            if !clock.skip(Instant::now().into_std()) {
                return Poll::Pending;
            }
            is_quiet = false;
        }
    })
    .await
}

/// Wakes a task, and remembers that it did.
#[derive(Default)]
struct Woken {
    is_woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Woken {
    /// Whether it was woken since the last call.
    fn take(&self) -> bool {
        self.is_woken.swap(false, Ordering::Relaxed)
    }

    fn pass_on(&self, waker: &Waker) {
        let mut task = self.task.lock();
        match &mut *task {
            Some(task) => task.clone_from(waker),
            None => *task = Some(waker.clone()),
        }
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::Relaxed);
        if let Some(task) = &*self.task.lock() {
            task.wake_by_ref();
        }
    }
}
