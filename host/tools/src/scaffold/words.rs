//! What is put into templates in place of `{{word}}`.

use super::Scaffold;
use engine::{Language, Tier};

/// The words of one scaffold, and what they stand for.
pub struct Words(Vec<(&'static str, String)>);

impl Words {
    pub fn of(scaffold: &Scaffold) -> Self {
        let name = scaffold.name.as_str();
        let (output, source) = places(scaffold);
        Words(vec![
            ("{{name}}", name.to_owned()),
            // As a client sees it that has lines reversed.
            ("{{eman}}", name.chars().rev().collect()),
            ("{{about}}", about(scaffold.tier).to_owned()),
            ("{{world}}", world(scaffold.tier).to_owned()),
            ("{{output}}", output),
            ("{{source}}", source.to_owned()),
        ])
    }

    pub fn put_into(&self, template: &str) -> String {
        let put = |text: String, (word, meaning): &(&str, String)| text.replace(word, meaning);
        self.0.iter().fold(template.to_owned(), put)
    }
}

/// Where the build leaves the component, and where its source is.
fn places(scaffold: &Scaffold) -> (String, &'static str) {
    let name = scaffold.name.as_str();
    let source = match (scaffold.language, scaffold.tier) {
        (Language::Rust, Tier::Program) => "src/main.rs",
        (Language::Rust, _) => "src/lib.rs",
        (Language::C, _) => "src/handler.c",
        (Language::Go, Tier::Program) => "main.go",
        (Language::Go, Tier::Conversation) => "counter/counter.go",
        (Language::Go, _) => "export_wit_world/handler.go",
        (Language::JavaScript, _) => "src/handler.js",
        (Language::Python, Tier::Conversation) => "src/conversation.py",
        (Language::Python, _) => "src/handler.py",
    };
    let output = match (scaffold.language, scaffold.tier) {
        (Language::Rust, Tier::Program) => format!("target/wasm32-wasip2/release/{name}.wasm"),
        (Language::Rust, _) => {
            let library = name.replace('-', "_");
            format!("target/wasm32-wasip2/release/{library}.wasm")
        }
        _ => format!("{name}.wasm"),
    };
    (output, source)
}

fn about(tier: Tier) -> &'static str {
    match tier {
        Tier::Responder => "A responder: a function computes the reply to each message.",
        Tier::FramedResponder => {
            "A responder of lines: a function computes the reply to each of them."
        }
        Tier::Conversation => "A conversation: a session for each client, told what happens to it.",
        Tier::Program => "A plain program: its standard input and output are the connection.",
    }
}

/// What the contract calls the tier; a program needs none.
fn world(tier: Tier) -> &'static str {
    match tier {
        Tier::Responder => "responder",
        Tier::FramedResponder => "framed-responder",
        Tier::Conversation => "conversation-handler",
        Tier::Program => "program",
    }
}
