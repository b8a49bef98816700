//! Bytes to write, in order.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes to write, in order. A single piece stays where it is; further ones are joined to it, so
/// that they leave with one system call. Holds no memory while empty.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// The only piece, if there is one.
    one: Bytes,
    /// Several pieces. Empty if there is only one.
    joined: BytesMut,
}

impl Outgoing {
    /// The length in bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.one.len() + self.joined.len()
    }

    /// Whether there is nothing to write.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.one.is_empty() && self.joined.is_empty()
    }

    /// Appends a piece.
    #[inline]
    pub fn push(&mut self, piece: Bytes) {
        if self.is_empty() {
            self.one = piece;
        } else {
            self.joined().extend_from_slice(&piece);
        }
    }

    /// Appends all of `other`, and leaves it empty.
    pub fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, other);
        } else {
            let joined = self.joined();
            joined.extend_from_slice(&other.one);
            joined.extend_from_slice(&other.joined);
        }
        *other = Self::default();
    }

    /// What is to be written next.
    #[inline]
    pub fn chunk(&self) -> &[u8] {
        if self.one.is_empty() {
            &self.joined
        } else {
            &self.one
        }
    }

    /// Removes bytes of the chunk from the front.
    #[inline]
    pub fn advance(&mut self, bytes: usize) {
        if !self.one.is_empty() {
            self.one.advance(bytes);
        } else {
            self.joined.advance(bytes);
        }
        if self.is_empty() {
            // The next reply brings its own memory.
            *self = Self::default();
        }
    }

    fn joined(&mut self) -> &mut BytesMut {
        if !self.one.is_empty() {
            // Uniquely owned bytes are moved, not copied.
            self.joined = std::mem::take(&mut self.one).into();
        }
        &mut self.joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_leave_in_order_and_together() {
        let mut out = Outgoing::default();
        let mut more = Outgoing::default();
        for (piece, expected) in [("a", "a"), ("", "a"), ("bc", "abc"), ("d", "abcd")] {
            out.push(piece.into());
            assert_eq!(out.chunk(), expected.as_bytes());
            assert_eq!(out.len(), expected.len());
        }
        more.push("ef".into());
        out.append(&mut more);
        assert!(more.is_empty());
        out.advance(1);
        out.push("g".into());
        assert_eq!(out.chunk(), b"bcdefg");
        more.append(&mut out);
        assert!(out.is_empty() && out.chunk().is_empty());
        more.advance(6);
        assert!(more.is_empty());
    }
}
