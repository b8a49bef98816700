//! The paths of the repository.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The root of the repository.
///
/// Asked while running, not compiled in: cargo does not compile a clone again that was copied with
/// its target directory, so this program would work on the first clone.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = env::current_dir().unwrap_or_default();
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        root_of(manifest.as_deref(), &here)
    });
    &ROOT
}

/// The parent of the crate that cargo runs, or else what has an xtask around the working directory.
fn root_of(manifest: Option<&Path>, here: &Path) -> PathBuf {
    let of_cargo = manifest.and_then(Path::parent);
    let mut folders = of_cargo.into_iter().chain(here.ancestors());
    let root = folders.find(|folder| folder.join("xtask/Cargo.toml").is_file());
    root.unwrap_or(here).to_owned()
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

/// The file that names the clone whose files [`guest_build`] depends on.
pub fn guest_build_owner() -> PathBuf {
    root().join("target/guest-build-of")
}

/// Tools installed by package name.
pub fn tools() -> PathBuf {
    root().join("target/tools")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_where_cargo_runs_it_or_around_the_working_directory() {
        let root = root();
        assert!(root.join("xtask/src/layout.rs").is_file(), "{root:?}");
        let nowhere = Path::new("/");
        assert_eq!(root_of(Some(&root.join("xtask")), nowhere), root);
        // Of another repository, or unset.
        assert_eq!(root_of(Some(Path::new("/other/xtask")), root), root);
        assert_eq!(root_of(None, &root.join("guest/echo")), root);
    }
}
