//! What an instance has of something that all guests together have so many of.

use crate::scheduling::fair_share::{FairShare, Held};
use std::sync::Arc;

/// A permit for each thing that it has taken, or had when it last took one: nothing tells when one is closed. What it was
/// given, such as its standard output, needs none.
pub struct Permits(Held);

impl Permits {
    /// None of these yet.
    pub fn of(share: &Arc<FairShare>) -> Self {
        Permits(Held::of(share))
    }

    /// Takes one more, for an instance that has so many things `open` and may have `most`, if there is one. Those of
    /// things that are gone are given back.
    pub fn take(&mut self, open: usize, most: usize) -> bool {
        self.0.shrink_to(open);
        open < most && self.0.grow(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_its_most_and_all_have_what_there_is() {
        let all = FairShare::of(3);
        let (mut one, mut other) = (Permits::of(&all), Permits::of(&all));
        assert!(one.take(0, 2) && one.take(1, 2));
        assert!(!one.take(2, 2));
        assert!(other.take(0, 2));
        assert!(!other.take(1, 2));
        // One of them was closed.
        assert!(!one.take(1, 1));
        // It was given four things more.
        assert!(other.take(5, 6));
    }
}
