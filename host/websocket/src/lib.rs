//! WebSocket after its handshake (RFC 6455): frames, and what they carry. Pure: no sockets, no
//! clock, no Wasm.

#![forbid(unsafe_code)]

mod frames;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(any(test, fuzzing))]
mod invariants;
mod utf8;
mod writing;

#[cfg(test)]
mod tests;

pub use frames::{FrameError, FrameReader, MAX_HEADER_BYTES, Opcode, Piece};
pub use writing::{mask, put_header};

choices::choices! {
    /// How a client receives what a handler sends.
    pub enum MessageType {
        /// As the client sent its last message; before that, as binary
        Auto = "auto",
        /// As text, which must be UTF-8
        Text = "text",
        /// As binary
        Binary = "binary",
    }
}

impl MessageType {
    /// The opcode of a message for a client whose last message was text, or not.
    pub fn opcode(self, was_text: bool) -> Opcode {
        match self {
            MessageType::Text => Opcode::Text,
            MessageType::Auto if was_text => Opcode::Text,
            MessageType::Auto | MessageType::Binary => Opcode::Binary,
        }
    }
}

/// Which end of a WebSocket reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Clients mask their frames.
    Server,
    /// Servers do not.
    Client,
}
