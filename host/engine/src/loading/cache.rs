//! Compiled code is kept, so that a handler is compiled once and not at every start.
//!
//! Wasmtime keys it by the component's content, its own version and its settings. It is native code, so it is trusted
//! only in a folder that nobody else can write to, or put another one in the place of. What is cut short or is no
//! such code is compiled anew. Beyond that it is taken as the disk gives it, as the host's own program is.

use rustix::fs::{Mode, OFlags, fchmod};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use system::ownership::{NotOurs, check_above, check_within};
use wasmtime::{Cache, CacheConfig};

/// Why no code is kept.
#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Untrusted(#[from] NotOurs),
    #[error("{0:#}")]
    Wasmtime(wasmtime::Error),
}

/// Makes the folder, if there is none, for its owner only, whatever the umask is.
fn make(folder: &Path) -> io::Result<()> {
    let mut private = DirBuilder::new();
    private.mode(0o700);
    if let Some(above) = folder.parent() {
        private.recursive(true).create(above)?;
    }
    match private.recursive(false).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let made = rustix::fs::open(folder, flags, Mode::empty())?;
            Ok(fchmod(made, Mode::RWXU)?)
        }
    }
}

/// Opens the cache in `folder`, which is made if there is none. Without one, and with a line in the log
/// that says why, if that can't be done: a cache only saves time.
pub fn open(folder: &Path) -> Option<Cache> {
    try_open(folder)
        .inspect_err(|error| {
            tracing::warn!(
                "compiled code is not kept in {} (--cache): {error}",
                folder.display()
            );
        })
        .ok()
}

/// Whether code can be kept in `folder`, which is made if there is none.
pub fn is_usable(folder: &Path) -> bool {
    try_open(folder).is_ok()
}

fn try_open(folder: &Path) -> Result<Cache, CacheError> {
    make(folder)?;
    // What is checked is what is used: a link may lead elsewhere later.
    let folder = fs::canonicalize(folder)?;
    check_above(&folder)?;
    check_within(&folder)?;
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).map_err(CacheError::Wasmtime)
}
