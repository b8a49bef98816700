//! The fixed limits that a call fails of when its guest goes beyond them.

use connection::limits::{
    Limit, MAX_CALLBACK_BYTES, MAX_CALLBACK_ORDERS, MAX_HANDLES, MAX_LOG_WRITE_BYTES,
    MAX_POLLABLES, MAX_RANDOM_BYTES, MAX_TABLE_ELEMENTS,
};

/// What a guest did or had too much of.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Excess {
    #[error("one callback sent more than {MAX_CALLBACK_BYTES} bytes")]
    CallbackBytes,
    #[error("one callback asked for more than {MAX_CALLBACK_ORDERS} things")]
    CallbackOrders,
    #[error("it handed over more than {0} bytes at once")]
    HandedBytes(usize),
    #[error("it printed more than the {MAX_LOG_WRITE_BYTES} bytes that it was permitted at once")]
    LogWrite,
    #[error("it wrote more zeroes than it was permitted at once")]
    Zeroes,
    #[error("it waits for more than {MAX_POLLABLES} pollables at once")]
    Pollables,
    #[error("it holds more than {MAX_HANDLES} handles at once")]
    Handles,
    #[error("it asked for more than {MAX_RANDOM_BYTES} random bytes at once")]
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
