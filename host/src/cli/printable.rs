//! Makes foreign text safe to print on a terminal.

use daemon::logs::output::Stderr;
use std::io::Write;

/// Prints a line on standard error for a part of this program. Errors are ignored.
pub fn tell(who: &str, text: &str) {
    let _ = Stderr.write_all(format!("{who}: {}\n", printable(text)).as_bytes());
}

/// The text with control characters escaped, except line feeds and tabs.
pub fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' | '\t' => printable.push(char),
            _ if char.is_control() => printable.extend(char.escape_default()),
            _ => printable.push(char),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_characters_are_escaped() {
        assert_eq!(
            printable("ä\tb\n\x1b[2J\r\u{9b}"),
            "ä\tb\n\\u{1b}[2J\\r\\u{9b}"
        );
    }
}
