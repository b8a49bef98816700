//! Lines of SMTP: only CR LF ends one (RFC 5321, section 2.3.8). A server that accepts a lone LF or
//! CR, or passes it on to a server that does, allows mails to be smuggled in.

/// The longest line, in bytes, with its ending. RFC 5321, section 4.5.3.1.6, requires 1000.
const MAX_LINE: usize = 65_536;

/// Received bytes that are not a whole line yet.
#[derive(Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// Start of the next line.
    begin: usize,
    /// How far the buffer was searched for an ending.
    searched: usize,
}

/// A line exceeds the limit.
#[derive(Debug, PartialEq)]
pub struct TooLong;

impl Lines {
    /// Adds received bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.begin);
        self.searched -= self.begin;
        self.begin = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether there is nothing behind the last line.
    pub fn is_empty(&self) -> bool {
        self.begin == self.bytes.len()
    }

    /// The next whole line, without its ending.
    pub fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let end = self.bytes[self.searched..]
            .windows(2)
            .position(|pair| pair == b"\r\n");
        let Some(end) = end else {
            // The last byte may be the CR of an ending.
            self.searched = self.bytes.len().saturating_sub(1).max(self.searched);
            return if self.bytes.len() - self.begin > MAX_LINE {
                Err(TooLong)
            } else {
                Ok(None)
            };
        };
        let (begin, end) = (self.begin, self.searched + end);
        self.begin = end + 2;
        self.searched = self.begin;
        if self.begin - begin > MAX_LINE {
            Err(TooLong)
        } else {
            Ok(Some(&self.bytes[begin..end]))
        }
    }
}

/// Whether a line has a CR or an LF that is not part of a line ending.
pub fn has_stray_end(line: &[u8]) -> bool {
    line.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in chunks {
            lines.add(chunk);
            while let Ok(Some(line)) = lines.next() {
                found.push(line.to_vec());
            }
        }
        found
    }

    #[test]
    fn nothing_but_cr_lf_ends_a_line() {
        let found = all(&[b"one\r\n\ntwo\r\r\nthr\nee\n\r\n\r", b"\nfour"]);
        let expected: [&[u8]; 5] = [b"one", b"\ntwo\r", b"thr\nee\n", b"", b""];
        assert_eq!(found[..4], expected[..4]);
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn a_line_is_only_so_long() {
        let mut lines = Lines::default();
        lines.add(&[b'x'; MAX_LINE - 2]);
        lines.add(b"\r\n");
        assert_eq!(lines.next().unwrap().unwrap().len(), MAX_LINE - 2);
        lines.add(&[b'x'; MAX_LINE + 1]);
        assert_eq!(lines.next(), Err(TooLong));
    }

    proptest! {
        /// The lines do not depend on how the input is split, and joined they equal the input.
        #[test]
        fn cuts_change_nothing(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), any::<u8>()], 0..300), cut in 0_usize..300) {
            let cut = cut.min(bytes.len());
            let whole = all(&[&bytes]);
            prop_assert_eq!(&all(&[&bytes[..cut], &bytes[cut..]]), &whole);
            let single: Vec<_> = bytes.chunks(1).collect();
            prop_assert_eq!(&all(&single), &whole);
            let joined: Vec<u8> = whole.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect();
            prop_assert!(bytes.starts_with(&joined));
        }
    }
}
