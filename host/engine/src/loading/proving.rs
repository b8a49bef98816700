//! Screens and compiles a component in a separate process first. The kernel ends that process at
//! its limits of time and memory: screening is only an estimate, may be wrong, and may itself take
//! long. So may finding out why a component is invalid.
//!
//! The process fills the cache, which the code is then loaded from. Without a cache, this process
//! compiles the component again, now that it is known to finish. The cache also records what was
//! proved.

use super::cache;
use super::recompiling::{CompiledFunctions, append};
use super::source::{ComponentSource, HandlerSource, sha256};
use crate::Engine;
use connection::limits::Limit;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use system::limits::{MAX_COMPILE_CPU, MAX_COMPILE_DATA_BYTES};
use system::opening::{self, COMPILED, OVER_A_LIMIT, REFUSED};
use system::trust::Trust;

/// Why a component is not compiled.
#[derive(Debug, thiserror::Error)]
pub enum NotProved {
    #[error(
        "takes more to compile than allowed: {} s of CPU time and {} MiB of memory (the compiling \
         process {outcome})",
        MAX_COMPILE_CPU.as_secs(),
        MAX_COMPILE_DATA_BYTES >> 20
    )]
    TooCostly { outcome: String },
    /// The text comes from the process and is not escaped.
    #[error("{0}")]
    Refused(String),
    #[error("cannot be compiled: the compiling process {0}")]
    Ended(String),
    #[error("cannot be compiled: {0}")]
    NoProcess(#[from] io::Error),
}

/// The components proved by this process.
static PROVED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The record of proved components.
pub struct Proofs {
    cache: Option<PathBuf>,
}

impl Proofs {
    /// Records them in this cache, if it can be trusted, and in memory.
    pub fn new(cache: Option<&Path>) -> Self {
        Proofs {
            cache: cache.map(Path::to_owned),
        }
    }

    /// The file that records a component, by version of the host.
    fn file(&self, sha256: &str) -> Option<PathBuf> {
        let version = concat!("echo-host-", env!("CARGO_PKG_VERSION"));
        let cache = self.cache.as_ref()?;
        Some(cache.join("compiled").join(version).join(sha256))
    }

    fn has(&self, sha256: &str) -> bool {
        let proved = PROVED.lock();
        proved.contains(sha256) || self.file(sha256).is_some_and(|file| file.exists())
    }

    fn note(&self, sha256: &str) {
        let mut proved = PROVED.lock();
        proved.insert(sha256.to_owned());
        if let Some(file) = self.file(sha256) {
            // Without the record, the next process proves it again.
            let _ = file.parent().map(fs::create_dir_all);
            let _ = fs::write(file, "");
        }
    }

    /// Screens and compiles the component with this hash in a separate process, unless it is
    /// recorded. The process skips functions that are `known`. Returns false if this program cannot
    /// start such a process.
    fn prove(
        &self,
        binary: &[u8],
        sha256: &str,
        known: Option<&CompiledFunctions>,
    ) -> Result<bool, NotProved> {
        if self.has(sha256) {
            return Ok(true);
        }
        let mut input = Vec::new();
        append(&mut input, binary);
        if let Some(known) = known {
            known.write(&mut input);
        }
        let outcome = opening::compile(input, self.cache.as_deref())?;
        let Some(outcome) = outcome else {
            // No compiler is registered: this program is not `echo-host`, but uses the library.
            return Ok(false);
        };
        if outcome == COMPILED {
            self.note(sha256);
            return Ok(true);
        }
        Err(match outcome.split_once(' ') {
            Some((REFUSED, why)) => NotProved::Refused(why.to_owned()),
            Some((OVER_A_LIMIT, why)) => {
                Limit::Component.reached();
                NotProved::Refused(why.to_owned())
            }
            _ if ends_at_a_limit(&outcome) => {
                Limit::Component.reached();
                NotProved::TooCostly { outcome }
            }
            _ => NotProved::Ended(outcome),
        })
    }
}

impl Engine {
    /// Proves a component, unless it is a demo. Returns false if this program cannot.
    pub(crate) fn prove(
        &self,
        source: &ComponentSource,
        binary: &[u8],
        sha256: &str,
    ) -> Result<bool, NotProved> {
        match source {
            ComponentSource::Demo(_) => Ok(true),
            _ => self.proofs.prove(binary, sha256, self.functions.as_deref()),
        }
    }
}

/// Whether this outcome means that the process reached its limits: the kernel kills it (9, or 24
/// for a CPU limit set before), or it aborts without memory (6, or 11 for its stack).
fn ends_at_a_limit(outcome: &str) -> bool {
    let signal = outcome.strip_prefix("was ended by signal ");
    signal.is_some_and(|signal| ["6", "9", "11", "24"].contains(&signal))
}

/// Proves the components of a handler before there is an engine, for a process that cannot start
/// others later. Loading reports unreadable files.
pub fn prove(
    handler: &HandlerSource,
    trust: &Trust,
    cache: Option<&Path>,
) -> Result<(), NotProved> {
    let proofs = Proofs::new(cache.filter(|cache| cache::is_usable(cache)));
    let components = handler.components().iter();
    for component in components.filter(|it| it.file().is_some()) {
        let Ok(binary) = component.read(trust) else {
            continue;
        };
        proofs.prove(&binary, &sha256(&binary), None)?;
    }
    Ok(())
}
