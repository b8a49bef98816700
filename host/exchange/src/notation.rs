//! The notation of bytes in an exchange: text with escapes, or hexadecimal digits.

use super::LineEnding;
use std::fmt::Write;

/// A parsed line of text.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// The bytes, split at each gap.
    pub parts: Vec<Vec<u8>>,
    /// Whether it ends with a lone `\`: no line ending follows.
    pub is_unended: bool,
}

/// An unknown escape and its offset in bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownEscape {
    pub offset: usize,
    pub escape: String,
}

/// Parses text. With `gaps`, an unescaped `*` is a gap.
pub fn read_text(text: &str, gaps: bool) -> Result<Text, UnknownEscape> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut is_unended = false;
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let mut length = char.len_utf8();
        match char {
            '\\' if rest.len() == 1 => is_unended = true,
            '\\' => {
                let escaped = read_escape(rest).ok_or_else(|| UnknownEscape {
                    offset: text.len() - rest.len(),
                    escape: rest.chars().take(2).collect(),
                })?;
                length = escaped.0;
                part.push(escaped.1);
            }
            '*' if gaps => parts.push(std::mem::take(&mut part)),
            _ => part.extend_from_slice(&rest.as_bytes()[..length]),
        }
        rest = &rest[length..];
    }
    parts.push(part);
    Ok(Text { parts, is_unended })
}

/// The escape at the start of `text`: its length and its byte.
fn read_escape(text: &str) -> Option<(usize, u8)> {
    let byte = match text.as_bytes().get(1)? {
        b'r' => b'\r',
        b'n' => b'\n',
        b't' => b'\t',
        b'0' => 0,
        b'\\' => b'\\',
        b'*' => b'*',
        b'x' => return Some((4, hex_byte(text.get(2..4)?)?)),
        _ => return None,
    };
    Some((2, byte))
}

/// Parses pairs of hexadecimal digits, with optional spaces. The error is the offset of a wrong or
/// single digit.
pub fn read_hex(text: &str) -> Result<Vec<u8>, usize> {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text.as_bytes()[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let pair = text.get(at..at + 2).and_then(hex_byte);
        let wrong = at + usize::from(is_digit(at) && at + 1 < text.len());
        bytes.push(pair.ok_or(wrong)?);
        at += 2;
    }
    Ok(bytes)
}

fn hex_byte(pair: &str) -> Option<u8> {
    // `from_str_radix` takes a sign too.
    let is_hex = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
}

/// Whether bytes are better shown as text than in hexadecimal.
pub fn is_text(bytes: &[u8]) -> bool {
    let is_plain = |char: char| !char.is_control() || matches!(char, '\t' | '\r' | '\n' | '\x1b');
    str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_plain))
}

/// Bytes as text after a sign such as `>`; [`read_text`] parses it back.
pub fn write_text(sign: &str, bytes: &[u8], ending: LineEnding) -> String {
    match bytes.strip_suffix(ending.as_bytes()) {
        Some(b"") => sign.to_owned(),
        Some(text) => format!("{sign} {}", show_last_blank(escape(text, false))),
        None => format!("{sign} {}\\", escape(bytes, false)),
    }
}

/// A line with gaps as text after a sign.
pub fn write_gaps(sign: &str, parts: &[impl AsRef<[u8]>]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|part| escape(part.as_ref(), true))
        .collect();
    format!("{sign} {}", show_last_blank(parts.join("*")))
}

/// Bytes as hexadecimal digits after a sign.
pub fn write_hex(sign: &str, bytes: &[u8]) -> String {
    bytes.iter().fold(format!("{sign}hex"), |mut line, byte| {
        // Writing to a String cannot fail.
        let _ = write!(line, " {byte:02x}");
        line
    })
}

/// Many editors drop a trailing space.
fn show_last_blank(text: String) -> String {
    match text.strip_suffix(' ') {
        Some(text) => format!("{text}\\x20"),
        None => text,
    }
}

fn escape(bytes: &[u8], gaps: bool) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => text.push_str("\\\\"),
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\0' => text.push_str("\\0"),
                '*' if gaps => text.push_str("\\*"),
                '\'' | '"' => text.push(char),
                // Invisible characters, and those that change the text direction, have a longer
                // form there.
                _ if char.escape_debug().len() == 1 => text.push(char),
                _ => escape_bytes(&mut text, char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        escape_bytes(&mut text, chunk.invalid());
    }
    text
}

fn escape_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests;
