//! Has a process of its own compile a component before this one does, which the kernel ends if it takes too long or too much
//! memory. Screening only weighs a component, and may misjudge one.
//!
//! It fills the cache, from which the code is loaded then. Where there is no cache, this process compiles once more what has
//! been proved to end. What has been proved is noted beside the code.

use super::Engine;
use crate::limits::{COMPILE_TIME, Limit, MAX_COMPILE_CPU, MAX_COMPILE_DATA_BYTES};
use crate::opening;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Seek, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use wasmtime::component::Component;

/// Why a component is not compiled.
#[derive(Debug, thiserror::Error)]
#[error(
    "takes more to compile than a component may, which is {} s of CPU time and {} MiB of memory (the process that compiled it \
     {outcome})",
    MAX_COMPILE_CPU.as_secs(),
    MAX_COMPILE_DATA_BYTES >> 20
)]
pub struct TooCostly {
    outcome: String,
}

/// Components that have been compiled within the limits.
pub struct Proofs {
    /// Where they are noted for later processes.
    folder: Option<PathBuf>,
    noted: Mutex<BTreeSet<String>>,
}

impl Proofs {
    /// With those that are noted in this cache, if there is one. Another version of the compiler notes elsewhere.
    pub fn new(cache: Option<&Path>) -> Self {
        let version = concat!("echo-host-", env!("CARGO_PKG_VERSION"));
        Proofs {
            folder: cache.map(|cache| cache.join("proved").join(version)),
            noted: Mutex::default(),
        }
    }

    fn has(&self, sha256: &str) -> bool {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.folder.as_ref().map(|folder| folder.join(sha256));
        noted.contains(sha256) || file.is_some_and(|file| file.exists())
    }

    fn note(&self, sha256: &str) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert(sha256.to_owned());
        if let Some(folder) = &self.folder {
            // Without the note it is proved again by the next host.
            let _ = fs::create_dir_all(folder);
            let _ = fs::write(folder.join(sha256), "");
        }
    }
}

impl Engine {
    /// Has a component with this hash compiled by another process, unless that has been done before or there is no helper.
    pub(super) fn prove(&self, binary: &[u8], sha256: &str) -> Result<(), TooCostly> {
        if self.proofs.has(sha256) {
            return Ok(());
        }
        let refuse = |outcome: String| {
            Limit::Component.reached();
            Err(TooCostly { outcome })
        };
        match compile_elsewhere(binary) {
            Ok(None) => Ok(()),
            Ok(Some(outcome)) if outcome == "exited 0" => {
                self.proofs.note(sha256);
                Ok(())
            }
            Ok(Some(outcome)) => refuse(outcome),
            Err(error) => refuse(format!("failed: {error}")),
        }
    }
}

/// How the process ended that compiled it; none if there is nobody to start one.
#[cfg(target_os = "linux")]
fn compile_elsewhere(binary: &[u8]) -> io::Result<Option<String>> {
    use rustix::fs::{MemfdFlags, memfd_create};
    if !opening::is_helped() {
        return Ok(None);
    }
    let mut component = fs::File::from(memfd_create("component", MemfdFlags::CLOEXEC)?);
    component.write_all(binary)?;
    component.rewind()?;
    let (mut ours, theirs) = UnixStream::pair()?;
    if !opening::compile(component.into(), theirs.into())? {
        return Ok(None);
    }
    ours.set_read_timeout(Some(COMPILE_TIME))?;
    let mut outcome = String::new();
    ours.read_to_string(&mut outcome)?;
    Ok(Some(outcome.trim_end().to_owned()))
}

/// Only a confined host has a helper.
#[cfg(not(target_os = "linux"))]
fn compile_elsewhere(_: &[u8]) -> io::Result<Option<String>> {
    Ok(None)
}

impl Engine {
    /// Compiles a component for nothing but the cache. Whether it is a valid one is for whoever loads it to say.
    pub fn compile_for_cache(&self, binary: &[u8]) {
        let _ = Component::from_binary(&self.wasm, binary);
    }
}
