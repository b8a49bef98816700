//! Where things are.

use anyhow::{Context, Result};
use std::env;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folders that a run uses.
#[derive(Clone, Debug)]
pub struct Place {
    root: PathBuf,
    binaries: PathBuf,
}

impl Place {
    /// Finds them, and makes those that a run writes to.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        let root = root.context("the crate is a folder of the repository")?;
        let own = env::current_exe().context("cannot tell where this program is")?;
        let binaries = own.parent().context("a program is in a folder")?;
        let place = Place {
            root: root.to_owned(),
            binaries: binaries.to_owned(),
        };
        fs::create_dir_all(place.work().join("logs")).context("cannot make target/bench")?;
        // The host uses only a folder that nobody else can write to.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(place.cache())
            .context("cannot make target/bench/cache")?;
        Ok(place)
    }

    /// What a run writes and nobody keeps.
    pub fn work(&self) -> PathBuf {
        self.root.join("target/bench")
    }

    /// Compiled code of this run and those before.
    pub fn cache(&self) -> PathBuf {
        self.work().join("cache")
    }

    /// What a program complains of.
    pub fn log(&self, name: &str) -> PathBuf {
        self.work().join(format!("logs/{name}.log"))
    }

    /// A program that cargo built beside this one.
    pub fn built(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }

    /// A component of `cargo xtask build-guests`.
    pub fn guest(&self, name: &str) -> PathBuf {
        self.root.join(format!("target/guests/{name}.wasm"))
    }

    /// Made by `cargo xtask bench --install`.
    pub fn javascript_echo(&self) -> PathBuf {
        self.root.join("target/bench-js/echo.wasm")
    }

    /// The Python that has uvloop, if it has: made by `cargo xtask bench --install`.
    pub fn uvloop_python(&self) -> PathBuf {
        self.root.join("target/bench-venv/bin/python")
    }

    /// The file of uvloop that is there if it is installed.
    pub fn uvloop_package(&self) -> PathBuf {
        let libraries = self.root.join("target/bench-venv/lib");
        // Between is a folder named after Python's version.
        let versions = fs::read_dir(&libraries).into_iter().flatten().flatten();
        versions
            .map(|version| version.path().join("site-packages/uvloop/__init__.py"))
            .find(|file| file.is_file())
            .unwrap_or_else(|| libraries.join("python3/site-packages/uvloop/__init__.py"))
    }

    /// A file of peers/.
    pub fn peer(&self, name: &str) -> PathBuf {
        self.root.join("bench/peers").join(name)
    }

    /// Results that the repository keeps, or those of a trial.
    pub fn results(&self, kept: bool) -> PathBuf {
        match kept {
            true => self.root.join("bench"),
            false => self.work(),
        }
    }

    pub fn readme(&self) -> PathBuf {
        self.root.join("README.md")
    }

    /// The page about the comparison.
    pub fn page(&self) -> PathBuf {
        self.root.join("docs/performance/comparison.md")
    }

    /// A program of the system: where it is on the PATH or beside it, or else just its name.
    pub fn program(&self, name: &str) -> PathBuf {
        let path = env::var_os("PATH").unwrap_or_default();
        let system = [PathBuf::from("/usr/sbin")];
        env::split_paths(&path)
            .chain(system)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
            .unwrap_or_else(|| name.into())
    }
}
