//! The languages of handlers that have templates and advice.

use std::fmt;

/// A language whose components need different advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// With wit-bindgen.
    Rust,
    /// With wit-bindgen.
    C,
    /// With wit-bindgen.
    Go,
    /// In QuickJS, by componentize-qjs.
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

    /// The name as the value of an option, or of a key in handler.toml.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Go => "go",
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
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
}

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
