//! Handlers in all languages: the folders that `echo-host new` writes, built, tested, developed and measured.
//!
//! They are what they are for everyone who begins a handler; there are no others of them in the repository.

mod dev;
mod edits;
mod guide;
mod measure;
mod project;
mod table;
mod tools;

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{guests, layout, step};
use guide::Guide;
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

/// Builds all handlers in all languages into target/guests/HANDLER-LANGUAGE.wasm, and plays their recorded exchanges. A
/// language whose tools cannot be installed is left out, and named.
pub fn build() -> Result<()> {
    let mut components = Vec::new();
    for_each_language(|language, tools| {
        for project in build_in(language, tools)? {
            components.push(project.component());
        }
        Ok(())
    })?;
    guests::list(components)
}

/// Does with each of them what the guide tells people who begin one: to begin it, run its unit tests, build it, play its
/// recorded exchanges, and develop it until an edit is served.
pub fn test() -> Result<()> {
    let guide = Guide::read()?;
    let mut walked = Vec::new();
    for_each_language(|language, tools| {
        for (handler, tier) in HANDLERS {
            Project::named(handler, language).walk(&guide, tier, tools)?;
        }
        walked.push(language.title());
        Ok(())
    })?;
    step::announce(&format!(
        "the guide was followed in {}, with a handler of each kind",
        walked.join(", ")
    ));
    Ok(())
}

/// Builds them, plays their exchanges, measures them, and writes the table into docs/handlers/languages.md.
pub fn table() -> Result<()> {
    let mut rows = Vec::new();
    for_each_language(|language, tools| {
        let projects = build_in(language, tools)?;
        step::announce(&format!("measuring {}", language.title()));
        rows.push(measure::row(language, &projects, tools)?);
        Ok(())
    })?;
    table::write(&rows)
}

/// Builds the host, which begins handlers, and does something for each language whose tools are there.
fn for_each_language(mut act: impl FnMut(Language, &Tools) -> Result<()>) -> Result<()> {
    // The whole workspace, as for the tests: with fewer packages cargo would unite their dependencies'
    // features differently, and build wasmtime once more.
    let build = ["build", "--workspace", "--bins", "--release"];
    step::run("the host, which begins handlers", step::cargo().args(build))?;
    let mut missing = Vec::new();
    for language in Language::ALL {
        match Tools::install(language) {
            Ok(tools) => act(language, &tools)?,
            Err(error) => missing.push(format!("{}: {error:#}", language.title())),
        }
    }
    for language in missing {
        step::announce(&format!("left out, as its tools are missing: {language}"));
    }
    Ok(())
}

fn build_in(language: Language, tools: &Tools) -> Result<Vec<Project>> {
    let guide = Guide::read()?;
    let mut projects = Vec::new();
    for (handler, tier) in HANDLERS {
        let project = Project::named(handler, language);
        project.build(&guide, tier, tools)?;
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
