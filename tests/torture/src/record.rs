//! What happened, counted.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a villain met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// A reply, or it did what it had in mind.
    Served,
    /// The end of the connection.
    Closed,
    /// A reset.
    Reset,
    /// No connection at all.
    Refused,
    /// Nothing for as long as it would wait.
    Silence,
    /// What it must never be given, which is a finding.
    Harm(&'static str),
}

/// What well-behaved clients of one kind got.
#[derive(Clone)]
pub struct Service {
    pub sessions: u64,
    pub messages: u64,
    /// Datagrams that were sent once more, as no reply came for a while.
    pub repeated: u64,
    /// From sending a message to its whole reply, in microseconds.
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
        // It grows as it needs to.
        let _ = self.latency.add(&other.latency);
    }
}

/// What operators asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    pub done: u64,
    pub refused: u64,
}

/// All that is counted, by name.
#[derive(Default)]
pub struct Record {
    villains: Mutex<BTreeMap<&'static str, BTreeMap<Met, u64>>>,
    regulars: Mutex<BTreeMap<&'static str, Service>>,
    operators: Mutex<BTreeMap<&'static str, Asked>>,
}

impl Record {
    /// A villain did something.
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
        // It grows as it needs to.
        let _ = service.latency.record(micros);
    }

    /// A well-behaved client's session has ended as it should.
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

    /// An operator asked for something, and got it or did not.
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

    /// How often villains did something.
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
