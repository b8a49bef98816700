//! Turns the bytes of an input into choices.

use std::slice::Iter;

pub struct Choices<'a>(Iter<'a, u8>);

impl<'a> Choices<'a> {
    pub fn of(input: &'a [u8]) -> Self {
        Choices(input.iter())
    }

    /// A number below `end`. When the input is used up, 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % end
    }

    /// A number up to `most`, with small magnitudes as likely as large ones.
    pub fn count(&mut self, most: usize) -> usize {
        let shift = self.below(usize::BITS as usize - most.leading_zeros() as usize + 1);
        let top = 1_usize << shift >> 1;
        (top + top * self.below(256) / 256).min(most)
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}
