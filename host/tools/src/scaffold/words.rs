//! The words that replace `{{word}}` in templates.

use super::Scaffold;
use crate::doctor;
use doctor::Needed;
use engine::{HandlerKind, Language};

/// The words of a scaffold and their values.
pub struct Words(Vec<(&'static str, String)>);

impl Words {
    pub fn of(scaffold: &Scaffold) -> Self {
        let name = scaffold.name.as_str();
        let (output, source) = paths(scaffold);
        Words(vec![
            ("{{name}}", name.to_owned()),
            // As a client of a line reverser sees it.
            ("{{eman}}", name.chars().rev().collect()),
            ("{{about}}", about(scaffold.tier).to_owned()),
            ("{{world}}", world(scaffold.tier).to_owned()),
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
    let source = match (scaffold.language, scaffold.tier) {
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
    let output = match (scaffold.language, scaffold.tier) {
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
    let needs = doctor::needs(scaffold.language).iter();
    let is_program = scaffold.tier == HandlerKind::Program;
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

fn about(tier: HandlerKind) -> &'static str {
    match tier {
        HandlerKind::Responder => "A responder: a function computes the reply to each message.",
        HandlerKind::FramedResponder => {
            "A responder with lines: a function computes the reply to each line."
        }
        HandlerKind::Conversation => {
            "A conversation: a session for each client, called on every event."
        }
        HandlerKind::Program => {
            "A plain program: its standard input and output are the connection."
        }
    }
}

/// The world of the kind; a program needs none.
fn world(tier: HandlerKind) -> &'static str {
    match tier {
        HandlerKind::Responder => "responder",
        HandlerKind::FramedResponder => "framed-responder",
        HandlerKind::Conversation => "conversation-handler",
        HandlerKind::Program => "program",
    }
}
