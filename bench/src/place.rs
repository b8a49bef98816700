//! Paths that a run uses.

use std::env;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate is a folder of the repository")
}

/// What a run writes, and the results of a partial one.
pub fn work() -> PathBuf {
    root().join("target/bench")
}

/// Compiled code of this run and earlier ones.
pub fn cache() -> PathBuf {
    work().join("cache")
}

/// What a program writes to stderr.
pub fn log(name: &str) -> PathBuf {
    work().join(format!("logs/{name}.log"))
}

/// A program that cargo built beside this one.
pub fn built(name: &str) -> PathBuf {
    let own = env::current_exe().unwrap_or_else(|_| root().join("target/release/bench"));
    own.with_file_name(name)
}

/// A component of `cargo xtask build-guests`.
pub fn guest(name: &str) -> PathBuf {
    root().join(format!("target/guests/{name}.wasm"))
}

/// The Python that has uvloop, if `cargo xtask bench --install` was run.
pub fn uvloop_python() -> PathBuf {
    root().join("target/tools/python/bin/python")
}

/// A file of peers/.
pub fn peer(name: &str) -> PathBuf {
    root().join("bench/peers").join(name)
}

/// A program of the system: found on the PATH or in /usr/sbin, or else just its name.
pub fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| name.into())
}
