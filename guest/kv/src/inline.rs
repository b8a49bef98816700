//! Requests as people type them: words on a line, some of them in quotes.

/// Splits a line into words, as Redis does. `None` if quotes are not closed, or a word follows them
/// directly. A NUL ends the line.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let end = line.iter().position(|&byte| byte == 0);
    let mut words = Vec::new();
    let mut rest = trim_start(&line[..end.unwrap_or(line.len())]);
    while !rest.is_empty() {
        let (word, after) = word(rest)?;
        words.push(word);
        rest = trim_start(after);
    }
    Some(words)
}

/// Blanks must be the same here and at the end of a word: a byte that ends a word without being a
/// blank would yield empty words for ever.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn trim_start(text: &[u8]) -> &[u8] {
    let begin = text.iter().position(|&byte| !is_blank(byte));
    &text[begin.unwrap_or(text.len())..]
}

/// The first word and the rest of the line. Quotes may begin within a word.
fn word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        match first {
            blank if is_blank(blank) => break,
            b'"' | b'\'' => {
                rest = quoted(first, after, &mut word)?;
                let closed = rest.first().is_none_or(|&byte| is_blank(byte));
                return closed.then_some((word, rest));
            }
            _ => {
                word.push(first);
                rest = after;
            }
        }
    }
    Some((word, rest))
}

/// Appends the quoted text to the word, and returns the rest of the line.
fn quoted<'a>(quote: u8, mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, after) = match rest {
            [b'\\', b'x', high, low, after @ ..] if quote == b'"' && hex(*high, *low).is_some() => {
                (hex(*high, *low)?, after)
            }
            [b'\\', escaped, after @ ..] if quote == b'"' => (unescape(*escaped), after),
            [b'\\', b'\'', after @ ..] if quote == b'\'' => (b'\'', after),
            [byte, after @ ..] if *byte == quote => return Some(after),
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        word.push(byte);
        rest = after;
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let words = split(line.as_bytes())?;
        Some(
            words
                .iter()
                .map(|word| word.escape_ascii().to_string())
                .collect(),
        )
    }

    #[test]
    fn words_are_split_at_blanks() {
        assert_eq!(
            words("  set  key\tvalue ").unwrap(),
            ["set", "key", "value"]
        );
        assert_eq!(words(" ").unwrap(), [""; 0]);
    }

    #[test]
    fn quotes_hold_blanks_and_escapes() {
        assert_eq!(
            words(r#"a "b \"c\" \n\xff\xzz" ''"#).unwrap(),
            ["a", r#"b \"c\" \n\xffxzz"#, ""]
        );
        assert_eq!(words(r"'it\'s \n' x'y z'").unwrap(), [r"it\'s \\n", "xy z"]);
    }

    #[test]
    fn a_nul_ends_the_line() {
        assert_eq!(words("get k\0 more").unwrap(), ["get", "k"]);
        assert_eq!(words("\0").unwrap(), [""; 0]);
        assert_eq!(words("\"a\0\""), None);
    }

    #[test]
    fn quotes_are_closed_before_a_blank() {
        for bad in ["'", "\"a", "\"a\\\"", "\"a\"b", "'a'b"] {
            assert_eq!(words(bad), None, "{bad}");
        }
    }
}
