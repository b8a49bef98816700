//! Refusals: how many, and the last one.

use parking_lot::{Mutex, MutexGuard};
use std::time::SystemTime;

/// The last swap or reload that was refused.
#[derive(Clone, Debug)]
pub struct LastRefusal {
    /// When.
    pub at: SystemTime,
    /// The refused handler or configuration.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// Counts refusals and remembers the last one.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<(u64, Option<LastRefusal>)>);

impl Refusals {
    /// Counts a refusal.
    pub fn note(&self, subject: impl ToString, reason: impl ToString) {
        let mut refusals = self.lock();
        refusals.0 += 1;
        refusals.1 = Some(LastRefusal {
            at: SystemTime::now(),
            subject: subject.to_string(),
            reason: reason.to_string(),
        });
    }

    /// How many there were, and the last one.
    pub fn get(&self) -> (u64, Option<LastRefusal>) {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Option<LastRefusal>)> {
        self.0.lock()
    }
}
