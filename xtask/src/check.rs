//! `cargo xtask check`: checks that need no running host.

use std::process::Command;

use anyhow::Result;

use crate::{layout, reference, step};

/// The models that run shared code in every order of its threads. Not a workspace member; its
/// Cargo.toml says why.
const MODELS: &str = "tests/models/Cargo.toml";

/// Runs the checks, the quick ones first, and stops at the first failure.
pub fn run() -> Result<()> {
    step::run("formatting", &mut cargo("fmt --all --check"))?;
    step::run(
        "formatting of the models",
        &mut cargo(&format!("fmt --check --manifest-path {MODELS}")),
    )?;
    reference::check()?;
    licences()?;
    advisories()?;
    step::run(
        "lints",
        &mut cargo("clippy --workspace --all-targets --release -- -D warnings"),
    )?;
    step::run(
        "lints of a host without Redis and tools",
        &mut cargo("clippy -p echo-host --no-default-features --bins --release -- -D warnings"),
    )?;
    let models = "run --release --locked --target-dir target/models --manifest-path";
    step::run("models", &mut cargo(&format!("{models} {MODELS}")))?;
    // Private items too, and links to them: the readers are developers.
    step::run(
        "documentation",
        cargo("doc --workspace --no-deps --document-private-items --release").env(
            "RUSTDOCFLAGS",
            "-D warnings -A rustdoc::private-intra-doc-links",
        ),
    )
}

fn licences() -> Result<()> {
    if !step::succeeds(&mut cargo("deny --version")) {
        step::announce("licences, bans and sources: skipped, cargo-deny is not installed");
        return Ok(());
    }
    step::run(
        "licences, bans and sources",
        &mut cargo("deny --workspace check --hide-inclusion-graph licenses bans sources"),
    )
}

/// Known vulnerabilities of dependencies. The database is on the network: without access, this step
/// says so and does not fail.
fn advisories() -> Result<()> {
    if !step::succeeds(&mut cargo("deny --version")) {
        step::announce("advisories: skipped, cargo-deny is not installed");
        return Ok(());
    }
    if !step::succeeds(&mut cargo("deny --workspace fetch db")) {
        step::announce("advisories: NOT CHECKED, cannot fetch their database");
        return Ok(());
    }
    step::run(
        "advisories",
        &mut cargo("deny --workspace check --disable-fetch --hide-inclusion-graph advisories"),
    )
}

fn cargo(arguments: &str) -> Command {
    let mut command = step::cargo();
    command.current_dir(layout::root());
    command.args(arguments.split(' '));
    command
}
