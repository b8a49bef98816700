//! What documents say about the options, for `cargo xtask reference` and the tests.

use super::serve::ServeArgs;
use anyhow::Context;
use clap::{Args, Command};
use daemon::config::reference::{self, Flag};
use std::io::{self, Write};

/// The first argument that prints a text. It is no command: it is for those who change the program.
pub const NAME: &str = "reference-of-options";

/// Prints the text with this name.
pub fn run(name: &str) -> anyhow::Result<()> {
    let command = ServeArgs::augment_args(Command::new("serve"));
    let flags: Vec<Flag> = command
        .get_arguments()
        .filter_map(|arg| {
            let flag = format!("--{}", arg.get_long()?);
            let variable = arg.get_env()?.to_str()?.to_owned();
            let help = arg.get_help()?.to_string();
            Some((flag, variable, help))
        })
        .collect();
    let text =
        reference::text(name, &flags).with_context(|| format!("there is no text `{name}`"))?;
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}
