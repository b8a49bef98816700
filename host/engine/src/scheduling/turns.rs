//! Fair scheduling of computing guests.
//!
//! A busy guest yields at every epoch and continues behind all tasks that are ready. With many of
//! them, a task that needs only a moment waits long. So calls of handlers that recently computed
//! for a whole epoch take turns: one runs at once on each thread, and the next turn goes to another
//! handler, if it has a waiting call there. Other calls never wait for a turn, and find at most one
//! busy call ahead of them on their thread.

use super::call_meter::CallMeter;
use connection::busy::Busy;
use connection::limits::{EPOCH_TICK, LONG_COMPUTING_MEMORY};
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::sync::oneshot;
use tokio::task::yield_now;

thread_local! {
    static HERE: Arc<ThreadTurns> = Arc::new(ThreadTurns {
        busy: Busy::here(),
        state: Mutex::default(),
    });
}

/// What the handlers of an engine count together.
#[derive(Debug, Default)]
pub struct Turns {
    /// Epochs so far.
    ticks: AtomicU64,
}

/// The turns of all handlers on one thread.
#[derive(Debug)]
struct ThreadTurns {
    /// Whether one is taken.
    busy: Busy,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    /// Waiting calls by handler; the first handler is next.
    waiting: VecDeque<(u64, VecDeque<oneshot::Sender<Turn>>)>,
}

/// The turns of one handler.
#[derive(Debug)]
pub struct Share {
    turns: Arc<Turns>,
    /// Measures its calls.
    pub meter: Arc<CallMeter>,
    number: u64,
    /// The epoch until which its calls take turns.
    until: AtomicU64,
}

/// A permit to compute, until dropped. In a runtime with several threads it may end on another one
/// than it began on.
#[derive(Debug)]
struct Turn(Arc<ThreadTurns>);

impl Turns {
    /// An epoch has passed.
    pub fn tick(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }
}

impl ThreadTurns {
    fn here() -> Arc<Self> {
        HERE.with(Arc::clone)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn wait(&mut self, share: u64) -> oneshot::Receiver<Turn> {
        let (sender, receiver) = oneshot::channel();
        let queue = self.waiting.iter_mut().find(|(number, _)| *number == share);
        match queue {
            Some((_, queue)) => queue.push_back(sender),
            None => self.waiting.push_back((share, VecDeque::from([sender]))),
        }
        receiver
    }

    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let (share, mut queue) = self.waiting.pop_front()?;
        let next = queue.pop_front();
        if !queue.is_empty() {
            self.waiting.push_back((share, queue));
        }
        next
    }
}

impl Turn {
    /// Ends the turn after its thread has polled the network and served tasks that need no turn.
    fn end_after_others(self) {
        tokio::spawn(async move {
            yield_now().await;
            drop(self);
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        loop {
            let mut state = self.0.lock();
            let Some(next) = state.next() else {
                state.is_taken = false;
                self.0.busy.set(false);
                return;
            };
            drop(state);
            match next.send(Turn(self.0.clone())) {
                Ok(()) => return,
                // The waiter was cancelled.
                Err(turn) => std::mem::forget(turn),
            }
        }
    }
}

impl Share {
    /// The turns of a new handler.
    pub fn new(turns: &Arc<Turns>, meter: &Arc<CallMeter>) -> Arc<Self> {
        static SHARES: AtomicU64 = AtomicU64::new(0);
        Arc::new(Share {
            meter: meter.clone(),
            number: SHARES.fetch_add(1, Ordering::Relaxed),
            turns: turns.clone(),
            until: AtomicU64::new(0),
        })
    }

    /// The start of a call with a message of this length, if its time is to be recorded.
    #[inline]
    pub fn sample(&self, message_bytes: Option<usize>) -> Option<Instant> {
        let epoch = self.turns.ticks.load(Ordering::Relaxed);
        self.meter.sample(epoch, message_bytes)
    }

    /// Begins a call, which computes in turns if the handler is busy.
    pub fn begin(&self) -> Computing<'_> {
        Computing {
            share: self,
            waiting: None,
        }
    }

    /// Waits for a turn on this thread.
    fn turn(&self) -> impl Future<Output = Turn> + Send + use<> {
        let (turns, number) = (ThreadTurns::here(), self.number);
        async move {
            let waiting = {
                let mut state = turns.lock();
                let waiting = state.is_taken.then(|| state.wait(number));
                state.is_taken = true;
                turns.busy.set(true);
                waiting
            };
            match waiting {
                None => Turn(turns),
                Some(waiting) => waiting.await.expect("whoever waits is told"),
            }
        }
    }
}

/// A call of a handler.
pub struct Computing<'a> {
    share: &'a Share,
    /// The wait for a turn. Most calls never wait.
    waiting: Option<Pin<Box<dyn Future<Output = Turn> + Send>>>,
}

impl Computing<'_> {
    /// Polls the call, unless it has to wait for a turn.
    #[inline]
    pub fn poll<F: Future>(&mut self, call: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Share { turns, until, .. } = self.share;
        let begun = turns.ticks.load(Ordering::Relaxed);
        let mut turn = None;
        if self.waiting.is_some() || begun < until.load(Ordering::Relaxed) {
            let waiting = &mut self.waiting;
            let waited = waiting.get_or_insert_with(|| Box::pin(self.share.turn()));
            turn = Some(ready!(waited.as_mut().poll(cx)));
            self.waiting = None;
        }
        let polled = call.poll(cx);
        let now = turns.ticks.load(Ordering::Relaxed);
        if now != begun {
            let memory = LONG_COMPUTING_MEMORY.as_millis() / EPOCH_TICK.as_millis();
            until.store(now + memory as u64, Ordering::Relaxed);
            self.share.meter.computed(now - begun);
            turn.into_iter().for_each(Turn::end_after_others);
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;

    /// Ticks on each poll, this many times.
    async fn computing(turns: Arc<Turns>, times: usize) {
        for _ in 0..times {
            turns.tick();
            yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn handlers_take_turns_however_many_calls_they_have() {
        let turns = Arc::<Turns>::default();
        let [many, one] = [
            Share::new(&turns, &Arc::default()),
            Share::new(&turns, &Arc::default()),
        ];
        let (done, order) = std::sync::mpsc::channel();
        let mut calls = tokio::task::JoinSet::new();
        for (name, share) in [vec![("many", &many); 50], vec![("one", &one); 1]].concat() {
            let (turns, share, done) = (turns.clone(), share.clone(), done.clone());
            calls.spawn(async move {
                let mut call = pin!(computing(turns, 20));
                let mut computing = share.begin();
                poll_fn(|cx| computing.poll(call.as_mut(), cx)).await;
                done.send(name).unwrap();
            });
        }
        calls.join_all().await;
        // Without turns, it would be among the last.
        let position = order.try_iter().position(|name| name == "one").unwrap();
        assert!(position < 5, "{position}");
        assert!(!ThreadTurns::here().lock().is_taken);
        assert!(!Busy::here().get());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_turn_goes_to_the_next() {
        let turns = Arc::<Turns>::default();
        let share = Share::new(&turns, &Arc::default());
        let first = share.turn().await;
        let mut given_up = Box::pin(share.turn());
        let mut next = Box::pin(share.turn());
        poll_fn(|cx| {
            assert!(given_up.as_mut().poll(cx).is_pending());
            assert!(next.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(first);
        drop(given_up);
        drop(next.await);
        assert!(!ThreadTurns::here().lock().is_taken);
        assert!(!Busy::here().get());
    }
}
