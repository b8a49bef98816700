//! Has a process of its own look a component through and compile it before this one does. The kernel ends that process
//! if it takes too long or too much memory: screening only weighs a component, and may misjudge one, or take long itself.
//! So does finding out why a component is not a valid one.
//!
//! The process fills the cache, from which the code is loaded then. Without a cache this process compiles the
//! component once more, now that it is known to end. What was proved is noted in the cache.

use super::cache;
use super::recompiling::{CompiledFunctions, append};
use super::source::{HandlerSource, sha256};
use crate::Engine;
use connection::limits::Limit;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use system::limits::{MAX_COMPILE_CPU, MAX_COMPILE_DATA_BYTES};
use system::opening::{self, COMPILED, OVER_A_LIMIT, REFUSED};
use system::trust::Trust;

/// Why a component is not compiled.
#[derive(Debug, thiserror::Error)]
pub enum NotProved {
    #[error(
        "takes more to compile than a component may, which is {} s of CPU time and {} MiB of memory (the process that \
         compiled it {outcome})",
        MAX_COMPILE_CPU.as_secs(),
        MAX_COMPILE_DATA_BYTES >> 20
    )]
    TooCostly { outcome: String },
    /// What it says comes from the process, and is not escaped.
    #[error("{0}")]
    Refused(String),
    #[error("cannot be compiled: the process for it {0}")]
    Ended(String),
    #[error("cannot be compiled: {0}")]
    NoProcess(#[from] io::Error),
}

/// The components that were compiled within the limits, for the whole process.
static PROVED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Where it is noted which components compile within the limits.
pub struct Proofs {
    cache: Option<PathBuf>,
}

impl Proofs {
    /// Notes them in this cache, if there is one that can be trusted, and in memory.
    pub fn new(cache: Option<&Path>) -> Self {
        Proofs {
            cache: cache.map(Path::to_owned),
        }
    }

    /// The file that notes a component. Another version of the compiler notes elsewhere.
    fn file(&self, sha256: &str) -> Option<PathBuf> {
        let version = concat!("echo-host-", env!("CARGO_PKG_VERSION"));
        let cache = self.cache.as_ref()?;
        Some(cache.join("compiled").join(version).join(sha256))
    }

    fn has(&self, sha256: &str) -> bool {
        let proved = PROVED.lock().unwrap_or_else(PoisonError::into_inner);
        proved.contains(sha256) || self.file(sha256).is_some_and(|file| file.exists())
    }

    fn note(&self, sha256: &str) {
        let mut proved = PROVED.lock().unwrap_or_else(PoisonError::into_inner);
        proved.insert(sha256.to_owned());
        if let Some(file) = self.file(sha256) {
            // Without the note it is proved again by the next process.
            let _ = file.parent().map(fs::create_dir_all);
            let _ = fs::write(file, "");
        }
    }

    /// Has the component with this hash looked through and compiled by a process of its own, unless that was done
    /// before. The process need not compile the functions that are `known`. Returns false if this program has no way to
    /// start one.
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
            // Nobody has said how to start processes: this is no `echo-host`, but a program that uses the library.
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
    /// Proves a component of this handler, unless it is the host's own. Returns false if this program has no way to.
    pub(crate) fn prove(
        &self,
        handler: &HandlerSource,
        binary: &[u8],
        sha256: &str,
    ) -> Result<bool, NotProved> {
        match handler {
            HandlerSource::BuiltInEcho => Ok(true),
            _ => self.proofs.prove(binary, sha256, self.functions.as_deref()),
        }
    }
}

/// Whether a process that ended so has reached its limits: the kernel kills it (9, or 24 where a limit of CPU time
/// was set before), or it ends itself where it gets no memory (6, or 11 for its stack).
fn ends_at_a_limit(outcome: &str) -> bool {
    let signal = outcome.strip_prefix("was ended by signal ");
    signal.is_some_and(|signal| ["6", "9", "11", "24"].contains(&signal))
}

/// Proves the components of a handler before there is an engine, for a process that may start no others later.
/// Files that can't be read are found when the handler is loaded.
pub fn prove(
    handler: &HandlerSource,
    trust: &Trust,
    cache: Option<&Path>,
) -> Result<(), NotProved> {
    let proofs = Proofs::new(cache.filter(|cache| cache::is_usable(cache)));
    for file in handler.files() {
        let Ok(binary) = HandlerSource::File(file.clone()).read(trust) else {
            continue;
        };
        proofs.prove(&binary, &sha256(&binary), None)?;
    }
    Ok(())
}
