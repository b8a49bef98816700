//! Runs other programs, and prints which.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Prints the next step, on stderr: stdout is for results.
pub fn announce(what: &str) {
    eprintln!("==> {what}");
}

/// Runs a command to its end. Its own output explains a failure.
pub fn run(what: &str, command: &mut Command) -> Result<()> {
    announce(what);
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", name(command)))?;
    if !status.success() {
        bail!(
            "{what}: failed, see above ({} ended with {status})",
            name(command)
        );
    }
    Ok(())
}

/// Returns true if the command runs and succeeds. Prints nothing.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The output of a command, if it succeeds. Its complaint is the error otherwise.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output();
    let output = output.with_context(|| format!("cannot start {}", name(command)))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The cargo that runs this program, without the variables it has set for this program's package:
/// build scripts that read those would see a change, and run again.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(variable);
        }
    }
    command
}

/// Builds the host and all other programs of the workspace. With fewer packages cargo would unite
/// their dependencies' features differently, and build wasmtime again.
pub fn build(what: &str) -> Result<()> {
    run(
        what,
        cargo().args(["build", "--workspace", "--bins", "--release"]),
    )
}

fn name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
