//! A version of a handler, and the connections that it serves.

use super::live::Live;
use super::{Moves, Stay};
use crate::handle::Notice;
use crate::handler::Handler;
use crate::histogram::{Distribution, Histogram};
use crate::task::ConnectionSettings;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

const UP_TO_MILLISECONDS: [u64; 9] = [
    10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000,
];

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
    /// The SHA-256 of its component, in hexadecimal.
    pub hash: String,
    /// The interfaces it imports, except those of every plain program.
    pub imports: Vec<String>,
}

impl<H: Handler> Candidate<H> {
    /// The same without its instances.
    pub(super) fn renewed(&self) -> Self {
        Candidate {
            handler: self.handler.renewed(),
            settings: self.settings.clone(),
            name: self.name.clone(),
            tier: self.tier.clone(),
            hash: self.hash.clone(),
            imports: self.imports.clone(),
        }
    }
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
    pub(super) promoted: Mutex<Instant>,
    pub(super) live: Live,
    /// Where its connections report whether they move, since it is not current.
    pub(super) moves: Mutex<Arc<Moves>>,
    pub(super) failed_calls: AtomicU64,
    /// How long its connections have lasted that ended with it, in milliseconds.
    pub(super) lasted: Histogram,
}

impl<H: Handler> Generation<H> {
    pub(super) fn new(number: u64, made_from: Candidate<H>) -> Arc<Self> {
        Arc::new(Generation {
            number,
            made_from,
            since: SystemTime::now(),
            promoted: Mutex::new(Instant::now()),
            live: Live::default(),
            moves: Mutex::default(),
            failed_calls: AtomicU64::new(0),
            lasted: Histogram::new(&UP_TO_MILLISECONDS),
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

    /// How long connections have lasted that ended with it, in milliseconds.
    pub fn durations(&self) -> Distribution {
        self.lasted.distribution()
    }

    /// Ends its connections, each as soon as all its messages are answered.
    pub fn stop(&self) {
        self.live.notify(Notice::Stop);
    }

    /// Why no open connection of the other generation can continue with this one.
    pub(super) fn refuses(&self, other: &Generation<H>) -> Option<Stay> {
        let (new, old) = (&self.made_from.settings, &other.made_from.settings);
        if new.converses != old.converses {
            Some(Stay::Kind)
        } else {
            (new.framing != old.framing).then_some(Stay::Framing)
        }
    }

    /// Where connections that were open when this was replaced report.
    pub(super) fn moves(&self) -> Arc<Moves> {
        self.moves.lock().clone()
    }

    /// For how long it has been current.
    pub fn age(&self) -> Duration {
        self.promoted.lock().elapsed()
    }
}
