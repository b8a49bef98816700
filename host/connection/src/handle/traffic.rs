//! Counts of bytes and messages.

use std::iter::Sum;

/// Traffic of one or more connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read from the client.
    pub received_bytes: u64,
    /// Bytes written to the client.
    pub sent_bytes: u64,
    /// Messages passed to the handler.
    pub messages: u64,
}

impl Sum for Traffic {
    fn sum<I: Iterator<Item = Traffic>>(all: I) -> Traffic {
        all.fold(Traffic::default(), |sum, one| Traffic {
            received_bytes: sum.received_bytes + one.received_bytes,
            sent_bytes: sum.sent_bytes + one.sent_bytes,
            messages: sum.messages + one.messages,
        })
    }
}
