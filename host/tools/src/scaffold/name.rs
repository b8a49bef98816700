//! What a new handler may be called.

use std::fmt;
use std::str::FromStr;

/// The longest name, as a manifest may have it.
const MAX_LENGTH: usize = 64;

/// Words that cannot name a crate, because Rust or cargo has them for itself, or because the project depends on a
/// crate of that name.
const TAKEN: [&str; 58] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "echo-host-guest",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "log",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// What a handler is called: a name that is good for a package in every language. Small letters, digits and hyphens,
/// a letter first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandlerName(String);

impl HandlerName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HandlerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let may = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        let begins = text.starts_with(|char: char| char.is_ascii_lowercase());
        if !begins || !text.chars().all(may) || text.ends_with('-') || text.contains("--") {
            return Err(format!(
                "`{text}` is no name for a handler: take a to z, 0 to 9 and single hyphens in between, a letter first"
            ));
        }
        if text.len() > MAX_LENGTH {
            return Err(format!("a name has at most {MAX_LENGTH} characters"));
        }
        if TAKEN.contains(&text) {
            return Err(format!("`{text}` cannot name a crate: take another name"));
        }
        Ok(HandlerName(text.to_owned()))
    }
}

impl fmt::Display for HandlerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_good_for_packages_everywhere() {
        for good in ["a", "shout", "line-2", "http-hello", &"n".repeat(64)] {
            assert!(good.parse::<HandlerName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "Shout",
            "2line",
            "-a",
            "a-",
            "a--b",
            "a_b",
            "a b",
            "ä",
            "a.b",
            "..",
            "fn",
            "test",
            "echo-host-guest",
            &"n".repeat(65),
        ] {
            assert!(bad.parse::<HandlerName>().is_err(), "{bad}");
        }
    }
}
