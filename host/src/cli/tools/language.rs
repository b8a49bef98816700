//! The languages of handlers, as values of `--lang`.

use clap::ValueEnum;
use engine::Language;

/// The values of `--lang`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LanguageArg {
    /// Tens of kilobytes, with the crate echo-host-guest
    Rust,
    /// A few kilobytes
    C,
    /// About 2.5 MB, with its runtime
    Go,
    /// About 1 MB, with its engine
    #[value(name = "javascript")]
    JavaScript,
    /// About 18 MB, with its interpreter
    Python,
}

impl From<LanguageArg> for Language {
    fn from(arg: LanguageArg) -> Self {
        match arg {
            LanguageArg::Rust => Language::Rust,
            LanguageArg::C => Language::C,
            LanguageArg::Go => Language::Go,
            LanguageArg::JavaScript => Language::JavaScript,
            LanguageArg::Python => Language::Python,
        }
    }
}
