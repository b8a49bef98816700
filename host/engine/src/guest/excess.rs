//! The fixed limits of a guest's calls.

use connection::limits::{
    Limit, MAX_CALLBACK_BYTES, MAX_CALLBACK_ORDERS, MAX_HANDLES, MAX_LOG_WRITE_BYTES,
    MAX_POLLABLES, MAX_RANDOM_BYTES, MAX_TABLE_ELEMENTS,
};

/// A fixed limit that a guest exceeded.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Excess {
    #[error("one callback sent more than {MAX_CALLBACK_BYTES} bytes")]
    CallbackBytes,
    #[error("one callback made more than {MAX_CALLBACK_ORDERS} requests")]
    CallbackOrders,
    #[error("it passed more than {0} bytes in one call")]
    HandedBytes(usize),
    #[error("it printed more than {MAX_LOG_WRITE_BYTES} bytes in one call")]
    LogWrite,
    #[error("it wrote more zeroes in one call than allowed")]
    Zeroes,
    #[error("it waited for more than {MAX_POLLABLES} pollables in one call")]
    Pollables,
    #[error("it holds more than {MAX_HANDLES} handles")]
    Handles,
    #[error("it asked for more than {MAX_RANDOM_BYTES} random bytes in one call")]
    RandomBytes,
    #[error("its tables have more than {MAX_TABLE_ELEMENTS} elements")]
    TableElements,
}

impl Excess {
    /// Counts it.
    pub fn reached(self) {
        let limit = match self {
            Excess::CallbackBytes | Excess::CallbackOrders => Limit::CallbackOutput,
            Excess::HandedBytes(_) | Excess::LogWrite | Excess::Zeroes | Excess::Pollables => {
                Limit::HandedBytes
            }
            Excess::Handles => Limit::Handles,
            Excess::RandomBytes => Limit::RandomBytes,
            Excess::TableElements => Limit::TableElements,
        };
        limit.reached();
    }
}
