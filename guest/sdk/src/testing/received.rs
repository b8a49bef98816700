//! What a client received.

use std::fmt;

/// What a client received. Compares with text and bytes, and prints as text with escapes.
#[derive(Clone, PartialEq, Eq)]
pub struct Received(pub Vec<u8>);

impl Received {
    /// The text, with a replacement for what is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl PartialEq<str> for Received {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Received {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<String> for Received {
    fn eq(&self, other: &String) -> bool {
        self.0 == other.as_bytes()
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Received {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self.0 == *other
    }
}
