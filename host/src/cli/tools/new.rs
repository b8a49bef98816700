//! `echo-host new`.

use super::language::LanguageArg;
use crate::cli::output;
use clap::error::ErrorKind;
use clap::{Args, ValueEnum};
use engine::{HandlerKind, Language};
use std::ffi::OsStr;
use std::path::PathBuf;
use tools::doctor::Machine;
use tools::project::Project;
use tools::scaffold::{HandlerName, Scaffold, Start, Template};

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
    /// A larger handler for a purpose, in Rust, instead of a kind
    #[arg(long, value_enum, conflicts_with = "tier")]
    template: Option<TemplateArg>,
}

const EXAMPLES: &str = "\
Examples:
  echo-host new shout
  echo-host new work/dialogue --tier conversation
  echo-host new lounge --template chat-room
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

/// The values of `--template`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum TemplateArg {
    /// Commands and replies in lines, with state, a timer and help
    LineProtocol,
    /// Everyone hears what one says: one instance for all clients
    ChatRoom,
    /// Requests and replies with their length before them
    BinaryProtocol,
    /// HTTP/1.1: pages, query parameters and bodies
    Http,
    /// Values that outlive connections and versions, in memory or Redis
    Store,
}

impl From<TemplateArg> for Template {
    fn from(arg: TemplateArg) -> Self {
        match arg {
            TemplateArg::LineProtocol => Template::LineProtocol,
            TemplateArg::ChatRoom => Template::ChatRoom,
            TemplateArg::BinaryProtocol => Template::BinaryProtocol,
            TemplateArg::Http => Template::Http,
            TemplateArg::Store => Template::Store,
        }
    }
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

/// What the options choose.
fn start(args: &NewArgs) -> Start {
    let language = args.lang.into();
    let Some(template) = args.template else {
        return Start::Tier(language, args.tier.into());
    };
    if language != Language::Rust {
        let why = "--template has handlers in Rust only; hint: omit --lang, or choose a --tier\n";
        clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
    }
    Start::Template(template.into())
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
        start: start(args),
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
