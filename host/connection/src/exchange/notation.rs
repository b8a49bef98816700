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
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        read_text(text, false).unwrap().parts.concat()
    }

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(
            bytes(r"a\r\n\t\0\\\x7f\xFFé*"),
            b"a\r\n\t\0\\\x7f\xff\xc3\xa9*"
        );
        let text = read_text(r"> \", false).unwrap();
        assert_eq!(
            (text.parts.concat(), text.is_unended),
            (b"> ".to_vec(), true)
        );
        assert!(!read_text(r"\\", false).unwrap().is_unended);
        for (text, offset, escape) in [
            (r"ab\q", 2, r"\q"),
            (r"\x1", 0, r"\x"),
            (r"\x+1", 0, r"\x"),
            (r"\é", 0, r"\é"),
        ] {
            let escape = escape.to_owned();
            assert_eq!(
                read_text(text, false),
                Err(UnknownEscape { offset, escape })
            );
        }
    }

    #[test]
    fn stars_are_gaps_only_in_patterns() {
        let parts = read_text(r"*a\**", true).unwrap().parts;
        assert_eq!(parts, [&b""[..], b"a*", b""]);
        assert_eq!(write_gaps("<~", &parts), r"<~ *a\**");
    }

    #[test]
    fn hex_is_read_in_pairs() {
        assert_eq!(read_hex("00 ff 0aB0"), Ok(vec![0, 255, 10, 176]));
        assert_eq!(read_hex("00 f"), Err(3));
        assert_eq!(read_hex("0g"), Err(1));
        assert_eq!(read_hex("é"), Err(0));
        assert_eq!(read_hex("+1"), Err(0));
    }

    #[test]
    fn bytes_are_shown_so_that_they_can_be_read_back() {
        for (bytes, line) in [
            (&b"\n"[..], "<"),
            (b"42\n", "< 42"),
            (b"> ", r"< > \"),
            (b"a \n", r"< a\x20"),
            (b"a\r\n", r"< a\r"),
            (b"a\nb\n", r"< a\nb"),
            ("it's \u{202e}é\n".as_bytes(), r"< it's \xe2\x80\xaeé"),
            (b"\\\xff\n", r"< \\\xff"),
        ] {
            assert_eq!(write_text("<", bytes, LineEnding::Lf), line);
        }
        assert_eq!(write_text("<", b"a\n", LineEnding::CrLf), r"< a\n\");
        assert_eq!(write_hex(">", &[0, 0xab]), ">hex 00 ab");
    }
}
