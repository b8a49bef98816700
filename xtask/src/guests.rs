//! `cargo xtask build-guests`: builds handler crates into components.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::artifacts::{self, Artifact};
use crate::toolchain::{Toolchain, hide_paths};
use crate::{component, layout, step};

/// The SDK that handlers in guest/ use. It is a library, not a handler.
const LIBRARY: &str = "sdk";

/// Something to build.
#[derive(Debug, PartialEq, Eq)]
enum Guest {
    /// A directory of guest/, whose package is named guest-NAME.
    Named(String),
    /// A crate of its own, anywhere.
    Outside(PathBuf),
}

/// Builds the guests with these names or paths, or all of guest/ if there are none. Returns the
/// compiler.
pub fn build(arguments: &[String]) -> Result<Toolchain> {
    let known = known()?;
    let mut named = Vec::new();
    let mut outside = Vec::new();
    for argument in arguments {
        match choose(argument, &known)? {
            Guest::Named(name) => named.push(name),
            Guest::Outside(folder) => outside.push(folder),
        }
    }
    if arguments.is_empty() {
        named = known;
    }
    let toolchain = Toolchain::find()?;
    toolchain.introduce();
    adopt_build(toolchain)?;

    let mut components = Vec::new();
    if !named.is_empty() {
        components.extend(finish(build_named(toolchain, &named)?)?);
    }
    for folder in &outside {
        components.extend(finish(build_outside(toolchain, folder)?)?);
    }
    list(components)?;
    Ok(toolchain)
}

/// Makes the build directory this clone's. One that was copied with its clone says that guests
/// depend on the contract of the first clone, so cargo would watch that one, and not this clone's.
fn adopt_build(toolchain: Toolchain) -> Result<()> {
    let (owner, own) = (layout::guest_build_owner(), layout::root());
    let is_own = fs::read(&owner).is_ok_and(|it| it == own.as_os_str().as_encoded_bytes());
    if is_own {
        return Ok(());
    }
    if layout::guest_build().exists() {
        // Dependencies and std are everybody's.
        let mut clean = toolchain.cargo("clean");
        clean.args(["--quiet", "--workspace"]).current_dir(own);
        step::run("forgetting the guests of another clone", &mut clean)?;
    }
    component::write(&owner, own.as_os_str().as_encoded_bytes())
}

/// The directories of guest/ with a crate, in order. Handlers in other languages have none.
fn known() -> Result<Vec<String>> {
    let folder = layout::guest_sources();
    let context = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        if entry.file_name() != LIBRARY && entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Resolves a name or a path. A name in guest/ comes first; `./NAME` means the directory.
fn choose(argument: &str, known: &[String]) -> Result<Guest> {
    if known.iter().any(|name| name == argument) {
        return Ok(Guest::Named(argument.to_owned()));
    }
    let Ok(folder) = fs::canonicalize(argument) else {
        bail!(
            "no guest `{argument}`: not a folder, and guest/ has only {}",
            known.join(", ")
        );
    };
    if !folder.join("Cargo.toml").is_file() {
        bail!(
            "{} has no Cargo.toml; hint: name the folder of a handler crate",
            folder.display()
        );
    }
    let inside = fs::canonicalize(layout::guest_sources())
        .is_ok_and(|guests| folder.parent() == Some(&guests));
    match folder.file_name() {
        Some(name) if inside && name == LIBRARY => {
            bail!("guest/{LIBRARY} is the library for handlers, not a handler")
        }
        Some(name) if inside => Ok(Guest::Named(name.to_string_lossy().into_owned())),
        _ => Ok(Guest::Outside(folder)),
    }
}

fn build_named(toolchain: Toolchain, names: &[String]) -> Result<Vec<Artifact>> {
    let mut cargo = toolchain.cargo("build");
    hide_paths(&mut cargo);
    cargo.current_dir(layout::root());
    cargo.args(names.iter().map(|name| format!("--package=guest-{name}")));
    let mut artifacts = compile(cargo)?;
    for artifact in &mut artifacts {
        // A library's name has underscores where its directory's name has hyphens.
        let folder = |name: &&String| name.replace('-', "_") == artifact.name;
        if let Some(name) = names.iter().find(folder) {
            artifact.name.clone_from(name);
        }
    }
    Ok(artifacts)
}

fn build_outside(toolchain: Toolchain, folder: &Path) -> Result<Vec<Artifact>> {
    let mut cargo = toolchain.cargo("build");
    // Cargo looks for a crate's own settings from the working directory.
    cargo.current_dir(folder);
    let artifacts = compile(cargo)?;
    if artifacts.is_empty() {
        let manifest = folder.join("Cargo.toml");
        bail!(
            "{} builds no WebAssembly file; hint: add `crate-type = [\"cdylib\"]` under [lib]",
            manifest.display()
        );
    }
    Ok(artifacts)
}

/// Runs cargo, which explains its failures itself.
fn compile(mut cargo: Command) -> Result<Vec<Artifact>> {
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cannot build the guests: see cargo's messages above");
    }
    artifacts::parse(&String::from_utf8_lossy(&output.stdout))
}

/// Copies components to where the host, the tests and the user look for them.
fn finish(artifacts: Vec<Artifact>) -> Result<Vec<PathBuf>> {
    let finish = |artifact: Artifact| {
        let path = layout::components().join(format!("{}.wasm", artifact.name));
        component::write(&path, &to_component(&artifact)?)?;
        Ok(path)
    };
    artifacts.into_iter().map(finish).collect()
}

fn to_component(artifact: &Artifact) -> Result<Vec<u8>> {
    let file = &artifact.file;
    let wasm = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    component::from_wasm(wasm, artifact.purpose)
        .with_context(|| format!("cannot make a component from {}", file.display()))
}

/// Prints the built components.
pub fn list(mut components: Vec<PathBuf>) -> Result<()> {
    components.sort();
    for path in &components {
        let size = fs::metadata(path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .len();
        let shown = path.strip_prefix(layout::root()).unwrap_or(path);
        println!("{:<32} {:>8.1} KiB", shown.display(), size as f64 / 1024.0);
    }
    Ok(())
}
