//! Generations: versions of a handler, one of them current, and the connections that each serves.
//! Must not know Wasm, sockets or files.
//!
//! A new connection belongs to the current generation. After a swap, [`SwapPolicy`] decides what happens
//! to open connections. Those that stay keep their generation alive until the last of them ends.

mod live;
mod session;

#[cfg(test)]
mod tests;

pub use live::ConnectionGuard;
pub use session::MigratingSession;

use crate::handle::{Notice, Traffic};
use crate::handler::{Handler, SessionError};
use crate::task::ConnectionSettings;
use arc_swap::ArcSwap;
use choices::choices;
use live::Live;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{Notify, watch};

choices! {
    /// What happens to open connections after a swap.
    pub enum SwapPolicy {
        /// They stay with the old version
        NewConnections = "new-connections",
        /// Connections of responders move to the new version between two messages
        NextMessage = "next-message",
        /// As `next-message`, and conversations move with the state they save
        Migrate = "migrate",
    }
}

/// A new version of a handler, before it serves.
#[derive(Debug)]
pub struct Candidate<H> {
    /// The handler.
    pub handler: H,
    /// The settings of its connections.
    pub settings: ConnectionSettings,
    /// Its name for people.
    pub name: String,
    /// The kind of handler.
    pub tier: String,
    /// The files it came from.
    pub files: Vec<PathBuf>,
    /// The SHA-256 of its component, in hexadecimal.
    pub hash: String,
    /// The interfaces it imports, except those of every plain program.
    pub imports: Vec<String>,
}

/// A version of a handler and its connections.
#[derive(Debug)]
pub struct Generation<H> {
    /// Counts from 1, unique in the process.
    pub number: u64,
    /// The version it serves.
    pub made_from: Candidate<H>,
    /// When it first became current.
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

    /// The number of its open connections.
    pub fn live(&self) -> usize {
        self.live.count()
    }

    /// Calls that trapped, ran out of memory or timed out.
    pub fn failed_calls(&self) -> u64 {
        self.failed_calls.load(Ordering::Relaxed)
    }

    /// Ends its connections, each as soon as all its messages are answered.
    pub fn stop(&self) {
        self.live.notify(Notice::Stop);
    }

    /// Whether an open connection of the other generation can continue with this one: both cut
    /// messages the same way.
    fn continues(&self, other: &Generation<H>) -> bool {
        self.made_from.settings == other.made_from.settings
    }

    fn age(&self) -> Duration {
        self.promoted.lock().elapsed()
    }
}

/// How many failed calls within what time make a generation unfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// The most failed calls.
    pub failed_calls: u64,
    /// After this time, failed calls no longer count.
    pub time: Duration,
}

/// Rules for swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What happens to open connections.
    pub on_swap: SwapPolicy,
    /// When a new generation is unfit.
    pub probation: Option<Probation>,
}

/// The result of a swap or rollback.
#[derive(Debug)]
pub struct Replacement<H> {
    /// The current generation.
    pub current: Arc<Generation<H>>,
    /// The generation before it.
    pub replaced: Arc<Generation<H>>,
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
    last_number: u64,
    /// Whether the host is stopping.
    stopping: bool,
}

impl<H: Handler> Generations<H> {
    /// Starts with the first generation.
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

    /// Drops the target of a rollback: it may no longer be acceptable.
    pub fn forget_previous(&self) {
        self.past.lock().previous = None;
    }

    /// Generations that serve only open connections, oldest first.
    pub fn old(&self) -> Vec<Arc<Generation<H>>> {
        let past = self.past.lock();
        let alive = past.old.iter().filter_map(Weak::upgrade);
        alive.filter(|old| old.live() > 0).collect()
    }

    /// The number of open connections of all generations, and their traffic so far.
    pub fn live(&self) -> (usize, Traffic) {
        let mut all = self.old();
        all.extend(self.previous());
        all.push(self.current());
        // A connection that is moving belongs to two generations for a moment.
        let mut connections = HashMap::new();
        all.iter().for_each(|it| it.live.add_to(&mut connections));
        (connections.len(), connections.into_values().sum())
    }

    /// Makes a new version current for every new connection.
    pub fn swap(&self, candidate: Candidate<H>) -> Replacement<H> {
        let mut past = self.past.lock();
        past.last_number += 1;
        let new = Generation::new(past.last_number, candidate);
        let replacement = self.promote(&mut past, new);
        past.previous = Some(replacement.replaced.clone());
        replacement
    }

    /// Makes the previous generation current again, if there is one. The replaced one is not kept
    /// for another rollback: it was unfit.
    pub fn roll_back(&self) -> Option<Replacement<H>> {
        let mut past = self.past.lock();
        let previous = past.previous.take()?;
        Some(self.promote(&mut past, previous))
    }

    fn promote(&self, past: &mut Past<H>, current: Arc<Generation<H>>) -> Replacement<H> {
        *current.promoted.lock() = Instant::now();
        past.old.retain(|old| {
            let alive = old.upgrade();
            alive.is_some_and(|old| old.number != current.number)
        });
        let replaced = self.current.swap(current.clone());
        self.numbers.send_replace(current.number);
        past.old.push(Arc::downgrade(&replaced));
        if self.rules.load().on_swap != SwapPolicy::NewConnections {
            // A connection that is being registered checks by itself when its session starts.
            for old in past.old.iter().filter_map(Weak::upgrade) {
                old.live.notify(Notice::Move);
            }
        }
        Replacement { current, replaced }
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
