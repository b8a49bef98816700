//! Why a version of a handler is refused.

use super::ProbeError;
use crate::config::ConfigError;
use engine::{HandlerSource, LoadError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Why a version of a handler is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The configuration does not allow it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It fails a probe.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// It has imports that the old version did not have.
    #[error("new imports: {0}; hint: allow them with --allow-import")]
    Imports(String),
    /// There is no previous generation.
    #[error("there is no previous generation")]
    NothingBefore,
    /// An error of the host.
    #[error("the host could not load it: {0}")]
    Host(String),
}

impl Refusal {
    /// Details in several lines: the expected and received lines of a probe.
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
    /// The handler.
    pub handler: String,
    /// The reason.
    pub reason: String,
}

/// The number of refused swaps, and the last one.
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
