//! The costs of a handler.

use std::time::Duration;

/// The costs of a handler before its first reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// The size of the component in binary form.
    pub size_bytes: usize,
    /// The time to compile, or to load from the cache.
    pub compiling: Duration,
    /// The writable memory of a new instance. How much becomes resident depends on what it does.
    pub memory_bytes: usize,
}
