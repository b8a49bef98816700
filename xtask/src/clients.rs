//! Client libraries that the tests use, installed by package name into target/test-clients and nowhere else.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{layout, packages, step};

/// From PyPI.
const PYTHON: [&str; 1] = ["redis==8.1.0"];
/// From npm.
const JAVASCRIPT: [&str; 2] = ["redis@6.3.1", "ioredis@6.0.0"];

/// Installs what is missing.
pub fn install() -> Result<()> {
    let reason = "run the tests that use clients in Python and JavaScript";
    if !step::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        packages::install(&["python3-venv"], reason)?;
    }
    let missing: Vec<&str> = [("node", "nodejs"), ("npm", "npm")]
        .into_iter()
        .filter(|(program, _)| !packages::on_path(program))
        .map(|(_, package)| package)
        .collect();
    if !missing.is_empty() {
        packages::install(&missing, reason)?;
    }
    fs::create_dir_all(folder()).context("cannot create target/test-clients")?;
    // What is installed is written down when it is: a version that changes is installed over it.
    let wanted = [&PYTHON[..], &JAVASCRIPT].concat().join("\n");
    let installed = folder().join("installed");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(());
    }
    let python = folder().join("python");
    let mut venv = Command::new("python3");
    step::run(
        "a Python for clients",
        venv.args(["-m", "venv"]).arg(&python),
    )?;
    let mut pip = Command::new(python.join("bin/python"));
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
    pip.arg("install").args(PYTHON);
    step::run("installing clients in Python", &mut pip)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
    npm.args(["--ignore-scripts", "--prefix", "."]);
    npm.args(JAVASCRIPT).current_dir(folder());
    step::run("installing clients in JavaScript", &mut npm)?;
    fs::write(installed, wanted).context("cannot write target/test-clients/installed")
}

fn folder() -> PathBuf {
    layout::root().join("target/test-clients")
}
