//! What a component was written in, as far as its makers tell, and what is worth knowing then.
//!
//! Compilers and the tools behind them name themselves in custom sections called `producers`, by a convention of the
//! WebAssembly tool conventions. Nobody has to, and anybody can: what is told here is advice and decides nothing.

use crate::guest::contract::Tier;
use std::fmt;
use wasmparser::{KnownCustom, Parser, Payload};

/// A language whose components differ from others' in a way that matters to who runs or writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// With wit-bindgen.
    Rust,
    /// With wit-bindgen.
    C,
    /// With wit-bindgen.
    Go,
    /// In StarlingMonkey, by ComponentizeJS.
    JavaScript,
    /// In CPython, by componentize-py.
    Python,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 5] = [
        Language::Rust,
        Language::C,
        Language::Go,
        Language::JavaScript,
        Language::Python,
    ];
}

/// How names begin that tell a language. Interpreters are written in other languages, and all bring an adapter in Rust.
const KNOWN: [(&str, Language); 5] = [
    ("ComponentizeJS", Language::JavaScript),
    ("component-init-transform", Language::Python),
    ("Go", Language::Go),
    ("wit-bindgen-c", Language::C),
    ("wit-bindgen-rust", Language::Rust),
];

impl Language {
    /// What surprises people about these imports, as the end of a sentence.
    pub(crate) fn trap_of(language: Option<Self>, imports: &[String]) -> String {
        let trap = language.and_then(|language| language.trap(imports));
        trap.map_or_else(String::new, |trap| format!("; {trap}"))
    }

    /// The language of a component in binary form, if it can be told. One that is valid is assumed.
    pub fn of(component: &[u8]) -> Option<Self> {
        let mut named = KNOWN.map(|_| false);
        for_each_producer(component, |name| {
            for (named, (beginning, _)) in named.iter_mut().zip(KNOWN) {
                *named |= name.starts_with(beginning);
            }
        });
        let mut found = named.into_iter().zip(KNOWN).filter(|(named, _)| *named);
        found.next().map(|(_, (_, language))| language)
    }

    /// How what a world asks for is exported.
    pub fn how_to_export(self) -> &'static str {
        match self {
            Language::Rust => {
                "the macro `export!` of wit-bindgen exports it, from a crate of the type cdylib"
            }
            Language::C => {
                "it is the function `exports_responder_respond`, linked with the object that wit-bindgen writes"
            }
            Language::Go => "it is the function `Respond` of the package `export_wit_world`",
            Language::JavaScript => {
                "it is `export function respond(message)`, in the world that `-n` names"
            }
            Language::Python => {
                "it is the method `respond` of the class `WitWorld`, in the world that `-w` names"
            }
        }
    }

    /// What surprises people who serve such a component, if this one imports no more than `imports`, and what to do
    /// about it.
    pub fn known_trap(self, imports: &[String], tier: Tier) -> Option<String> {
        let trap = self.trap(imports)?;
        let has_another_way = matches!(tier, Tier::Responder | Tier::FramedResponder);
        Some(match trap.strip_suffix(BY_MESSAGE) {
            Some(rest) if !has_another_way => rest.to_owned(),
            _ => trap.to_owned(),
        })
    }

    /// What surprises whoever serves it, in whatever tier.
    pub fn trap(self, imports: &[String]) -> Option<&'static str> {
        let imports = |package: &str| imports.iter().any(|it| it.starts_with(package));
        match self {
            Language::Python if !imports("wasi:random/") => Some(
                "built with --stub-wasi: `random` returns the same numbers in every instance, and print() traps",
            ),
            Language::Go => Some(
                "its collector may trap after some ten thousand calls (\"cannot leave component instance\"): call \
                 debug.SetGCPercent(-1) and runtime.GC() yourself, or serve it with --isolation message",
            ),
            Language::JavaScript if imports("wasi:http/") => Some(TAKES_HTTP),
            // ComponentizeJS #279.
            Language::JavaScript => Some(
                "made by ComponentizeJS: what a call allocates is never freed, so that an instance ends after some \
                 thousand messages: build it with componentize-qjs, or serve it with --isolation message",
            ),
            _ => None,
        }
    }
}

/// Advice for responders: nothing else is served message by message.
const BY_MESSAGE: &str = ", or serve it with --isolation message";
const TAKES_HTTP: &str =
    "it asks for wasi:http, which this host does not offer: build it with `--disable all`";

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::C => "C",
            Language::Go => "Go",
            Language::JavaScript => "JavaScript",
            Language::Python => "Python",
        })
    }
}

/// Goes through those who name themselves, in the component and in all that it is made of. None is kept: there may be
/// millions.
fn for_each_producer(component: &[u8], mut note: impl FnMut(&str)) {
    for payload in Parser::new(0).parse_all(component) {
        let Ok(Payload::CustomSection(section)) = payload else {
            continue;
        };
        let KnownCustom::Producers(fields) = section.as_known() else {
            continue;
        };
        for field in fields.into_iter().flatten() {
            for value in field.values.into_iter().flatten() {
                note(value.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component around a module whose producers are these.
    fn component(producers: &str) -> Vec<u8> {
        let text = format!("(component (core module {producers}))");
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn makers_are_found_wherever_they_are_named() {
        let go = r#"(@producers (language "Go" "go1.27") (processed-by "wit-component" "1"))"#;
        assert_eq!(Language::of(&component(go)), Some(Language::Go));
        let engine = r#"(@producers (language "Rust" "") (processed-by "ComponentizeJS" "0.23"))"#;
        assert_eq!(Language::of(&component(engine)), Some(Language::JavaScript));
        assert_eq!(Language::of(&component("")), None);
        assert_eq!(Language::of(b"no component"), None);
    }

    #[test]
    fn a_python_component_without_wasi_has_no_randomness() {
        let with = ["wasi:random/random@0.2.0".to_owned()];
        assert_eq!(Language::Python.trap(&with), None);
        assert!(Language::Python.trap(&[]).is_some());
    }

    #[test]
    fn nobody_is_told_to_serve_a_conversation_message_by_message() {
        let advised = |language: Language, tier| {
            let advice = language.known_trap(&[], tier).unwrap();
            advice.contains("--isolation message")
        };
        for language in [Language::Go, Language::JavaScript] {
            assert!(advised(language, Tier::Responder));
            assert!(advised(language, Tier::FramedResponder));
            assert!(!advised(language, Tier::Conversation));
            assert!(!advised(language, Tier::Program));
        }
    }
}
