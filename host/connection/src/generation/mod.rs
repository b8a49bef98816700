//! Generations: versions of a handler, one of them current, and the connections that each serves.
//! Must not know Wasm, sockets or files.
//!
//! A new connection belongs to the current generation. After a swap, [`SwapPolicy`] decides what
//! happens to open connections. Those that stay keep their generation alive until the last of them
//! ends.

mod history;
mod live;
mod moves;
mod policy;
mod session;
mod version;

#[cfg(test)]
mod tests;

pub use history::{End, Reign};
pub use live::{ConnectionGuard, Stage};
pub use moves::{MoveOutcome, Moves, Stay};
pub use policy::{Probation, Rules, SwapPolicy};
pub use session::MigratingSession;
pub use version::{Candidate, Generation};

use crate::handle::{ConnectionHandle, Notice, Traffic};
use crate::handler::{Handler, SessionError};
use arc_swap::ArcSwap;
use history::History;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// The result of a swap or rollback.
#[derive(Debug)]
pub struct Replacement<H> {
    /// The current generation.
    pub current: Arc<Generation<H>>,
    /// The generation before it.
    pub replaced: Arc<Generation<H>>,
    /// What becomes of open connections.
    pub moves: Arc<Moves>,
}

/// All generations that still serve, and the previous one.
#[derive(Debug)]
pub struct Generations<H> {
    current: ArcSwap<Generation<H>>,
    past: Mutex<Past<H>>,
    rules: ArcSwap<Rules>,
    /// The number of the current generation.
    numbers: watch::Sender<u64>,
    /// Notified when a call of any generation has failed.
    call_failed: Notify,
}

#[derive(Debug)]
struct Past<H> {
    /// The target of a rollback.
    previous: Option<Arc<Generation<H>>>,
    /// Generations that are not current but may still serve.
    old: Vec<Weak<Generation<H>>>,
    history: History<H>,
    last_number: u64,
    /// Whether the host is stopping.
    stopping: bool,
}

impl<H: Handler> Generations<H> {
    /// Starts with the first generation.
    pub fn new(first: Candidate<H>, rules: Rules) -> Arc<Self> {
        let first = Generation::new(1, first);
        Arc::new(Generations {
            past: Mutex::new(Past {
                history: History::new(&first),
                previous: None,
                old: Vec::new(),
                last_number: 1,
                stopping: false,
            }),
            current: ArcSwap::new(first),
            rules: ArcSwap::from_pointee(rules),
            numbers: watch::Sender::new(1),
            call_failed: Notify::new(),
        })
    }

    /// Changes the rules for the next swap.
    pub fn set_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// The generation of new connections.
    pub fn current(&self) -> Arc<Generation<H>> {
        self.current.load_full()
    }

    /// The number of the current generation, now and after each change.
    pub fn numbers(&self) -> watch::Receiver<u64> {
        self.numbers.subscribe()
    }

    /// The generation that a rollback makes current.
    pub fn previous(&self) -> Option<Arc<Generation<H>>> {
        self.past.lock().previous.clone()
    }

    /// Drops all versions but the current one: they may no longer be acceptable.
    pub fn forget_others(&self) {
        let mut past = self.past.lock();
        past.previous = None;
        past.history.forget();
    }

    /// When each version was current, oldest first, and the numbers of those that can be again.
    pub fn history(&self) -> (Vec<Reign>, Vec<u64>) {
        let past = self.past.lock();
        (past.history.reigns(), past.history.kept())
    }

    /// Generations that serve only open connections, oldest first.
    pub fn old(&self) -> Vec<Arc<Generation<H>>> {
        let past = self.past.lock();
        let alive = past.old.iter().filter_map(Weak::upgrade);
        alive.filter(|old| old.live() > 0).collect()
    }

    /// The number of open connections of all generations, and their traffic so far.
    pub fn live(&self) -> (usize, Traffic) {
        // A connection that is moving belongs to two generations for a moment.
        let mut connections = HashMap::new();
        let serving = self.serving();
        serving
            .iter()
            .for_each(|it| it.live.add_to(&mut connections));
        (connections.len(), connections.into_values().sum())
    }

    /// The ids of all open connections, without an order. One that is moving may be there twice.
    pub fn ids(&self) -> Vec<u64> {
        self.serving().iter().flat_map(|it| it.live.ids()).collect()
    }

    /// Those of these connections that are still open, and how far each is.
    pub fn some(&self, ids: &[u64]) -> Vec<(Arc<ConnectionHandle>, Stage)> {
        let mut found = HashMap::new();
        for it in self.serving() {
            let some = it.live.some(ids).into_iter();
            found.extend(some.map(|(handle, stage)| (handle.id(), (handle, stage))));
        }
        ids.iter().filter_map(|id| found.remove(id)).collect()
    }

    /// Ends connections that are idle. To be called each second, with the time since a fixed
    /// moment.
    pub fn sweep(&self, now: Duration) {
        self.serving().iter().for_each(|it| it.live.sweep(now));
    }

    /// All generations that may have connections.
    fn serving(&self) -> Vec<Arc<Generation<H>>> {
        let mut all = self.old();
        all.extend(self.previous());
        all.push(self.current());
        all
    }

    /// Makes a new version current for every new connection.
    pub fn swap(&self, candidate: Candidate<H>) -> Replacement<H> {
        let mut past = self.past.lock();
        past.last_number += 1;
        let new = Generation::new(past.last_number, candidate);
        self.promote(&mut past, new, End::Replaced)
    }

    /// Makes an earlier or later version current again: the one before the current one, or that of
    /// this number. `None` if there is none, or it is not kept any more.
    pub fn go_to(&self, number: Option<u64>, end: End) -> Option<Replacement<H>> {
        let mut past = self.past.lock();
        let number = number.or_else(|| past.history.before())?;
        let wanted = past.take_up(number)?;
        Some(self.promote(&mut past, wanted, end))
    }

    fn promote(&self, past: &mut Past<H>, current: Arc<Generation<H>>, end: End) -> Replacement<H> {
        *current.promoted.lock() = Instant::now();
        past.old.retain(|old| {
            let alive = old.upgrade();
            alive.is_some_and(|old| old.number != current.number)
        });
        let replaced = self.current.swap(current.clone());
        self.numbers.send_replace(current.number);
        past.old.push(Arc::downgrade(&replaced));
        let moves = Arc::new(Moves::default());
        past.history.follow(&current, end, &moves);
        let before = past.history.before();
        past.previous = before.and_then(|number| past.take_up(number));
        let policy = self.rules.load().on_swap;
        for old in past.old.iter().filter_map(Weak::upgrade) {
            let converses = old.made_from.settings.converses;
            let decided = policy.keeps(converses);
            *old.moves.lock() = moves.clone();
            old.live
                .ask(&moves, decided.or_else(|| current.refuses(&old)));
            if policy != SwapPolicy::NewConnections {
                // A connection that is being registered checks by itself when its session starts.
                old.live.notify(Notice::Move);
            }
        }
        Replacement {
            current,
            replaced,
            moves,
        }
    }

    /// Ends the conversations of all generations when the host stops.
    pub fn stop(&self) {
        let mut past = self.past.lock();
        past.stopping = true;
        let old = past.old.iter().filter_map(Weak::upgrade);
        for generation in old.chain([self.current()]) {
            if generation.made_from.settings.converses {
                generation.stop();
            }
        }
    }

    /// Completes with the current generation when it is unfit and there is a previous one.
    pub async fn unfit(&self) -> Arc<Generation<H>> {
        loop {
            let current = self.current();
            if self.is_unfit(&current) && self.previous().is_some() {
                return current;
            }
            self.call_failed.notified().await;
        }
    }

    fn is_unfit(&self, generation: &Generation<H>) -> bool {
        self.rules.load().probation.is_some_and(|probation| {
            generation.failed_calls() > probation.failed_calls && generation.age() < probation.time
        })
    }

    /// Counts the call if it failed.
    fn note<T>(&self, generation: &Generation<H>, told: &Result<T, SessionError>) {
        if let Err(SessionError::Call(_)) = told {
            generation.failed_calls.fetch_add(1, Ordering::Relaxed);
            self.call_failed.notify_one();
        }
    }

    fn is_stopping(&self) -> bool {
        self.past.lock().stopping
    }
}

impl<H: Handler> Past<H> {
    /// The generation of this number as it is, if it still serves, or a new one of its version.
    fn take_up(&self, number: u64) -> Option<Arc<Generation<H>>> {
        let version = self.history.version(number)?;
        let old = self.old.iter().filter_map(Weak::upgrade);
        let mut alive = self.previous.iter().cloned().chain(old);
        let alive = alive.find(|it| it.number == number);
        Some(alive.unwrap_or_else(|| Generation::new(number, version)))
    }
}
