//! `cargo xtask bench`: builds what the benchmark needs, and runs it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::{guests, install, layout, packages, step};

/// The guests that are measured.
const GUESTS: [&str; 4] = ["echo", "echo-conversation", "probe", "upper"];

/// Servers that the host is compared with: their Debian packages, and a file of each.
const PEERS: [(&str, &str); 5] = [
    ("haproxy", "/usr/sbin/haproxy"),
    ("nginx", "/usr/sbin/nginx"),
    (
        "libnginx-mod-stream-js",
        "/usr/lib/nginx/modules/ngx_stream_js_module.so",
    ),
    ("socat", "/usr/bin/socat"),
    ("ncat", "/usr/bin/ncat"),
];
const UVLOOP: &str = "uvloop==0.23.0";

/// Versions that work together: see `install_javascript`.
const JAVASCRIPT_PACKAGES: [&str; 2] = [
    "@bytecodealliance/componentize-js@0.23.0",
    "@bytecodealliance/jco@1.34.0",
];

/// Installs the other servers if requested, builds everything, and executes the benchmark in place
/// of this process, so that it receives signals and sets the exit code.
pub fn run(install: bool, arguments: &[OsString]) -> Result<()> {
    if install {
        install_peers();
    }
    if arguments.iter().any(|it| it == "instructions") && !packages::on_path("valgrind") {
        packages::install(&["valgrind"], "count instructions")?;
    }
    guests::build(&GUESTS.map(str::to_owned))?;
    step::build("host and native servers")?;
    let program = layout::root().join("target/release/echo-host-bench");
    let error = Command::new(&program).args(arguments).exec();
    Err(anyhow!(error).context(format!("cannot start {}", program.display())))
}

/// A server that cannot be installed is skipped; the benchmark names it.
fn install_peers() {
    let missing: Vec<&str> = PEERS
        .iter()
        .filter(|(_, file)| !fs::exists(file).unwrap_or(false))
        .map(|(package, _)| *package)
        .collect();
    let debian = if missing.is_empty() {
        Ok(())
    } else {
        packages::install(&missing, "compare the host with other servers")
    };
    let uvloop = install::python(&layout::tools(), &[UVLOOP]);
    for result in [debian, uvloop, install_javascript()] {
        if let Err(error) = result {
            step::announce(&format!("continuing without it: {error:#}"));
        }
    }
}

/// An echo in JavaScript: a component of some 12 MB, engine included.
fn install_javascript() -> Result<()> {
    let folder = layout::root().join("target/bench-js");
    if folder.join("echo.wasm").is_file() {
        return Ok(());
    }
    install::npm(&folder, &JAVASCRIPT_PACKAGES)?;
    let source = "export function respond(message) { return message; }\n";
    fs::write(folder.join("echo.js"), source).context("cannot write target/bench-js/echo.js")?;
    let mut jco = Command::new("npx");
    jco.args(["jco", "componentize", "echo.js", "--wit"])
        .arg(layout::contract())
        .args(["--world-name", "responder", "--disable", "all"])
        .args(["--out", "echo.wasm"]);
    step::run("an echo in JavaScript", jco.current_dir(&folder))
}
