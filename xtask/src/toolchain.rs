//! Chooses how guests are compiled. Both ways lead to components that behave alike.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{layout, packages, step};

/// The compiler that builds guests.
#[derive(Clone, Copy)]
pub enum Toolchain {
    /// The one that built this program. It has std for a target that yields components directly.
    Wasip2,
    /// Debian's, which builds std for itself and yields modules, to be wrapped into components. For
    /// machines where rustup cannot fetch a target.
    Debian,
}

const DEBIAN_PACKAGES: [&str; 5] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "lld-22",
    "wasi-libc",
];

impl Toolchain {
    /// Finds a compiler that can build guests, or installs one.
    pub fn find() -> Result<Self> {
        if has_wasip2() {
            return Ok(Self::Wasip2);
        }
        if !packages::installed(&DEBIAN_PACKAGES) {
            packages::install(&DEBIAN_PACKAGES, "use Debian's compiler instead")
                .context("no compiler for guests; hint: run `rustup target add wasm32-wasip2`")?;
        }
        Ok(Self::Debian)
    }

    /// Whether plain `cargo build --target wasm32-wasip2` makes components.
    pub fn has_target(self) -> bool {
        matches!(self, Self::Wasip2)
    }

    /// Says what is used, and why a first build takes longer than the reader may expect.
    pub fn introduce(self) {
        let first = !layout::guest_build().exists();
        step::announce(match (self, first) {
            (Self::Wasip2, _) => "building guests for wasm32-wasip2",
            (Self::Debian, true) => {
                "building guests, and std once, with Debian's compiler; hint: `rustup target add \
                 wasm32-wasip2` is faster"
            }
            (Self::Debian, false) => "building guests with Debian's compiler",
        });
    }

    /// The beginning of a `cargo build` for WebAssembly.
    pub fn cargo_build(self) -> Command {
        let settings = layout::guest_sources();
        let (mut command, target) = match self {
            Self::Wasip2 => (wasip2_cargo(), "wasm32-wasip2"),
            Self::Debian => (debian_cargo(), "wasm32-wasip1"),
        };
        command.args(["build", "--release", "--target", target]);
        command.arg("--config").arg(settings.join("build.toml"));
        if matches!(self, Self::Debian) {
            command.arg("--config").arg(settings.join("debian.toml"));
        }
        command
    }
}

/// Asks the compiler itself: it may come from rustup, from a distribution or from a container
/// image.
fn has_wasip2() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let question = ["--print", "target-libdir", "--target", "wasm32-wasip2"];
    let Ok(answer) = Command::new(rustc)
        .args(question)
        .current_dir(layout::root())
        .output()
    else {
        return false;
    };
    let folder = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    let Ok(mut files) = fs::read_dir(folder) else {
        return false;
    };
    files.any(|file| {
        file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn wasip2_cargo() -> Command {
    let mut command = step::cargo();
    // These would replace the flags in build.toml.
    command
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// Debian's cargo, kept apart from the toolchain that `cargo xtask` itself runs under: that one
/// leaves its compiler, its libraries and its settings in the environment.
fn debian_cargo() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    for (variable, _) in env::vars_os() {
        if is_foreign(&variable.to_string_lossy()) {
            command.env_remove(variable);
        }
    }
    command.env("RUSTC", "/usr/bin/rustc");
    // Building std is an unstable feature. The compiler is a released one all the same.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// True for variables that would choose another compiler or change its flags. What concerns the
/// network and the registry stays.
fn is_foreign(variable: &str) -> bool {
    const EXACT: [&str; 5] = [
        "CARGO",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "LD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
    ];
    const PREFIXES: [&str; 9] = [
        "RUSTUP_",
        "RUSTC",
        "RUSTDOC",
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_PROFILE_",
        "CARGO_UNSTABLE_",
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
    ];
    EXACT.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_toolchain_does_not_leak_in() {
        for variable in [
            "RUSTUP_TOOLCHAIN",
            "RUSTC",
            "RUSTC_WRAPPER",
            "CARGO",
            "RUSTFLAGS",
            "LD_LIBRARY_PATH",
        ] {
            assert!(is_foreign(variable), "{variable}");
        }
    }

    #[test]
    fn network_settings_stay() {
        for variable in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_PROXY",
            "HTTPS_PROXY",
            "PATH",
        ] {
            assert!(!is_foreign(variable), "{variable}");
        }
    }
}
