//! Where things are in the repository.

use std::path::{Path, PathBuf};

/// The repository's own folder.
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

/// The sources of the guests, each in a folder named after it, and their build settings.
pub fn guest_sources() -> PathBuf {
    root().join("guest")
}

/// Where finished components go, named NAME.wasm.
pub fn components() -> PathBuf {
    root().join("target/guests")
}

/// Where cargo works on guests. One folder for all of them, so that what they share is built once.
pub fn guest_build() -> PathBuf {
    root().join("target/guest-build")
}

/// Tools that are installed by package name.
pub fn tools() -> PathBuf {
    root().join("target/tools")
}
