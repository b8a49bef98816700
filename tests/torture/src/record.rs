//! Counts of events.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The outcome for a villain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// A reply, or the misdeed succeeded.
    Served,
    /// The end of the connection.
    Closed,
    /// A reset.
    Reset,
    /// No connection at all.
    Refused,
    /// Nothing within its time limit.
    Silence,
    /// Something it must never get, which is a finding.
    Harm(&'static str),
}

/// Results of well-behaved clients of one kind.
#[derive(Clone)]
pub struct Service {
    pub sessions: u64,
    pub messages: u64,
    /// Datagrams that were sent again, because no reply came.
    pub repeated: u64,
    /// Time from sending a message to its whole reply, in microseconds.
    latency: Histogram<u64>,
}

impl Service {
    fn new() -> Self {
        Service {
            sessions: 0,
            messages: 0,
            repeated: 0,
            latency: Histogram::new(3).expect("three digits are possible"),
        }
    }

    /// At this percentile, in milliseconds.
    pub fn latency_ms(&self, percentile: f64) -> f64 {
        self.latency.value_at_percentile(percentile) as f64 / 1000.0
    }

    fn add(&mut self, other: &Service) {
        self.sessions += other.sessions;
        self.messages += other.messages;
        self.repeated += other.repeated;
        // It grows as needed.
        let _ = self.latency.add(&other.latency);
    }
}

/// Results of operators' orders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub done: u64,
    pub refused: u64,
}

/// All counts, by name.
#[derive(Default)]
pub struct Record {
    villains: Mutex<BTreeMap<&'static str, BTreeMap<Met, u64>>>,
    regulars: Mutex<BTreeMap<&'static str, Service>>,
    operators: Mutex<BTreeMap<&'static str, Asked>>,
}

impl Record {
    /// Records the outcome for a villain.
    pub fn met(&self, villain: &'static str, met: Met) {
        *locked(&self.villains)
            .entry(villain)
            .or_default()
            .entry(met)
            .or_default() += 1;
    }

    /// A well-behaved client got a whole reply.
    pub fn replied(&self, kind: &'static str, after: Duration) {
        let mut regulars = locked(&self.regulars);
        let service = regulars.entry(kind).or_insert_with(Service::new);
        service.messages += 1;
        let micros = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
        // It grows as needed.
        let _ = service.latency.record(micros);
    }

    /// A well-behaved client's session has ended as expected.
    pub fn ended(&self, kind: &'static str) {
        locked(&self.regulars)
            .entry(kind)
            .or_insert_with(Service::new)
            .sessions += 1;
    }

    /// A well-behaved client sent a datagram again.
    pub fn repeated(&self, kind: &'static str) {
        locked(&self.regulars)
            .entry(kind)
            .or_insert_with(Service::new)
            .repeated += 1;
    }

    /// Records whether an operator's order succeeded.
    pub fn asked(&self, what: &'static str, done: bool) {
        let mut operators = locked(&self.operators);
        let asked = operators.entry(what).or_default();
        if done {
            asked.done += 1
        } else {
            asked.refused += 1
        }
    }

    pub fn villains(&self) -> BTreeMap<&'static str, BTreeMap<Met, u64>> {
        locked(&self.villains).clone()
    }

    pub fn regulars(&self) -> BTreeMap<&'static str, Service> {
        locked(&self.regulars).clone()
    }

    pub fn operators(&self) -> BTreeMap<&'static str, Asked> {
        locked(&self.operators).clone()
    }

    /// All well-behaved clients together.
    pub fn all_regulars(&self) -> Service {
        let mut all = Service::new();
        locked(&self.regulars).values().for_each(|it| all.add(it));
        all
    }

    /// Number of misdeeds.
    pub fn deeds(&self) -> u64 {
        locked(&self.villains)
            .values()
            .flat_map(BTreeMap::values)
            .sum()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
