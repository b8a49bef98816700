//! Handlers in all languages: builds, tests, develops and measures the directories that `echo-host
//! new` creates. The repository has no other copies of them.

mod edits;
mod guide;
mod host;
mod measure;
mod project;
mod tools;

use anyhow::Result;

use crate::{guests, step};
use guide::Guide;
use project::Project;
use tools::Tools;
pub use tools::{COMPONENTIZE_PY, COMPONENTIZE_QJS};

/// The languages of handlers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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

    /// The name in texts.
    fn title(self) -> String {
        format!("{self:?}")
    }

    /// The value of `echo-host new --lang`.
    fn name(self) -> String {
        self.title().to_lowercase()
    }
}

/// The handlers, and their kinds as values of `echo-host new --tier`.
const HANDLERS: [(&str, &str); 4] = [
    ("echo", "responder"),
    ("reverse-lines", "framed-responder"),
    ("counter", "conversation"),
    ("lines", "program"),
];

/// Builds all handlers in all languages into target/guests/HANDLER-LANGUAGE.wasm, and plays their
/// recorded exchanges. Skips a language whose tools cannot be installed, and names it.
pub fn build() -> Result<()> {
    let mut components = Vec::new();
    for_each_language(|_, projects| {
        for project in projects {
            components.push(project.build()?);
        }
        Ok(())
    })?;
    guests::list(components)
}

/// Runs the commands of the guide for each handler: create it, run its unit tests, build it, play
/// its recorded exchanges, and develop it until an edit is served.
pub fn test() -> Result<()> {
    let mut walked = Vec::new();
    for_each_language(|language, projects| {
        projects.iter().try_for_each(Project::walk)?;
        walked.push(language.title());
        Ok(())
    })?;
    step::announce(&format!(
        "the guide was followed in {}, with a handler of each kind",
        walked.join(", ")
    ));
    Ok(())
}

/// Builds the handlers, plays their exchanges, measures them, and writes the table of
/// docs/handlers/languages.md.
pub fn table() -> Result<()> {
    let mut rows = Vec::new();
    for_each_language(|language, projects| {
        for project in projects {
            project.build()?;
        }
        step::announce(&format!("measuring {}", language.title()));
        rows.push(measure::row(language, projects)?);
        Ok(())
    })?;
    measure::write(&rows)
}

/// Builds the host, which creates handlers, and runs the function on the handlers of each language
/// whose tools can be installed.
fn for_each_language(mut act: impl FnMut(Language, &[Project]) -> Result<()>) -> Result<()> {
    step::build("the host")?;
    let guide = Guide::read()?;
    let mut missing = Vec::new();
    for language in Language::ALL {
        match Tools::install(language) {
            Ok(tools) => act(
                language,
                &HANDLERS.map(|it| Project::new(it, &guide, &tools)),
            )?,
            Err(error) => missing.push(format!("{}: {error:#}", language.title())),
        }
    }
    for language in missing {
        step::announce(&format!("skipped, tools missing: {language}"));
    }
    Ok(())
}
