//! `echo-host demos`.

use super::output;
use clap::Args;
use engine::DEMOS;
use std::fmt::Write as _;

/// List the handlers in this program: they need no file and no Wasm toolchain
///
/// Serve one by its name: `echo-host serve hello`. Every command that takes a handler takes a demo,
/// too, and so does the configuration file. A file with the name of a demo is `./hello`.
#[derive(Debug, Args)]
pub struct DemosArgs {}

pub fn run() -> anyhow::Result<()> {
    let mut text = String::new();
    for demo in DEMOS {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{name:<12}{about}\n{space:12}echo-host serve {name:<12}then: {client}",
            name = demo.name,
            about = demo.about,
            space = "",
            client = demo.client,
        );
    }
    output::print(text, "the list")
}
