//! Framings that replace the end mark within messages: COBS and SLIP. Must not know where the bytes
//! come from.

use super::FramingError;

/// How a framing marks the end of a frame, and encodes the mark within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stuffing {
    /// Consistent Overhead Byte Stuffing (S. Cheshire, M. Baker, 1999).
    Cobs,
    /// The Serial Line Internet Protocol (RFC 1055).
    Slip,
}

/// The end of a COBS frame.
const COBS_END: u8 = 0x00;
/// How many bytes a COBS frame has for one of overhead, that one included.
const COBS_GROUP: usize = 255;
/// The end of a SLIP packet.
const SLIP_END: u8 = 0xc0;
const SLIP_ESCAPE: u8 = 0xdb;
/// What follows an escape instead of an END, and instead of an ESC.
const SLIP_ESCAPED_END: u8 = 0xdc;
const SLIP_ESCAPED_ESCAPE: u8 = 0xdd;

impl Stuffing {
    /// The byte that ends a frame. Nothing else contains it.
    pub fn end(self) -> u8 {
        match self {
            Stuffing::Cobs => COBS_END,
            Stuffing::Slip => SLIP_END,
        }
    }

    /// The most bytes, without the end, that a message of `length` bytes takes when encoded.
    pub fn max_encoded(self, length: usize) -> usize {
        match self {
            // An empty message takes one byte, too.
            Stuffing::Cobs => length.saturating_add(length / (COBS_GROUP - 1) + 1),
            Stuffing::Slip => length.saturating_mul(2),
        }
    }

    /// Decodes a frame without its end in place. Returns the length of the message at its front.
    pub fn decode(self, frame: &mut [u8]) -> Result<usize, FramingError> {
        match self {
            Stuffing::Cobs => cobs::decode_in_place(frame).map_err(|_| FramingError::Cobs),
            Stuffing::Slip => decode_slip(frame),
        }
    }
}

fn decode_slip(frame: &mut [u8]) -> Result<usize, FramingError> {
    let Some(mut to) = memchr::memchr(SLIP_ESCAPE, frame) else {
        return Ok(frame.len());
    };
    let mut from = to;
    while let Some(byte) = frame.get(from) {
        let (taken, byte) = match (*byte, frame.get(from + 1)) {
            (SLIP_ESCAPE, Some(&SLIP_ESCAPED_END)) => (2, SLIP_END),
            (SLIP_ESCAPE, Some(&SLIP_ESCAPED_ESCAPE)) => (2, SLIP_ESCAPE),
            (SLIP_ESCAPE, _) => return Err(FramingError::Slip),
            (byte, _) => (1, byte),
        };
        frame[to] = byte;
        to += 1;
        from += taken;
    }
    Ok(to)
}

#[cfg(test)]
mod tests;
