//! The templates, and what else of this repository goes into new folders.

use super::Language;
use crate::engine::Tier;

/// A path, and the text of the file there.
type Template = (&'static str, &'static str);

/// Files below a folder of the repository.
macro_rules! files {
    ($folder:literal: $($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../../../", $folder, "/", $path)))),*]
    };
}

/// As in `LANGUAGE/PART/PATH`: the part is `all`, `handler` for all but programs, or a tier.
pub const TEMPLATES: &[Template] = files! {
    "host/templates":
    "rust/all/.gitignore",
    "rust/all/README.md",
    "rust/conversation/src/lib.rs",
    "rust/framed-responder/src/lib.rs",
    "rust/handler/Cargo.toml",
    "rust/handler/handler.toml",
    "rust/program/Cargo.toml",
    "rust/program/handler.toml",
    "rust/program/src/main.rs",
    "rust/responder/src/lib.rs",
};

/// The contract.
pub const WIT: &[Template] = files! {
    "wit":
    "connections.wit",
    "conversation.wit",
    "manifest.wit",
    "types.wit",
    "worlds.wit",
};

/// What handlers are written with in Rust, without the contract that lies beside it.
pub const SDK: &[Template] = files! {
    "guest/sdk":
    "Cargo.toml",
    "src/about.rs",
    "src/bindings.rs",
    "src/connection.rs",
    "src/failure.rs",
    "src/lib.rs",
    "src/logging.rs",
    "src/responder.rs",
    "src/session.rs",
    "src/testing/line.rs",
    "src/testing/mod.rs",
    "src/testing/received.rs",
    "src/testing/tests.rs",
};

/// How Rust's compiler is told to make components.
const BUILD_SETTINGS: &str = include_str!("../../../guest/build.toml");

/// The files of a language and a tier, by their paths in the new folder.
pub fn of(language: Language, tier: Tier) -> impl Iterator<Item = Template> {
    let parts = [
        "all",
        if tier == Tier::Program {
            "program"
        } else {
            "handler"
        },
    ];
    let parts = parts
        .into_iter()
        .chain((tier != Tier::Program).then(|| folder(tier)));
    let parts = parts.map(move |part| format!("{}/{part}/", language.folder()));
    parts.flat_map(|part| {
        TEMPLATES
            .iter()
            .filter_map(move |(path, text)| Some((path.strip_prefix(&part)?, *text)))
    })
}

/// The recorded exchange that all handlers of a tier answer.
pub fn exchange(tier: Tier) -> &'static str {
    match tier {
        Tier::Responder => include_str!("../../templates/exchanges/responder.exchange"),
        Tier::FramedResponder => {
            include_str!("../../templates/exchanges/framed-responder.exchange")
        }
        Tier::Conversation => include_str!("../../templates/exchanges/conversation.exchange"),
        Tier::Program => include_str!("../../templates/exchanges/program.exchange"),
    }
}

/// What goes into a folder as it is: the contract, unless it is a program's, and what is made of it for the language.
pub fn contract(language: Language, tier: Tier) -> impl Iterator<Item = (String, &'static str)> {
    let mut files = Vec::new();
    let mut put = |folder: &str, templates: &[Template]| {
        files.extend(
            templates
                .iter()
                .map(|(path, text)| (format!("{folder}/{path}"), *text)),
        );
    };
    match (language, tier) {
        (Language::Rust, Tier::Program) => {}
        (Language::Rust, _) => {
            put("echo-host-guest", SDK);
            put("echo-host-guest/wit", WIT);
        }
    }
    if language == Language::Rust {
        put(".cargo", &[("config.toml", BUILD_SETTINGS)]);
    }
    files.into_iter()
}

/// What the templates of a tier's own are called.
fn folder(tier: Tier) -> &'static str {
    match tier {
        Tier::Responder => "responder",
        Tier::FramedResponder => "framed-responder",
        Tier::Conversation => "conversation",
        Tier::Program => "program",
    }
}
