//! Fair scheduling of computing guests.
//!
//! A busy guest yields at every epoch and continues behind all tasks that are ready. With many of
//! them, a task that needs only a moment waits long. So calls of handlers that recently computed
//! for a whole epoch take turns: as many run at once as there are threads, and the next turn goes
//! to another handler, if it has a waiting call. Other calls never wait for a turn, and find at
//! most one busy call ahead of them on each thread.

use connection::limits::{BREATHER, EPOCH_TICK, LONG_COMPUTING_MEMORY};
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// The turns of all handlers of an engine.
#[derive(Debug, Default)]
pub struct Turns {
    /// Epochs so far.
    ticks: AtomicU64,
    shares: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    /// Waiting calls by handler; the first handler is next.
    waiting: VecDeque<(u64, VecDeque<oneshot::Sender<Turn>>)>,
}

/// The turns of one handler.
#[derive(Debug)]
pub struct Share {
    turns: Arc<Turns>,
    number: u64,
    /// The epoch until which its calls take turns.
    until: AtomicU64,
}

/// A permit to compute, until dropped.
#[derive(Debug)]
struct Turn(Arc<Turns>);

impl Turns {
    /// An epoch has passed.
    pub fn tick(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
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
    fn end_after_a_breather(self) {
        tokio::spawn(async move {
            sleep(BREATHER).await;
            drop(self);
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        loop {
            let mut state = self.0.lock();
            let Some(next) = state.next() else {
                state.taken -= 1;
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
    pub fn new(turns: &Arc<Turns>) -> Arc<Self> {
        Arc::new(Share {
            number: turns.shares.fetch_add(1, Ordering::Relaxed),
            turns: turns.clone(),
            until: AtomicU64::new(0),
        })
    }

    /// Runs a call, in turns if the handler is busy.
    pub async fn compute<T>(&self, mut call: Pin<&mut impl Future<Output = T>>) -> T {
        let mut waiting: Option<Pin<Box<dyn Future<Output = Turn> + Send>>> = None;
        poll_fn(move |cx| {
            let begun = self.turns.ticks.load(Ordering::Relaxed);
            let mut turn = None;
            if waiting.is_some() || begun < self.until.load(Ordering::Relaxed) {
                let waited = waiting.get_or_insert_with(|| Box::pin(self.turn()));
                let Poll::Ready(taken) = waited.as_mut().poll(cx) else {
                    return Poll::Pending;
                };
                (turn, waiting) = (Some(taken), None);
            }
            let polled = call.as_mut().poll(cx);
            let now = self.turns.ticks.load(Ordering::Relaxed);
            if now != begun {
                let memory = LONG_COMPUTING_MEMORY.as_millis() / EPOCH_TICK.as_millis();
                self.until.store(now + memory as u64, Ordering::Relaxed);
                turn.into_iter().for_each(Turn::end_after_a_breather);
            }
            polled
        })
        .await
    }

    fn turn(&self) -> impl Future<Output = Turn> + Send + use<> {
        let (turns, number) = (self.turns.clone(), self.number);
        async move {
            let threads = Handle::current().metrics().num_workers();
            let waiting = {
                let mut state = turns.lock();
                if state.taken < threads {
                    state.taken += 1;
                    None
                } else {
                    Some(state.wait(number))
                }
            };
            match waiting {
                None => Turn(turns),
                Some(waiting) => waiting.await.expect("whoever waits is told"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use tokio::task::yield_now;

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
        let [many, one] = [Share::new(&turns), Share::new(&turns)];
        let (done, order) = std::sync::mpsc::channel();
        let mut calls = tokio::task::JoinSet::new();
        for (name, share) in [vec![("many", &many); 50], vec![("one", &one); 1]].concat() {
            let (turns, share, done) = (turns.clone(), share.clone(), done.clone());
            calls.spawn(async move {
                share.compute(pin!(computing(turns, 20))).await;
                done.send(name).unwrap();
            });
        }
        calls.join_all().await;
        // Without turns, it would be among the last.
        let place = order.try_iter().position(|name| name == "one").unwrap();
        assert!(place < 5, "{place}");
        assert_eq!(turns.lock().taken, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_turn_goes_to_the_next() {
        let turns = Arc::<Turns>::default();
        let share = Share::new(&turns);
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
        assert_eq!(turns.lock().taken, 0);
    }
}
