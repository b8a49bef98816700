//! Generations: versions of a handler, of which one is current, and the connections that each serves.
//!
//! A new connection belongs to the current generation. When another becomes current, what happens to the
//! open ones is decided by [`Move`]; those that stay keep their generation alive until they end, and with
//! the last of them it is freed.

mod live;
mod session;

#[cfg(test)]
mod tests;

pub use live::Seat;
pub use session::MovingSession;

use crate::handler::{Handler, SessionError};
use crate::outbox::{Notice, Traffic};
use crate::task::Terms;
use arc_swap::ArcSwap;
use choices::choices;
use live::Live;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, watch};

choices! {
    /// What happens to open connections when another generation becomes current.
    pub enum Move {
        /// They stay with the old version
        NewConnections = "new-connections",
        /// Connections of responders move to the new version between two messages
        NextMessage = "next-message",
        /// As `next-message`, and conversations move with the state they save
        Migrate = "migrate",
    }
}

/// A version of a handler that has not served yet.
#[derive(Debug)]
pub struct Candidate<H> {
    /// Serves.
    pub handler: H,
    /// How its connections are served.
    pub terms: Terms,
    /// What people call it.
    pub name: String,
    /// What kind of handler it is.
    pub tier: String,
    /// The files it came from.
    pub files: Vec<PathBuf>,
    /// The SHA-256 of its component, in hexadecimal.
    pub hash: String,
    /// The interfaces it imports beyond those of a plain program.
    pub imports: Vec<String>,
}

/// A version of a handler, and what it serves.
#[derive(Debug)]
pub struct Generation<H> {
    /// Counts from 1. No other generation of the process has the same.
    pub number: u64,
    /// What it was made from.
    pub made_from: Candidate<H>,
    /// When it became current for the first time.
    pub since: SystemTime,
    /// When it last became current.
    promoted: Mutex<Instant>,
    live: Live,
    failed_calls: AtomicU64,
}

impl<H: Handler> Generation<H> {
    fn new(number: u64, made_from: Candidate<H>) -> Arc<Self> {
        Arc::new(Generation {
            number,
            made_from,
            since: SystemTime::now(),
            promoted: Mutex::new(Instant::now()),
            live: Live::default(),
            failed_calls: AtomicU64::new(0),
        })
    }

    /// Connections it serves now.
    pub fn live(&self) -> usize {
        self.live.count()
    }

    /// Calls of it that trapped, ran out of memory or took too long.
    pub fn failed_calls(&self) -> u64 {
        self.failed_calls.load(Ordering::Relaxed)
    }

    /// Ends its connections, each as soon as nothing that was asked is unanswered.
    pub fn stop(&self) {
        self.live.notify(Notice::Stop);
    }

    /// Whether an open connection of the other one can go on with this one: its bytes mean the same.
    fn continues(&self, other: &Generation<H>) -> bool {
        self.made_from.terms == other.made_from.terms
    }

    fn age(&self) -> Duration {
        locked(&self.promoted).elapsed()
    }
}

/// How many failed calls in how long a time make a generation unfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// More than so many are too many.
    pub failed_calls: u64,
    /// After this time they do not count any more.
    pub time: Duration,
}

/// How generations follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What happens to open connections.
    pub on_swap: Move,
    /// What makes a new generation unfit.
    pub probation: Option<Probation>,
}

/// One generation in the place of another.
#[derive(Debug)]
pub struct Replacement<H> {
    /// The one that is current now.
    pub current: Arc<Generation<H>>,
    /// The one that was so before.
    pub replaced: Arc<Generation<H>>,
}

/// All generations that still serve, and the one before the current one.
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
    /// What a rollback makes current again.
    previous: Option<Arc<Generation<H>>>,
    /// Those that are not current and may still serve.
    old: Vec<Weak<Generation<H>>>,
    last_number: u64,
    /// Whether the host is stopping.
    stopping: bool,
}

impl<H: Handler> Generations<H> {
    /// Begins with the first generation.
    pub fn new(first: Candidate<H>, rules: Rules) -> Arc<Self> {
        Arc::new(Generations {
            current: ArcSwap::new(Generation::new(1, first)),
            past: Mutex::new(Past {
                previous: None,
                old: Vec::new(),
                last_number: 1,
                stopping: false,
            }),
            rules: ArcSwap::from_pointee(rules),
            numbers: watch::Sender::new(1),
            call_failed: Notify::new(),
        })
    }

    /// Has the next generation follow by other rules.
    pub fn set_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// The one that new connections belong to.
    pub fn current(&self) -> Arc<Generation<H>> {
        self.current.load_full()
    }

    /// The number of the current one, and of those that become so.
    pub fn numbers(&self) -> watch::Receiver<u64> {
        self.numbers.subscribe()
    }

    /// The one that a rollback makes current again.
    pub fn previous(&self) -> Option<Arc<Generation<H>>> {
        locked(&self.past).previous.clone()
    }

    /// Keeps nothing to go back to: what was good enough before may not be so any more.
    pub fn forget_previous(&self) {
        locked(&self.past).previous = None;
    }

    /// Those that serve open connections only, oldest first.
    pub fn old(&self) -> Vec<Arc<Generation<H>>> {
        let past = locked(&self.past);
        let alive = past.old.iter().filter_map(Weak::upgrade);
        alive.filter(|old| old.live() > 0).collect()
    }

    /// The connections that all of them serve now, and what has gone through those so far.
    pub fn live(&self) -> (usize, Traffic) {
        let mut all = self.old();
        all.extend(self.previous());
        all.push(self.current());
        // One that is moving has a seat in two of them for a moment.
        let mut connections = HashMap::new();
        all.iter().for_each(|it| it.live.add_to(&mut connections));
        (connections.len(), connections.into_values().sum())
    }

    /// Makes a new version current, at once and for every connection that comes from now on.
    pub fn swap(&self, candidate: Candidate<H>) -> Replacement<H> {
        let mut past = locked(&self.past);
        past.last_number += 1;
        let new = Generation::new(past.last_number, candidate);
        let replacement = self.promote(&mut past, new);
        past.previous = Some(replacement.replaced.clone());
        replacement
    }

    /// Makes the previous generation current again, if there is one. What it replaces is not kept for
    /// another rollback: it was unfit.
    pub fn roll_back(&self) -> Option<Replacement<H>> {
        let mut past = locked(&self.past);
        let previous = past.previous.take()?;
        Some(self.promote(&mut past, previous))
    }

    fn promote(&self, past: &mut Past<H>, current: Arc<Generation<H>>) -> Replacement<H> {
        *locked(&current.promoted) = Instant::now();
        past.old.retain(|old| {
            let alive = old.upgrade();
            alive.is_some_and(|old| old.number != current.number)
        });
        let replaced = self.current.swap(current.clone());
        self.numbers.send_replace(current.number);
        past.old.push(Arc::downgrade(&replaced));
        if self.rules.load().on_swap != Move::NewConnections {
            // A connection that is on its way to its seat looks for itself when its session begins.
            for old in past.old.iter().filter_map(Weak::upgrade) {
                old.live.notify(Notice::Move);
            }
        }
        Replacement { current, replaced }
    }

    /// Ends the conversations of all generations, as the host is stopping.
    pub fn stop(&self) {
        let mut past = locked(&self.past);
        past.stopping = true;
        let old = past.old.iter().filter_map(Weak::upgrade);
        for generation in old.chain([self.current()]) {
            if generation.made_from.terms.converses {
                generation.stop();
            }
        }
    }

    /// The current generation, as soon as it has turned out to be unfit and there is one to go back to.
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

    /// Counts the failed call, if it is one.
    fn note<T>(&self, generation: &Generation<H>, told: &Result<T, SessionError>) {
        if let Err(SessionError::Call(_)) = told {
            generation.failed_calls.fetch_add(1, Ordering::Relaxed);
            self.call_failed.notify_one();
        }
    }

    fn is_stopping(&self) -> bool {
        locked(&self.past).stopping
    }
}

/// What is guarded here is whole at every step: a panic elsewhere does not spoil it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
