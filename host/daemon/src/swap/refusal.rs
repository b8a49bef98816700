//! Why a version of a handler is refused.

use super::ProbeError;
use config::ConfigError;
use engine::LoadError;

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
    #[error(
        "new imports: {0}; hint: allow them, or the beginning of their names, with --allow-import, or with \
         `allow-imports` in the configuration file"
    )]
    Imports(String),
    /// There is no previous generation.
    #[error("there is no previous generation")]
    NothingBefore,
    /// The generation never was, or is no longer kept.
    #[error("there is no generation {number} to go to; kept: {}", list(kept))]
    NotKept {
        /// The requested one.
        number: u64,
        /// Those there are.
        kept: Vec<u64>,
    },
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

fn list(numbers: &[u64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(u64::to_string).collect();
    numbers.join(", ")
}
