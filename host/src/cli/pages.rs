//! `echo-host man` and `echo-host completions`: what other programs need to know of the command
//! line.

use super::{manual, output, words};
use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;
use std::fs;
use std::path::PathBuf;

/// Print the manual, or write it as man pages
///
/// Without a directory, prints the page of echo-host itself in roff. With a directory, writes one
/// page for it, one for each command, and echo-host.toml(5) about configuration files, which goes
/// to the directory man5 beside a directory man1.
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct ManArgs {
    /// Directory for the pages, created if missing
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  echo-host man | man -l -
  echo-host man ~/.local/share/man/man1 && man echo-host-serve
  man echo-host.toml";

/// Print completions for a shell
///
/// Completes commands and options; in bash, zsh and fish also names that the running host knows,
/// for `swap --service`.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  echo-host completions bash > ~/.local/share/bash-completion/completions/echo-host
  echo-host completions fish > ~/.config/fish/completions/echo-host.fish
  source <(echo-host completions zsh)";

pub fn man(args: &ManArgs, command: Command) -> anyhow::Result<()> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return print(&page);
    };
    // The manual looks for each section in a directory of its own.
    let of_files = match folder.file_name() {
        Some(name) if name == "man1" => folder.with_file_name("man5"),
        _ => folder.clone(),
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .and_then(|()| fs::create_dir_all(&of_files))
        .and_then(|()| fs::write(of_files.join("echo-host.toml.5"), manual::of_file()))
        .with_context(|| format!("cannot write man pages to {}", folder.display()))
}

pub fn completions(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    print(words::complete(args.shell, &String::from_utf8_lossy(&script)).as_bytes())
}

fn print(text: &[u8]) -> anyhow::Result<()> {
    output::print(text, "the page")
}
