//! The languages that handlers are begun in.

use crate::engine::Tier;
use std::fmt;

/// What a handler is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Rust,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 1] = [Language::Rust];

    /// What its folder of templates is called.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Language::Rust => "rust",
        }
    }

    /// Why a handler of a tier can't be written in it, if it can't.
    pub fn lacks(self, tier: Tier) -> Option<&'static str> {
        match (self, tier) {
            (Language::Rust, _) => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
        })
    }
}
