//! `echo-host new`.

use super::language::LanguageArg;
use crate::cli::output;
use clap::{Args, ValueEnum};
use engine::HandlerKind;
use std::ffi::OsStr;
use std::path::PathBuf;
use tools::doctor::Machine;
use tools::project::Project;
use tools::scaffold::{HandlerName, Scaffold};

/// Create a directory with a new handler that builds, and its tests
///
/// The directory has the source, unit tests and a recorded exchange. It also has the contract, a
/// README and handler.toml with the build command. Nothing is downloaded.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArgs {
    /// Name of the handler and its directory, with an optional path before it
    #[arg(value_name = "NAME", value_parser = path_and_name)]
    path: (PathBuf, HandlerName),
    /// Language
    #[arg(long, value_enum, default_value_t = LanguageArg::Rust)]
    lang: LanguageArg,
    /// Kind of handler
    #[arg(long, value_enum, default_value_t = TierArg::Responder)]
    tier: TierArg,
}

const EXAMPLES: &str = "\
Examples:
  echo-host new shout
  echo-host new work/dialogue --tier conversation
  echo-host new shout --lang python";

/// The values of `--tier`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TierArg {
    /// A function from bytes to bytes
    Responder,
    /// A function from lines to lines, which declares its framing
    FramedResponder,
    /// A session for each connection: greets, waits, pushes
    Conversation,
    /// A plain program with standard input and output
    Program,
}

impl From<TierArg> for HandlerKind {
    fn from(arg: TierArg) -> Self {
        match arg {
            TierArg::Responder => HandlerKind::Responder,
            TierArg::FramedResponder => HandlerKind::FramedResponder,
            TierArg::Conversation => HandlerKind::Conversation,
            TierArg::Program => HandlerKind::Program,
        }
    }
}

/// Parses a path; its last component is the handler's name.
fn path_and_name(text: &str) -> Result<(PathBuf, HandlerName), String> {
    let path = PathBuf::from(text);
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or(text);
    let name = name.parse()?;
    Ok((path, name))
}

pub fn run(args: &NewArgs) -> anyhow::Result<()> {
    let (folder, name) = &args.path;
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
    let mut text = format!(
        "created {name} in {folder}; its README.md lists what it needs\n  \
         cd {folder}\n  \
         echo-host dev     build and serve it, again after every change\n  \
         echo-host test    build it and play its recorded exchanges\n\
         `{build}` builds {output}.\n",
        folder = folder.display(),
        build = project.build,
        output = output.display(),
    );
    if let Some(missing) = project.missing(&Machine::anywhere()) {
        text += &format!("missing here: {}\n", missing.tools.join("; "));
        for command in &missing.commands {
            text += &format!("  {command}\n");
        }
    }
    output::print(text, "the result")
}
