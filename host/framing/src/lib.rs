//! How messages are cut out of a byte stream. Pure: no sockets, no clock, no Wasm.

#![forbid(unsafe_code)]

mod counted;
mod datagram;
mod decoder;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(any(test, fuzzing))]
mod invariants;
#[cfg(test)]
mod properties;
mod spelling;
mod stuffed;

pub use counted::{LengthField, MAX_LENGTH_FIELD_END};
pub use datagram::DatagramDecoder;
pub use decoder::Decoder;
pub use error::FramingError;
pub use spelling::InvalidFraming;

use std::num::NonZeroU32;

/// The longest delimiter of [`Framing::Delimited`], in bytes.
pub const MAX_DELIMITER_BYTES: usize = 16;

/// A framing. docs/handlers/framing.md describes each for users. Values are valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each read is a message.
    Chunks,
    /// Lines ended by LF or CR LF.
    Lines,
    /// A big-endian length, then that many bytes.
    LengthPrefixed(LengthWidth),
    /// A length somewhere in a header of fixed length, then what it counts.
    LengthField(LengthField),
    /// A length as in Protocol Buffers, then that many bytes.
    Varint,
    /// A decimal length, a colon, that many bytes and a comma.
    Netstring,
    /// Consistent Overhead Byte Stuffing: frames that end with a zero, decoded.
    Cobs,
    /// The packets of RFC 1055, decoded.
    Slip,
    /// Messages ended by this sequence.
    Delimited(Delimiter),
    /// Messages of exactly this many bytes.
    Fixed(NonZeroU32),
}

/// The number of bytes of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthWidth {
    One = 1,
    Two = 2,
    Four = 4,
}

impl LengthWidth {
    /// The width in bytes.
    pub fn bytes(self) -> usize {
        self as usize
    }
}

/// A sequence of 1 to [`MAX_DELIMITER_BYTES`] bytes that ends a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delimiter(Box<[u8]>);

impl Delimiter {
    /// The sequence itself.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Framing {
    /// [`Framing::LengthPrefixed`] with a length of `width` bytes, which is 1, 2 or 4.
    pub fn length_prefixed(width: u8) -> Result<Self, InvalidFraming> {
        let width = match width {
            1 => LengthWidth::One,
            2 => LengthWidth::Two,
            4 => LengthWidth::Four,
            other => return Err(InvalidFraming::LengthWidth(other.to_string())),
        };
        Ok(Framing::LengthPrefixed(width))
    }

    /// [`Framing::Delimited`] by `sequence`, which is 1 to [`MAX_DELIMITER_BYTES`] bytes long.
    pub fn delimited(sequence: Vec<u8>) -> Result<Self, InvalidFraming> {
        if !(1..=MAX_DELIMITER_BYTES).contains(&sequence.len()) {
            return Err(InvalidFraming::DelimiterLength(sequence.len()));
        }
        Ok(Framing::Delimited(Delimiter(sequence.into())))
    }

    /// [`Framing::Fixed`] with messages of `length` bytes, at least 1.
    pub fn fixed(length: u32) -> Result<Self, InvalidFraming> {
        NonZeroU32::new(length)
            .map(Framing::Fixed)
            .ok_or_else(|| InvalidFraming::FixedLength(length.to_string()))
    }
}
