//! Why a version of a handler is not served.

use super::ProbeError;
use crate::config::ConfigError;
use engine::LoadError;

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
