//! Patterns: lines with gaps.

use bytes::Bytes;
use memchr::memmem;

/// A line with gaps: `<~ * joined`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The text between the gaps, before the first and after the last: without LF, at least one.
    pub(super) parts: Vec<Bytes>,
    /// The line ending.
    pub(super) ending: &'static [u8],
}

impl Pattern {
    /// Whether a whole line with its ending matches. A gap may be empty.
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
        // The leftmost match leaves the most for the rest.
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
mod tests;
