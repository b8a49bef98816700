//! How messages are cut out of a byte stream. Pure: no sockets, no clock, no Wasm.

mod datagram;
mod decoder;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
#[cfg(test)]
mod properties;

pub use datagram::DatagramDecoder;
pub use decoder::{Decoder, FramingError};

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The longest delimiter of [`Framing::Delimited`], in bytes.
pub const MAX_DELIMITER_BYTES: usize = 16;

/// A framing: the host's form of `types.framing` in the WIT package, which describes each kind.
/// Values are valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each read is a message.
    Chunks,
    /// Lines ended by LF or CR LF.
    Lines,
    /// A big-endian length, then that many bytes.
    LengthPrefixed(LengthWidth),
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

/// Why a framing is invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidFraming {
    #[error("a length takes 1, 2 or 4 bytes, not {0}")]
    LengthWidth(String),
    #[error("a delimiter is 1 to {MAX_DELIMITER_BYTES} bytes long, not {0}")]
    DelimiterLength(usize),
    #[error("`{0}` is not hexadecimal: expected two digits for each byte, such as delimited:0d0a")]
    Hex(String),
    #[error("a fixed message is 1 to 4294967295 bytes long, not {0}")]
    FixedLength(String),
    #[error(
        "expected chunks, lines, length-prefixed:1, length-prefixed:2, length-prefixed:4, delimited:HEX or fixed:N"
    )]
    Unknown,
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

impl FromStr for Framing {
    type Err = InvalidFraming;

    fn from_str(text: &str) -> Result<Self, InvalidFraming> {
        match text.split_once(':') {
            None if text == "chunks" => Ok(Framing::Chunks),
            None if text == "lines" => Ok(Framing::Lines),
            Some(("length-prefixed", width)) => match width.parse() {
                Ok(width) => Framing::length_prefixed(width),
                Err(_) => Err(InvalidFraming::LengthWidth(width.to_owned())),
            },
            Some(("delimited", hex)) => Framing::delimited(parse_hex(hex)?),
            Some(("fixed", length)) => match length.parse() {
                Ok(length) => Framing::fixed(length),
                Err(_) => Err(InvalidFraming::FixedLength(length.to_owned())),
            },
            _ => Err(InvalidFraming::Unknown),
        }
    }
}

fn parse_hex(text: &str) -> Result<Vec<u8>, InvalidFraming> {
    let invalid = || InvalidFraming::Hex(text.to_owned());
    let digit = |byte: u8| char::from(byte).to_digit(16).ok_or_else(invalid);
    if !text.len().is_multiple_of(2) {
        return Err(invalid());
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Ok((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Framing::Chunks => write!(f, "chunks"),
            Framing::Lines => write!(f, "lines"),
            Framing::LengthPrefixed(width) => write!(f, "length-prefixed:{}", width.bytes()),
            Framing::Delimited(delimiter) => {
                write!(f, "delimited:")?;
                delimiter
                    .as_bytes()
                    .iter()
                    .try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Framing::Fixed(length) => write!(f, "fixed:{length}"),
        }
    }
}

#[cfg(test)]
mod tests;
