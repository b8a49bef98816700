//! The cache of compiled code: a handler is compiled once, not at every start.
//!
//! Wasmtime's key is the component's content, its own version and its settings. The code is native,
//! so the folder must be one that nobody else can write to or replace. Truncated or foreign files
//! are compiled again. Otherwise the content is trusted, like the host's own program.

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat, fchmod};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use system::ownership::{UntrustedOwner, check_above, check_within};
use wasmtime::{Cache, CacheConfig};

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Untrusted(#[from] UntrustedOwner),
    #[error("{0:#}")]
    Wasmtime(wasmtime::Error),
}

/// Creates the folder if missing, private whatever the umask.
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

/// Opens the cache in `folder`, which is created if missing. On an error, logs it and goes on
/// without a cache: it only saves time.
pub fn open(folder: &Path) -> Option<Cache> {
    try_open(folder)
        .inspect_err(|error| {
            tracing::warn!(
                "compiling handlers at every start: cannot cache compiled code in {} (--cache): {error}",
                folder.display()
            );
        })
        .inspect(|_| warn_if_read_only(folder))
        .ok()
}

/// What is there already is used.
fn warn_if_read_only(folder: &Path) {
    let access = Access::WRITE_OK | Access::EXEC_OK;
    if let Err(error) = accessat(CWD, folder, access, AtFlags::EACCESS) {
        tracing::warn!(
            "compiling handlers that are not cached at every start: cannot write to {} (--cache): \
             {error}",
            folder.display()
        );
    }
}

/// Whether `folder`, which is created if missing, can be a cache.
pub fn is_usable(folder: &Path) -> bool {
    try_open(folder).is_ok()
}

fn try_open(folder: &Path) -> Result<Cache, CacheError> {
    make(folder)?;
    // Check the path that will be used: a link may change later.
    let folder = fs::canonicalize(folder)?;
    check_above(&folder)?;
    check_within(&folder)?;
    let mut config = CacheConfig::new();
    config.with_directory(folder);
    Cache::new(config).map_err(CacheError::Wasmtime)
}
