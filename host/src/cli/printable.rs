//! Text from elsewhere, so that it can be printed on a terminal.

use daemon::logs::output::Stderr;
use std::io::Write;

/// Says something on standard error, on behalf of a part of this program. Where it is gone there is nobody to tell.
pub fn tell(who: &str, text: &str) {
    let _ = Stderr.write_all(format!("{who}: {}\n", printable(text)).as_bytes());
}

/// The text with control characters escaped, line ends and tabs apart.
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
    fn only_what_drives_a_terminal_is_escaped() {
        assert_eq!(
            printable("ä\tb\n\x1b[2J\r\u{9b}"),
            "ä\tb\n\\u{1b}[2J\\r\\u{9b}"
        );
    }
}
