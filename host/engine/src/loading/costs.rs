//! What a handler costs.

use std::time::Duration;

/// What a handler costs before it has answered anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// The size of the component in binary form.
    pub size_bytes: usize,
    /// How long it took to compile, or to find that it was compiled already.
    pub compiling: Duration,
    /// The memory that a new instance may write to. How much of it becomes resident, what it does decides.
    pub memory_bytes: usize,
}
