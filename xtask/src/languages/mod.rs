//! Handlers in all languages: the folders that `echo-host new` writes, built, tested and measured.
//!
//! They are what they are for everyone who begins a handler; there are no others of them in the repository.

mod measure;
mod project;
mod table;
mod tools;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{guests, layout, step};
use project::Project;
use tools::Tools;

/// What handlers are written in, as `echo-host new --lang` has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    C,
    Go,
    JavaScript,
    Python,
}

impl Language {
    const ALL: [Language; 5] = [
        Language::Rust,
        Language::C,
        Language::Go,
        Language::JavaScript,
        Language::Python,
    ];

    fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Go => "go",
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
    }

    /// As people write it.
    fn title(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::C => "C",
            Language::Go => "Go",
            Language::JavaScript => "JavaScript",
            Language::Python => "Python",
        }
    }
}

/// The handlers, and the tiers that they are the beginnings of.
const HANDLERS: [(&str, &str); 4] = [
    ("echo", "responder"),
    ("reverse-lines", "framed-responder"),
    ("counter", "conversation"),
    ("lines", "program"),
];

/// A language whose handlers were built.
struct Built {
    language: Language,
    projects: Vec<Project>,
    tools: Tools,
}

/// Builds all handlers in all languages into target/guests/HANDLER-LANGUAGE.wasm. A language whose tools cannot be
/// installed is left out, and named.
pub fn build() -> Result<()> {
    let built = build_all()?;
    guests::list(
        built
            .iter()
            .flat_map(|built| built.projects.iter().map(Project::component))
            .collect(),
    )
}

/// Builds them, and runs their unit tests and their recorded exchanges.
pub fn test() -> Result<()> {
    for built in build_all()? {
        for project in &built.projects {
            project.test(&built.tools)?;
            project.play()?;
        }
    }
    Ok(())
}

/// Builds them, plays their exchanges, measures them, and writes the table into guest/README.md.
pub fn table() -> Result<()> {
    let mut rows = Vec::new();
    for built in build_all()? {
        built.projects.iter().try_for_each(Project::play)?;
        step::announce(&format!("measuring {}", built.language.title()));
        rows.push(measure::row(built.language, &built.projects)?);
    }
    table::write(&rows)
}

fn build_all() -> Result<Vec<Built>> {
    // The whole workspace, as for the tests: with fewer packages cargo would unite their dependencies'
    // features differently, and build wasmtime once more.
    let build = ["build", "--workspace", "--bins", "--release"];
    step::run("the host, which begins handlers", step::cargo().args(build))?;
    let mut all = Vec::new();
    for language in Language::ALL {
        match Tools::install(language) {
            Ok(tools) => all.push(Built {
                language,
                projects: build_in(language, &tools)?,
                tools,
            }),
            Err(error) => {
                step::announce(&format!("goes on without {}: {error:#}", language.title()))
            }
        }
    }
    Ok(all)
}

fn build_in(language: Language, tools: &Tools) -> Result<Vec<Project>> {
    let mut projects = Vec::new();
    for (handler, tier) in HANDLERS {
        if (language, tier) == (Language::JavaScript, "program") {
            continue;
        }
        let project = Project::begin(language, handler, tier)?;
        project.build(tools)?;
        projects.push(project);
    }
    Ok(projects)
}

/// The host that was built.
fn host() -> Command {
    Command::new(layout::root().join("target/release/echo-host"))
}

/// Removes a folder if it is there.
fn remove(folder: &std::path::Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// What a command printed. Fails if it does.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot start a command")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
