//! Why a stream breaks its framing.

use websocket::FrameError;

/// Why a stream has no further messages. Final.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FramingError {
    /// A message, or its declared length, exceeds the limit.
    #[error("a message is longer than the limit of {limit} bytes")]
    TooLong { limit: usize },
    /// The stream ended inside a message.
    #[error("the stream ended {have} bytes into a message")]
    Truncated { have: usize },
    /// A length field, adjusted, is less than 0.
    #[error("a length field says {value}, which with adjust={adjust} is less than 0")]
    NegativeLength { value: u64, adjust: i32 },
    /// A varint has too many bytes, or its value too many bits.
    #[error("a varint is longer than 10 bytes or 64 bits")]
    Varint,
    /// A netstring begins with something else than a decimal length without leading zeros and a
    /// colon.
    #[error("a netstring does not begin with a length and a colon")]
    NetstringLength,
    /// The byte after a netstring is no comma.
    #[error("a netstring does not end with a comma")]
    NetstringEnd,
    /// A COBS frame ends inside a group.
    #[error("a COBS frame is malformed")]
    Cobs,
    /// An ESC of SLIP is followed by a byte that is never escaped.
    #[error("a SLIP packet has an ESC with a wrong byte after it")]
    Slip,
    /// The frames of a WebSocket cannot be read.
    #[error("WebSocket: {0}")]
    WebSocket(FrameError),
}

impl From<FrameError> for FramingError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLong { limit } => FramingError::TooLong { limit },
            error => FramingError::WebSocket(error),
        }
    }
}
