//! Text of a guest. Escaped and capped when it is created, so that no log, terminal or file can get
//! it raw.

use crate::limits::{Limit, MAX_LOG_LINE_BYTES};
use std::fmt::{self, Write};

/// A line of a guest, safe to print: at most [`MAX_LOG_LINE_BYTES`], before escaping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestText(String);

impl GuestText {
    /// Creates text from bytes. A longer one is cut, which is marked at the end and counted.
    pub fn new(bytes: &[u8]) -> Self {
        match bytes.get(..MAX_LOG_LINE_BYTES) {
            Some(beginning) if bytes.len() > MAX_LOG_LINE_BYTES => {
                GuestText::cut(whole_characters(beginning))
            }
            _ => GuestText(escape(bytes)),
        }
    }

    /// The same for the start of a text whose rest is missing.
    pub fn cut(beginning: &[u8]) -> Self {
        Limit::LogLine.reached();
        let mut text = escape(beginning);
        // Writing to a String cannot fail.
        let _ = write!(text, "… (cut at {MAX_LOG_LINE_BYTES} bytes)");
        GuestText(text)
    }
}

impl From<&str> for GuestText {
    fn from(text: &str) -> Self {
        GuestText::new(text.as_bytes())
    }
}

impl From<String> for GuestText {
    fn from(text: String) -> Self {
        GuestText::from(&text[..])
    }
}

impl fmt::Display for GuestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is printed unchanged.
pub fn is_presentable(text: &str) -> bool {
    !text.chars().any(is_unsafe)
}

/// Removes an incomplete character at the end.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// Escapes text so that it is safe on a terminal and cannot look like another log line.
fn escape(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes));
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match is_unsafe(char) {
            true if char.is_control() => safe.extend(char.escape_default()),
            true => safe.extend(char.escape_unicode()),
            false => safe.push(char),
        }
    }
    safe
}

/// Whether to escape: control characters, line separators, and invisible characters that reorder or
/// hide text. Joiners are safe, and languages and emoji need them.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8]) -> String {
        GuestText::new(bytes).to_string()
    }

    #[test]
    fn control_characters_and_line_separators_are_escaped() {
        assert_eq!(shown(b"plain \xc3\xa9\r"), "plain é");
        assert_eq!(shown(b"\x1b[2J\x07\x00"), "\\u{1b}[2J\\u{7}\\u{0}");
        assert_eq!(
            shown("\u{9b}1m\u{202e}txt\u{2028}".as_bytes()),
            "\\u{9b}1m\\u{202e}txt\\u{2028}"
        );
        assert_eq!(
            shown("a\u{200b}\u{61c}b\u{feff}\u{2064}c\u{e0041}".as_bytes()),
            "a\\u{200b}\\u{61c}b\\u{feff}\\u{2064}c\\u{e0041}"
        );
        assert_eq!(shown("👩\u{200d}🔬".as_bytes()), "👩\u{200d}🔬");
        assert_eq!(shown(b"a\rb\tc"), "a\\rb\\tc");
        assert_eq!(shown(b"a\r\nWARN b"), "a\\r\\nWARN b");
        assert_eq!(shown(b"\xff"), "\u{fffd}");
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        let long = format!("a{}", "é".repeat(MAX_LOG_LINE_BYTES));
        let text = GuestText::from(long).to_string();
        assert!(text.ends_with("é… (cut at 4096 bytes)"), "{text}");
        let exact = "a".repeat(MAX_LOG_LINE_BYTES);
        assert_eq!(GuestText::from(&exact[..]).to_string(), exact);
    }

    #[test]
    fn escaped_text_is_not_presentable() {
        assert!(is_presentable("naïve 👩\u{200d}🔬"));
        assert!(!is_presentable("a\u{202e}b") && !is_presentable("a\nb"));
    }
}
