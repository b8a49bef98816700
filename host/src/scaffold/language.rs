//! The languages of new handlers.

use crate::engine::Language;

impl Language {
    /// All languages.
    pub const ALL: [Language; 5] = [
        Language::Rust,
        Language::C,
        Language::Go,
        Language::JavaScript,
        Language::Python,
    ];

    /// The folder of its templates.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Go => "go",
            Language::JavaScript => "javascript",
            Language::Python => "python",
        }
    }
}
