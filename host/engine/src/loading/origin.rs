//! Detects the language of a component, and the known problems of it.
//!
//! Compilers and tools name themselves in custom sections called `producers`, a WebAssembly tool
//! convention. It is optional and can be faked: what is derived here is advice and decides nothing.

use crate::guest::contract::HandlerKind;
use std::fmt;
use wasmparser::{KnownCustom, Parser, Payload};

/// A language whose components need different advice.
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

/// Prefixes of tool names that identify a language. Interpreters are written in other languages,
/// and all include an adapter in Rust.
const KNOWN: [(&str, Language); 5] = [
    ("ComponentizeJS", Language::JavaScript),
    ("component-init-transform", Language::Python),
    ("Go", Language::Go),
    ("wit-bindgen-c", Language::C),
    ("wit-bindgen-rust", Language::Rust),
];

impl Language {
    /// A known problem of these imports, as the end of a sentence.
    pub(crate) fn trap_of(language: Option<Self>, imports: &[String]) -> String {
        let trap = language.and_then(|language| language.trap(imports));
        trap.map_or_else(String::new, |trap| format!("; {trap}"))
    }

    /// The language of a valid component in binary form, if it can be detected.
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

    /// How to export the function of a world.
    pub fn how_to_export(self) -> &'static str {
        match self {
            Language::Rust => {
                "export it with wit-bindgen's macro `export!`, in a crate of type cdylib"
            }
            Language::C => {
                "define the function `exports_responder_respond` and link the object that \
                 wit-bindgen writes"
            }
            Language::Go => "define the function `Respond` in the package `export_wit_world`",
            Language::JavaScript => {
                "write `export function respond(message)`, and name the world with `-n`"
            }
            Language::Python => {
                "define the method `respond` in the class `WitWorld`, and name the world with `-w`"
            }
        }
    }

    /// A known problem of such a component if it has only these `imports`, and the way out.
    pub fn known_trap(self, imports: &[String], tier: HandlerKind) -> Option<String> {
        let trap = self.trap(imports)?;
        let has_another_way = matches!(tier, HandlerKind::Responder | HandlerKind::FramedResponder);
        Some(match trap.strip_suffix(BY_MESSAGE) {
            Some(rest) if !has_another_way => rest.to_owned(),
            _ => trap.to_owned(),
        })
    }

    /// A known problem, for every kind of handler.
    pub fn trap(self, imports: &[String]) -> Option<&'static str> {
        let imports = |package: &str| imports.iter().any(|it| it.starts_with(package));
        match self {
            Language::Python if !imports("wasi:random/") => Some(
                "built with --stub-wasi: `random` returns the same numbers in every instance, and print() traps",
            ),
            Language::Go => Some(
                "its collector may trap after about ten thousand calls (\"cannot leave component \
                 instance\"): call debug.SetGCPercent(-1) and runtime.GC() yourself, or serve it \
                 with --isolation message",
            ),
            Language::JavaScript if imports("wasi:http/") => Some(TAKES_HTTP),
            // ComponentizeJS #279.
            Language::JavaScript => Some(
                "built by ComponentizeJS, which never frees what a call allocates, so an instance \
                 ends after a few thousand messages: build it with componentize-qjs, or serve it \
                 with --isolation message",
            ),
            _ => None,
        }
    }
}

/// For responders only: nothing else is served message by message.
const BY_MESSAGE: &str = ", or serve it with --isolation message";
const TAKES_HTTP: &str =
    "it imports wasi:http, which this host does not offer: build it with `--disable all`";

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

/// Visits all producers, also of nested components. Keeps none: there may be millions.
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

    /// A component with a module that has these producers.
    fn component(producers: &str) -> Vec<u8> {
        let text = format!("(component (core module {producers}))");
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn producers_are_found_wherever_they_are_named() {
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
    fn only_responders_are_advised_to_use_isolation_message() {
        let advised = |language: Language, tier| {
            let advice = language.known_trap(&[], tier).unwrap();
            advice.contains("--isolation message")
        };
        for language in [Language::Go, Language::JavaScript] {
            assert!(advised(language, HandlerKind::Responder));
            assert!(advised(language, HandlerKind::FramedResponder));
            assert!(!advised(language, HandlerKind::Conversation));
            assert!(!advised(language, HandlerKind::Program));
        }
    }
}
