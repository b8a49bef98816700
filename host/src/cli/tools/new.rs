//! `echo-host new`.

use anyhow::Context;
use clap::{Args, ValueEnum};
use engine::{Language, Tier};
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::PathBuf;
use tools::project::Project;
use tools::scaffold::{HandlerName, Scaffold};

/// Write a folder with a new handler that builds, with its tests
///
/// The folder is complete: source and unit tests, a recorded exchange, the contract, a README, and handler.toml, which
/// tells how it is built. Nothing is fetched.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArgs {
    /// What the handler is called: the folder is made here, or where the path before the name leads
    #[arg(value_name = "NAME", value_parser = place)]
    place: (PathBuf, HandlerName),
    /// What it is written in
    #[arg(long, value_enum, default_value_t = LanguageArg::Rust)]
    lang: LanguageArg,
    /// What kind of handler it is
    #[arg(long, value_enum, default_value_t = TierArg::Responder)]
    tier: TierArg,
}

const EXAMPLES: &str = "\
Examples:
  echo-host new shout
  echo-host new work/dialogue --tier conversation
  echo-host new shout --lang python";

/// The values of `--lang`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LanguageArg {
    /// Some tens of kilobytes, with a crate that has a small face
    Rust,
    /// Some kilobytes
    C,
    /// Some 2.5 MB, with its runtime
    Go,
    /// Some 1 MB, with its engine
    #[value(name = "javascript")]
    JavaScript,
    /// Some 18 MB, with its interpreter
    Python,
}

/// The values of `--tier`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TierArg {
    /// A function from bytes to bytes
    Responder,
    /// A function from lines to lines, which says that it wants lines
    FramedResponder,
    /// A session for each connection: speaks first, waits, pushes
    Conversation,
    /// A plain program that reads its standard input
    Program,
}

impl From<LanguageArg> for Language {
    fn from(arg: LanguageArg) -> Self {
        match arg {
            LanguageArg::Rust => Language::Rust,
            LanguageArg::C => Language::C,
            LanguageArg::Go => Language::Go,
            LanguageArg::JavaScript => Language::JavaScript,
            LanguageArg::Python => Language::Python,
        }
    }
}

impl From<TierArg> for Tier {
    fn from(arg: TierArg) -> Self {
        match arg {
            TierArg::Responder => Tier::Responder,
            TierArg::FramedResponder => Tier::FramedResponder,
            TierArg::Conversation => Tier::Conversation,
            TierArg::Program => Tier::Program,
        }
    }
}

/// A folder, and the handler's name, which is the folder's.
fn place(text: &str) -> Result<(PathBuf, HandlerName), String> {
    let path = PathBuf::from(text);
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or(text);
    let name = name.parse()?;
    Ok((path, name))
}

pub fn run(args: &NewArgs) -> anyhow::Result<()> {
    let (folder, name) = &args.place;
    let scaffold = Scaffold {
        name: name.clone(),
        language: args.lang.into(),
        tier: args.tier.into(),
    };
    scaffold.write(folder)?;
    let project = Project::read(folder)?;
    let output = project
        .output
        .strip_prefix(folder)
        .unwrap_or(&project.output);
    let text = format!(
        "{name} is in {folder}: README.md tells what it needs\n  \
         cd {folder}\n  \
         echo-host dev     builds and serves it, and does both again whenever a source changes\n  \
         echo-host test    builds it, and plays its recorded exchanges\n\
         `{build}` makes {output}.\n",
        folder = folder.display(),
        build = project.build,
        output = output.display(),
    );
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot print what was written")
}
