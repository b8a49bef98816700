//! Lines that are only partly known.

use bytes::Bytes;
use memchr::memmem;

/// A line with gaps: `<~ * joined`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the gaps, and before the first and behind the last: without an LF, and at
    /// least one.
    pub(super) parts: Vec<Bytes>,
    /// What ends the line.
    pub(super) ending: &'static [u8],
}

impl Pattern {
    /// Whether a whole line, its ending included, fits. A gap may be empty.
    pub fn fits(&self, line: &[u8]) -> bool {
        let Some(line) = line.strip_suffix(self.ending) else {
            return false;
        };
        let [first, middle @ .., last] = &self.parts[..] else {
            return self.parts.iter().all(|only| only == line);
        };
        let Some(mut rest) = line.strip_prefix(&first[..]) else {
            return false;
        };
        // The leftmost place leaves the most for what follows.
        for part in middle {
            match memmem::find(rest, part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(parts: &[&'static str]) -> Pattern {
        Pattern {
            parts: parts.iter().map(|part| Bytes::from(*part)).collect(),
            ending: b"\n",
        }
    }

    #[test]
    fn gaps_hold_anything() {
        for (parts, line, fits) in [
            (&["abc"][..], "abc\n", true),
            (&["abc"], "abc", false),
            (&["abc"], "abcd\n", false),
            (&["", ""], "\n", true),
            (&["a", "c"], "abc\n", true),
            (&["a", "c"], "ac\n", true),
            (&["aa", "aa"], "aaa\n", false),
            (&["", "b", ""], "abc\n", true),
            (&["", "b", "b"], "abc\n", false),
            (&["", "ab", "ab", ""], "xabxaby\n", true),
            (&["", "ab", "ab", ""], "xaby\n", false),
        ] {
            assert_eq!(
                pattern(parts).fits(line.as_bytes()),
                fits,
                "{parts:?} {line:?}"
            );
        }
    }
}
