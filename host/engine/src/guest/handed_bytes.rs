//! Limits the bytes passed between guest and host in one call: arguments of host functions, and
//! results of guest functions.
//!
//! The host copies and decodes them on a thread that serves others, and nothing interrupts it
//! between two epochs.

/// The limits in bytes. Wasmtime has one counter for both, which is set before each call.
#[derive(Debug)]
pub struct HandedBytes {
    /// Arguments of each call of the host.
    pub arguments: usize,
    /// Results of the running call.
    pub results: usize,
}

impl HandedBytes {
    /// The same limit for both, until a call sets its results.
    pub fn new(arguments: usize) -> Self {
        HandedBytes {
            arguments,
            results: arguments,
        }
    }
}
