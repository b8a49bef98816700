//! Chooses how guests are compiled. Both ways produce components that behave the same.

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
    /// The compiler that built this program. It has std for a target that produces components.
    Wasip2,
    /// Debian's compiler. It builds std itself and produces modules, which are wrapped into
    /// components. For machines where rustup cannot download a target.
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

    /// Whether plain `cargo build --target wasm32-wasip2` produces components.
    pub fn has_target(self) -> bool {
        matches!(self, Self::Wasip2)
    }

    /// Prints which compiler is used, and why a first build may take long.
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

    /// The start of a `cargo build` or `cargo clean` for WebAssembly.
    pub fn cargo(self, subcommand: &str) -> Command {
        let settings = layout::guest_sources();
        let (mut command, target) = match self {
            Self::Wasip2 => (wasip2_cargo(), "wasm32-wasip2"),
            Self::Debian => (debian_cargo(), "wasm32-wasip1"),
        };
        command.args([subcommand, "--release", "--target", target]);
        command.arg("--target-dir").arg(layout::guest_build());
        command.arg("--config").arg(settings.join("build.toml"));
        if matches!(self, Self::Debian) {
            command.arg("--config").arg(settings.join("debian.toml"));
        }
        command
    }

    /// The version of the compiler and the target: with the same, the same source gives the same
    /// component.
    pub fn version(self) -> Result<String> {
        let (rustc, target) = match self {
            Self::Wasip2 => (rustc(), "wasm32-wasip2"),
            Self::Debian => ("/usr/bin/rustc".into(), "wasm32-wasip1"),
        };
        let mut ask = Command::new(rustc);
        ask.arg("--version").current_dir(layout::root());
        let answer = step::output(&mut ask)?;
        Ok(format!("{} for {target}", answer.trim()))
    }
}

/// Keeps the paths of this machine out of components: panic messages name source files. Cargo keeps
/// builds with other flags apart, but not if they have this one: for guests of one set of flags.
pub fn hide_paths(cargo: &mut Command) {
    if let Some(registry) = registry() {
        let flag = format!("--remap-path-prefix={}=/cargo", registry.display());
        let wasm = "target.'cfg(target_family = \"wasm\")'";
        cargo.args(["--config", &format!("{wasm}.rustflags=[{flag:?}]")]);
    }
}

fn rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Where cargo keeps the sources of packages.
fn registry() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    Some(home.join("registry/src"))
}

/// Asks the compiler itself: it may come from rustup, a distribution or a container image.
fn has_wasip2() -> bool {
    let question = ["--print", "target-libdir", "--target", "wasm32-wasip2"];
    let Ok(answer) = Command::new(rustc())
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

/// Debian's cargo, isolated from the toolchain that runs `cargo xtask`, whose compiler, libraries
/// and settings are in the environment.
fn debian_cargo() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    for (variable, _) in env::vars_os() {
        if is_foreign(&variable.to_string_lossy()) {
            command.env_remove(variable);
        }
    }
    command.env("RUSTC", "/usr/bin/rustc");
    // Building std is an unstable feature, but the compiler is a stable one.
    command.env("RUSTC_BOOTSTRAP", "1");
    command
}

/// Returns true for variables that would choose another compiler or change its flags. Variables of
/// the network and the registry stay.
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
