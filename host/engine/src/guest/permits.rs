//! The permits of an instance for a limited resource of all guests.

use crate::scheduling::fair_share::{FairShare, Held};
use std::sync::Arc;

/// A permit for each item it has, or had when it last took one: nothing reports when an item is
/// closed. What it was given, such as standard output, needs none.
pub struct Permits(Held);

impl Permits {
    /// Starts without permits.
    pub fn of(share: &Arc<FairShare>) -> Self {
        Permits(Held::of(share))
    }

    /// Takes one more permit, for an instance with `open` items and at most `most`. Gives back
    /// those of closed items.
    pub fn take(&mut self, open: usize, most: usize) -> bool {
        self.0.shrink_to(open);
        open < most && self.0.grow(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_limited_per_instance_and_in_total() {
        let all = FairShare::of(3);
        let (mut one, mut other) = (Permits::of(&all), Permits::of(&all));
        assert!(one.take(0, 2) && one.take(1, 2));
        assert!(!one.take(2, 2));
        assert!(other.take(0, 2));
        assert!(!other.take(1, 2));
        // One of them was closed.
        assert!(!one.take(1, 1));
        // It was given four more items.
        assert!(other.take(5, 6));
    }
}
