//! `echo-host doctor`.

use super::language::LanguageArg;
use crate::cli::output;
use crate::cli::printable::printable;
use crate::cli::table::table;
use clap::Args;
use engine::Language;
use serde_json::{Value, json};
use tools::doctor::{Examined, Machine, Needed, Report};

/// Show which tools for handlers are installed, and how to install the others
///
/// Lists, for each language, the tools that new handlers need: version and path of those that are
/// here, and the command that installs the others on this machine. Downloads and changes nothing.
/// Exits with 0 if handlers in the language can be built; without --lang, in any.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// Only this language
    #[arg(long, value_enum)]
    lang: Option<LanguageArg>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  echo-host doctor
  echo-host doctor --lang go
  echo-host doctor --json | jq '.languages[] | select(.can_build).language'";

/// Handlers cannot be built here.
#[derive(Debug, thiserror::Error)]
pub enum CannotBuildError {
    #[error(
        "handlers in {language} cannot be built here, missing or too old: {missing}; hint: the list \
         above says how to install them"
    )]
    Language { language: Language, missing: String },
    #[error(
        "handlers cannot be built here in any language; hint: the list above says how to install \
         the tools of one"
    )]
    Any,
}

pub fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let machine = Machine::anywhere();
    let languages = match args.lang {
        Some(language) => vec![Language::from(language)],
        None => Language::ALL.to_vec(),
    };
    let reports: Vec<_> = languages
        .into_iter()
        .map(|language| Report::of(&machine, language))
        .collect();
    let text = if args.json {
        format!("{}\n", json(&reports))
    } else {
        printable(&text(&reports))
    };
    output::print(text, "the result")?;
    if reports.iter().any(Report::can_build) {
        return Ok(());
    }
    Err(match &reports[..] {
        [report] => CannotBuildError::Language {
            language: report.language,
            missing: names(report).join(", "),
        },
        _ => CannotBuildError::Any,
    }
    .into())
}

fn names(report: &Report) -> Vec<&str> {
    report.lacks().iter().map(|tool| tool.name).collect()
}

/// A heading for each language, and its tools in columns, which are the same for all.
fn text(reports: &[Report]) -> String {
    let all = || reports.iter().flat_map(|report| &report.tools);
    let rows: Vec<_> = all().map(row).collect();
    let aligned = table(&rows);
    // The table begins with an empty line.
    let mut lines = aligned.lines().skip(1);
    let mut text = String::new();
    for report in reports {
        if !text.is_empty() {
            text.push('\n');
        }
        let state = if report.can_build() {
            "can be built"
        } else {
            "cannot be built"
        };
        text += &format!("{}: handlers {state}\n", report.language);
        for line in lines.by_ref().take(report.tools.len()) {
            text += &format!("  {line}\n");
        }
    }
    text
}

fn row(examined: &Examined) -> Vec<String> {
    let Examined {
        tool,
        found,
        install,
    } = examined;
    let version = found.as_ref().and_then(|found| found.version.clone());
    let state = match (found, install) {
        (Some(_), None) => version.unwrap_or_else(|| "installed".to_owned()),
        (Some(_), Some(_)) => format!("{} is too old", version.as_deref().unwrap_or("it")),
        (None, _) if tool.needed == Needed::Tests => "missing, for unit tests".to_owned(),
        (None, _) => "missing".to_owned(),
    };
    let path = || Some(found.as_ref()?.path.display().to_string());
    let place = install.clone().or_else(path).unwrap_or_default();
    vec![tool.name.to_owned(), state, place]
}

fn json(reports: &[Report]) -> Value {
    let tool = |examined: &Examined| {
        let found = examined.found.as_ref();
        json!({
            "tool": examined.tool.name,
            "purpose": examined.tool.purpose,
            "needed_for": match examined.tool.needed {
                Needed::Build => "build",
                Needed::Bindings => "bindings",
                Needed::Tests => "unit tests",
            },
            "path": found.map(|found| found.path.display().to_string()),
            "version": found.and_then(|found| found.version.clone()),
            "is_usable": examined.is_usable(),
            "install": examined.install,
        })
    };
    let language = |report: &Report| {
        json!({
            "language": report.language.name(),
            "can_build": report.can_build(),
            "tools": report.tools.iter().map(tool).collect::<Vec<_>>(),
        })
    };
    json!({ "languages": reports.iter().map(language).collect::<Vec<_>>() })
}
