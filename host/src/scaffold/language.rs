//! What is peculiar to the languages that handlers are begun in.

use crate::engine::{Language, Tier};

impl Language {
    /// All of them.
    pub const ALL: [Language; 5] = [
        Language::Rust,
        Language::C,
        Language::Go,
        Language::JavaScript,
        Language::Python,
    ];

    /// What its folder of templates is called.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Go => "go",
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
    }

    /// Why a handler of a tier can't be written in it, if it can't.
    pub fn lacks(self, tier: Tier) -> Option<&'static str> {
        match (self, tier) {
            (Language::JavaScript, Tier::Program) => Some(
                "componentize-qjs, which makes components of it, gives them no standard input; take a conversation",
            ),
            _ => None,
        }
    }
}
