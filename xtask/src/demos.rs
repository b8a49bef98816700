//! `cargo xtask build-demos`: the handlers that the host contains, from their sources in guest/.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::toolchain::Toolchain;
use crate::{component, guests, layout, step};

const SUFFIX: &str = ".wasm.zst";
/// They stand in the repository and in every host: its compiler's version is recorded beside them.
const BUILT_WITH: &str = "built-with";
/// More than the largest component, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// The best that zstd offers without long memory.
const LEVEL: i32 = 19;

/// Builds the demos of these names, or all that exist.
pub fn build(names: &[String]) -> Result<()> {
    let names = match names {
        [] => known()?,
        named => named.to_vec(),
    };
    // All guests, as `compare` finds them: their features of the SDK are united.
    guests::build(&[])?;
    for name in &names {
        let built = read(&built(name))?;
        let packed = zstd::bulk::compress(&built, LEVEL).context("cannot compress")?;
        component::write(&file(name), &packed)?;
    }
    let version = Toolchain::find()?.version()?;
    component::write(
        &folder().join(BUILT_WITH),
        format!("{version}\n").as_bytes(),
    )
}

/// Fails if a demo is not what its source gives. The guests were just built.
pub fn compare(toolchain: Toolchain) -> Result<()> {
    let with = fs::read_to_string(folder().join(BUILT_WITH)).unwrap_or_default();
    let version = toolchain.version()?;
    if with.trim() != version {
        step::announce(&format!(
            "demos not compared: they were built with {}, here is {version}",
            with.trim()
        ));
        return Ok(());
    }
    let mut stale = Vec::new();
    for name in known()? {
        let packed = read(&file(&name))?;
        let demo = zstd::bulk::decompress(&packed, MAX_BYTES).ok();
        if demo != Some(read(&built(&name))?) {
            stale.push(name);
        }
    }
    if !stale.is_empty() {
        bail!(
            "demos differ from what their sources give: {}; hint: cargo xtask build-demos",
            stale.join(", ")
        );
    }
    Ok(())
}

/// The demos that exist, in order.
fn known() -> Result<Vec<String>> {
    let folder = folder();
    let context = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(context)? {
        let name = entry.with_context(context)?.file_name();
        names.extend(
            name.to_string_lossy()
                .strip_suffix(SUFFIX)
                .map(str::to_owned),
        );
    }
    names.sort();
    Ok(names)
}

fn folder() -> PathBuf {
    layout::root().join("host/engine/demos")
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}{SUFFIX}"))
}

fn built(name: &str) -> PathBuf {
    layout::components().join(format!("{name}.wasm"))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
