//! `cargo xtask torture`: builds what the torture run needs, and runs it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Result, anyhow};

use crate::{guests, layout, step};

/// Builds the host and all guests, and executes the torture run in place of this process, so that
/// it receives signals and sets the exit code.
pub fn run(arguments: &[OsString]) -> Result<()> {
    guests::build(&[])?;
    // The whole workspace, as for the tests: with fewer packages cargo would unite their
    // dependencies' features differently, and build wasmtime once more.
    let build = ["build", "--workspace", "--bins", "--release"];
    step::run("host and torture", step::cargo().args(build))?;
    step::announce("torture");
    let program = layout::root().join("target/release/torture");
    let mut torture = Command::new(&program);
    torture
        .arg("--host")
        .arg(layout::root().join("target/release/echo-host"))
        .arg("--guests")
        .arg(layout::components())
        .args(arguments);
    let error = torture.exec();
    Err(anyhow!(error).context(format!("cannot start {}", program.display())))
}
