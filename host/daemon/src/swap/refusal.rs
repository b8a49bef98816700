//! Why a version of a handler is not served.

use super::ProbeError;
use crate::config::ConfigError;
use engine::{HandlerSource, LoadError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Why a version of a handler is not served.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It can't be.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Not as the host is configured.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It does not answer as it should.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// It wants to do what the old one did not.
    #[error("it imports what the handler before it did not: {0}; allow it with --allow-import")]
    Imports(String),
    /// There is none to go back to.
    #[error("there is no generation before the current one")]
    NothingBefore,
    /// The host failed.
    #[error("the host could not load it: {0}")]
    Host(String),
}

impl Refusal {
    /// More than one line says: what a probe expected and what it got.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Refusal::Probe(error) if !error.diff.is_empty() => Some(&error.diff),
            _ => None,
        }
    }
}

/// A swap that was refused.
#[derive(Clone, Debug)]
pub struct LastRefusal {
    /// When.
    pub at: SystemTime,
    /// What should have been served.
    pub handler: String,
    /// Why it is not.
    pub reason: String,
}

/// The swaps that were refused: their number, and the last one.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<(u64, Option<LastRefusal>)>);

impl Refusals {
    pub fn note(&self, handler: &HandlerSource, refusal: &Refusal) {
        let mut refusals = self.lock();
        refusals.0 += 1;
        refusals.1 = Some(LastRefusal {
            at: SystemTime::now(),
            handler: handler.to_string(),
            reason: refusal.to_string(),
        });
    }

    pub fn get(&self) -> (u64, Option<LastRefusal>) {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, (u64, Option<LastRefusal>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
