//! Compiled code is kept, so that a handler is compiled once and not at every start.
//!
//! Wasmtime keys it by the component's content, its own version and its settings. It is native code, so
//! it is trusted only in a folder that nobody else can write to.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use wasmtime::{Cache, CacheConfig};

/// Who may write to a folder besides its owner.
const OTHERS_MAY_WRITE: u32 = 0o022;

/// Opens the cache in `folder`, which is made if there is none. Without one, and with a line in the log
/// that says why, if that can't be done: a cache only saves time.
pub fn open(folder: &Path) -> Option<Cache> {
    let opened = prepare(folder).and_then(|()| {
        let mut config = CacheConfig::new();
        // Wasmtime wants to know it from the root on.
        config.with_directory(fs::canonicalize(folder)?);
        Cache::new(config).map_err(|error| io::Error::other(format!("{error:#}")))
    });
    opened
        .inspect_err(|error| {
            tracing::warn!(
                "compiled code is not kept in {} (--cache): {error}",
                folder.display()
            );
        })
        .ok()
}

fn prepare(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let found = fs::metadata(folder)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("it belongs to somebody else"));
    }
    if found.mode() & OTHERS_MAY_WRITE != 0 {
        return Err(io::Error::other("others may write to it"));
    }
    Ok(())
}
