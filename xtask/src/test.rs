//! `cargo xtask test`: everything that has to be true.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::{clients, guests, languages, packages, step};

/// The clients, proxies and other tools that the tests use, and the Debian packages they come in.
const CLIENTS: [(&str, &str); 17] = [
    ("python3", "python3"),
    ("telnet", "telnet"),
    ("nc", "netcat-openbsd"),
    ("curl", "curl"),
    ("wrk", "wrk"),
    ("redis-cli", "redis-tools"),
    ("redis-benchmark", "redis-tools"),
    ("redis-server", "redis-server"),
    ("openssl", "openssl"),
    ("socat", "socat"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx"),
    ("nginx", "libnginx-mod-stream"),
    ("systemd-analyze", "systemd"),
    ("minisign", "minisign"),
    ("faketime", "faketime"),
    ("promtool", "prometheus"),
];

/// Runs the whole suite, or the tests that the arguments select. The runner's summary comes last, and its
/// exit code is the answer.
pub fn run(all_languages: bool, arguments: &[OsString]) -> Result<ExitCode> {
    let missing: Vec<&str> = CLIENTS
        .iter()
        .filter(|(program, _)| !packages::on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if !missing.is_empty() {
        packages::install(&missing, "run the tests that use well-known clients")?;
    }
    clients::install()?;
    guests::build(&[])?;
    if all_languages {
        languages::test()?;
    }
    if arguments.is_empty() {
        let arguments = ["test", "--workspace", "--release", "--doc"];
        step::run(
            "examples in the documentation",
            step::cargo().args(arguments),
        )?;
    }
    let mut runner = runner();
    if arguments.is_empty() {
        runner.arg("--no-fail-fast");
    }
    step::announce("tests");
    let status = runner
        .args(arguments)
        .status()
        .context("cannot start cargo")?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// The test runner, always for the whole workspace: with fewer packages cargo would unite their
/// dependencies' features differently, and build wasmtime once more.
fn runner() -> Command {
    let mut cargo = step::cargo();
    if step::succeeds(step::cargo().args(["nextest", "--version"])) {
        cargo.args(["nextest", "run", "--workspace", "--release"]);
    } else {
        cargo.args([
            "test",
            "--workspace",
            "--release",
            "--lib",
            "--bins",
            "--tests",
        ]);
    }
    cargo
}
