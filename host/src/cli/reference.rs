//! The generated documents about options, for `cargo xtask reference` and the tests.

use super::output;
use super::serve::ServeArgs;
use anyhow::Context;
use clap::{Args, Command};
use config::reference::{self, Flag};

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
    output::print(text, "the reference")
}
