//! Checks that text in pieces is UTF-8. A piece may end inside a character.

/// The check of one text.
#[derive(Clone, Debug, Default)]
pub struct Utf8 {
    /// The start of a character whose rest is missing.
    start: [u8; 3],
    length: usize,
}

impl Utf8 {
    /// Checks the next piece. False as soon as no continuation can make it text.
    #[must_use]
    pub fn check(&mut self, mut piece: &[u8]) -> bool {
        while self.length > 0 {
            let Some((byte, rest)) = piece.split_first() else {
                return true;
            };
            piece = rest;
            let mut character = [0; 4];
            character[..self.length].copy_from_slice(&self.start[..self.length]);
            character[self.length] = *byte;
            let length = self.length + 1;
            self.length = 0;
            if !self.check_whole(&character[..length]) {
                return false;
            }
        }
        self.check_whole(piece)
    }

    /// Checks a piece that starts with a character.
    fn check_whole(&mut self, piece: &[u8]) -> bool {
        let Err(error) = str::from_utf8(piece) else {
            return true;
        };
        let start = &piece[error.valid_up_to()..];
        if error.error_len().is_some() {
            return false;
        }
        // What lacks a byte has at most three.
        self.length = start.len();
        self.start[..start.len()].copy_from_slice(start);
        true
    }

    /// Ends the text. False if a character is incomplete.
    #[must_use]
    pub fn finish(&mut self) -> bool {
        std::mem::take(&mut self.length) == 0
    }
}
