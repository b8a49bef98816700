//! The paths of the repository.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the repository")
}

/// The contract.
pub fn contract() -> PathBuf {
    root().join("wit")
}

/// The documents.
pub fn docs() -> PathBuf {
    root().join("docs")
}

/// The sources of the guests, each in a directory with its name, and their build settings.
pub fn guest_sources() -> PathBuf {
    root().join("guest")
}

/// The directory of finished components, named NAME.wasm.
pub fn components() -> PathBuf {
    root().join("target/guests")
}

/// Cargo's target directory for guests. One for all of them, so that shared crates are built once.
pub fn guest_build() -> PathBuf {
    root().join("target/guest-build")
}

/// Tools installed by package name.
pub fn tools() -> PathBuf {
    root().join("target/tools")
}
