//! What a guest may hand over in one call: as arguments when it calls the host, and as results when the host calls it.
//!
//! The host copies and decodes that on a thread that serves others, and between two epochs nothing interrupts it.

/// How many bytes that may be. Wasmtime counts both with one measure, which is set anew before each.
#[derive(Debug)]
pub struct HandedBytes {
    /// With each call of the host.
    pub arguments: usize,
    /// With the return of the running call.
    pub results: usize,
}

impl HandedBytes {
    /// The same for both, until a call says how much it may return.
    pub fn new(arguments: usize) -> Self {
        HandedBytes {
            arguments,
            results: arguments,
        }
    }
}
