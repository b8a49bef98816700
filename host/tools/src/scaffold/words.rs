//! The words that replace `{{word}}` in templates.

use super::{Scaffold, Start};
use crate::doctor;
use doctor::Needed;
use engine::{HandlerKind, Language};

/// The words of a scaffold and their values.
pub struct Words(Vec<(&'static str, String)>);

impl Words {
    pub fn of(scaffold: &Scaffold) -> Self {
        let name = scaffold.name.as_str();
        let (output, source) = paths(scaffold);
        // For handler.toml and for the command line.
        let (isolation, shared) = if scaffold.start.is_shared() {
            ("isolation = \"shared\"\n", " --isolation shared")
        } else {
            ("", "")
        };
        Words(vec![
            ("{{name}}", name.to_owned()),
            // As a client of a line reverser sees it.
            ("{{eman}}", name.chars().rev().collect()),
            ("{{about}}", scaffold.start.about().to_owned()),
            ("{{world}}", world(scaffold.start.tier()).to_owned()),
            ("{{features}}", scaffold.start.features().to_owned()),
            ("{{isolation}}", isolation.to_owned()),
            ("{{shared}}", shared.to_owned()),
            ("{{output}}", output),
            ("{{source}}", source.to_owned()),
            ("{{tools}}", tools(scaffold)),
        ])
    }

    pub fn put_into(&self, template: &str) -> String {
        let put = |text: String, (word, meaning): &(&str, String)| text.replace(word, meaning);
        self.0.iter().fold(template.to_owned(), put)
    }
}

/// The paths of the component and of its source.
fn paths(scaffold: &Scaffold) -> (String, &'static str) {
    let name = scaffold.name.as_str();
    let (language, tier) = (scaffold.start.language(), scaffold.start.tier());
    let source = match (language, tier) {
        _ if matches!(scaffold.start, Start::Template(_)) => "src/",
        (Language::Rust, HandlerKind::Program) => "src/main.rs",
        (Language::Rust, _) => "src/lib.rs",
        (Language::C, _) => "src/handler.c",
        (Language::Go, HandlerKind::Program) => "main.go",
        (Language::Go, HandlerKind::Conversation) => "counter/counter.go",
        (Language::Go, _) => "export_wit_world/handler.go",
        (Language::JavaScript, _) => "src/handler.js",
        (Language::Python, HandlerKind::Conversation) => "src/conversation.py",
        (Language::Python, _) => "src/handler.py",
    };
    let output = match (language, tier) {
        (Language::Rust, HandlerKind::Program) => {
            format!("target/wasm32-wasip2/release/{name}.wasm")
        }
        (Language::Rust, _) => {
            let library = name.replace('-', "_");
            format!("target/wasm32-wasip2/release/{library}.wasm")
        }
        _ => format!("{name}.wasm"),
    };
    (output, source)
}

/// A table of what the handler needs.
fn tools(scaffold: &Scaffold) -> String {
    let needs = doctor::needs(scaffold.start.language()).iter();
    let is_program = scaffold.start.tier() == HandlerKind::Program;
    let needs = needs.filter(|tool| !is_program || tool.needed != Needed::Bindings);
    let rows = needs.map(|tool| {
        let source = match tool.package {
            Some(package) => format!("Debian: `{package}`; {}", tool.source),
            None => tool.source.to_string(),
        };
        format!("| {} | {} | {source} |", tool.title(), tool.purpose)
    });
    let head = ["| tool | purpose | source |", "|---|---|---|"].map(str::to_owned);
    head.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// The world of the kind; a program needs none.
fn world(tier: HandlerKind) -> &'static str {
    match tier {
        HandlerKind::Responder => "responder",
        HandlerKind::FramedResponder => "framed-responder",
        // It includes `conversation-handler`, and what its kit imports.
        HandlerKind::Conversation => "handler",
        HandlerKind::Program => "program",
    }
}
