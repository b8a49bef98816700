//! `cargo xtask bench`: builds what the benchmark needs and hands over to it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::{guests, layout, packages, step};

/// The guests that are measured.
const GUESTS: [&str; 4] = ["echo", "echo-conversation", "probe", "upper"];

/// Servers that the host is compared with, the Debian packages they come in, and what is there if they are.
const PEERS: [(&str, &str); 6] = [
    ("haproxy", "/usr/sbin/haproxy"),
    ("nginx", "/usr/sbin/nginx"),
    (
        "libnginx-mod-stream-js",
        "/usr/lib/nginx/modules/ngx_stream_js_module.so",
    ),
    ("socat", "/usr/bin/socat"),
    ("ncat", "/usr/bin/ncat"),
    ("python3-venv", "/usr/share/doc/python3-venv"),
];

/// Versions that work together: see the recipe in `install_javascript`.
const JAVASCRIPT_PACKAGES: [&str; 2] = [
    "@bytecodealliance/componentize-js@0.23.0",
    "@bytecodealliance/jco@1.34.0",
];

/// Installs what the host is compared with, if that is wanted, builds everything, and becomes the benchmark:
/// so that signals reach it, and it alone decides how to end.
pub fn run(install: bool, arguments: &[OsString]) -> Result<()> {
    if install {
        install_peers();
    }
    guests::build(&GUESTS.map(str::to_owned))?;
    // The whole workspace, as for the tests: with fewer packages cargo would unite their dependencies'
    // features differently, and build wasmtime once more.
    let build = ["build", "--workspace", "--bins", "--release"];
    step::run("host and native servers", step::cargo().args(build))?;
    let program = layout::root().join("target/release/echo-host-bench");
    let error = Command::new(&program).args(arguments).exec();
    Err(anyhow!(error).context(format!("cannot start {}", program.display())))
}

/// What cannot be installed is not compared: the benchmark names it.
fn install_peers() {
    let missing: Vec<&str> = PEERS
        .iter()
        .filter(|(_, file)| !fs::exists(file).unwrap_or(false))
        .map(|(package, _)| *package)
        .collect();
    let debian = match missing.is_empty() {
        true => Ok(()),
        false => packages::install(&missing, "compare the host with other servers"),
    };
    for result in [debian, install_uvloop(), install_javascript()] {
        if let Err(error) = result {
            step::announce(&format!("goes on without: {error:#}"));
        }
    }
}

fn install_uvloop() -> Result<()> {
    let folder = layout::root().join("target/bench-venv");
    let python = folder.join("bin/python");
    let mut import = Command::new(&python);
    if step::succeeds(import.args(["-c", "import uvloop"])) {
        return Ok(());
    }
    let mut venv = Command::new("python3");
    step::run(
        "a Python for uvloop",
        venv.args(["-m", "venv"]).arg(&folder),
    )?;
    let pip = ["-m", "pip", "--quiet", "install", "uvloop"];
    step::run("installing uvloop", Command::new(&python).args(pip))
}

/// An echo in JavaScript, made into a component of some 12 MB with its engine.
fn install_javascript() -> Result<()> {
    let folder = layout::root().join("target/bench-js");
    if folder.join("echo.wasm").is_file() {
        return Ok(());
    }
    let source = "export function respond(message) { return message; }\n";
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("echo.js"), source))
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--prefix", "."]);
    npm.args(JAVASCRIPT_PACKAGES).current_dir(&folder);
    step::run("installing a componentizer for JavaScript", &mut npm)?;
    let mut jco = Command::new("npx");
    jco.args(["jco", "componentize", "echo.js", "--wit"])
        .arg(layout::root().join("wit"))
        .args(["--world-name", "responder", "--disable", "all"])
        .args(["--out", "echo.wasm"]);
    step::run("an echo in JavaScript", jco.current_dir(&folder))
}
