//! `cargo xtask check`: what can be found without running anything.

use std::process::Command;

use anyhow::Result;

use crate::{reference, step};

/// Runs the checks, the quick ones first, and stops at the first that fails.
pub fn run() -> Result<()> {
    step::run("formatting", &mut cargo("fmt --all --check"))?;
    reference::check()?;
    licences()?;
    step::run(
        "lints",
        &mut cargo("clippy --workspace --all-targets --release -- -D warnings"),
    )?;
    // Private items too, and links to them: the readers are those who change the code.
    step::run(
        "documentation",
        cargo("doc --workspace --no-deps --document-private-items --release").env(
            "RUSTDOCFLAGS",
            "-D warnings -A rustdoc::private-intra-doc-links",
        ),
    )
}

/// Advisories are left out: they need a database from the network, and change without a commit.
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

fn cargo(arguments: &str) -> Command {
    let mut command = step::cargo();
    command.args(arguments.split(' '));
    command
}
