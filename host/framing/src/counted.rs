//! Framings that count the bytes of a message before it: length prefixes and fields, varints and
//! netstrings. Must not know where the bytes come from.

use super::{FramingError, InvalidFraming};

/// How far into a frame a length field may end, in bytes.
pub const MAX_LENGTH_FIELD_END: usize = 64;
/// The longest varint, in bytes (Protocol Buffers, "Base 128 Varints").
const MAX_VARINT_BYTES: usize = 10;

/// Where a frame has the length of the rest, and how it is written. Valid by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthField {
    /// How many bytes precede the field.
    pub(super) offset: u8,
    /// The bytes of the field, 1 to 8.
    pub(super) width: u8,
    pub(super) is_little_endian: bool,
    /// Added to the field's value: the sum is how many bytes follow the field.
    pub(super) adjust: i32,
    /// Whether the message includes the field and what precedes it.
    pub(super) keeps_header: bool,
}

/// What the start of a frame says about the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The bytes before the message, which are dropped.
    pub skipped: usize,
    /// The bytes of the message; `usize::MAX` stands for more than memory can have.
    pub length: usize,
}

impl LengthField {
    /// A big-endian field of `width` bytes, 1 to 8, after `offset` others. It counts what follows
    /// it.
    pub fn new(offset: u8, width: u8) -> Result<Self, InvalidFraming> {
        if !(1..=8).contains(&width) {
            return Err(InvalidFraming::FieldWidth(width));
        }
        let field = LengthField {
            offset,
            width,
            is_little_endian: false,
            adjust: 0,
            keeps_header: false,
        };
        if field.end() > MAX_LENGTH_FIELD_END {
            return Err(InvalidFraming::FieldOffset { offset, width });
        }
        Ok(field)
    }

    fn end(self) -> usize {
        usize::from(self.offset) + usize::from(self.width)
    }

    /// What the header says, once it is complete.
    pub(super) fn head(self, input: &[u8]) -> Result<Option<Head>, FramingError> {
        let end = self.end();
        let Some(field) = input.get(usize::from(self.offset)..end) else {
            return Ok(None);
        };
        let digit = |value, byte: &u8| value << 8 | u64::from(*byte);
        let value = if self.is_little_endian {
            field.iter().rev().fold(0, digit)
        } else {
            field.iter().fold(0, digit)
        };
        let rest = i128::from(value) + i128::from(self.adjust);
        if rest < 0 {
            return Err(FramingError::NegativeLength {
                value,
                adjust: self.adjust,
            });
        }
        let rest = usize::try_from(rest).unwrap_or(usize::MAX);
        Ok(Some(if self.keeps_header {
            Head {
                skipped: 0,
                length: rest.saturating_add(end),
            }
        } else {
            Head {
                skipped: end,
                length: rest,
            }
        }))
    }
}

/// What a big-endian length of `width` bytes says, once it is complete.
pub(super) fn prefix(width: usize, input: &[u8]) -> Option<Head> {
    let prefix = input.get(..width)?;
    let digit = |length, byte: &u8| length << 8 | usize::from(*byte);
    Some(Head {
        skipped: width,
        length: prefix.iter().fold(0, digit),
    })
}

/// The length that precedes a message of Protocol Buffers in their delimited form. It may have more
/// bytes than it needs, as their parsers allow.
pub(super) fn varint(input: &[u8]) -> Result<Option<Head>, FramingError> {
    let mut value = 0u64;
    for (index, byte) in input.iter().take(MAX_VARINT_BYTES).enumerate() {
        // 63 bits precede the last byte.
        if index + 1 == MAX_VARINT_BYTES && *byte > 1 {
            return Err(FramingError::Varint);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some(Head {
                skipped: index + 1,
                length: usize::try_from(value).unwrap_or(usize::MAX),
            }));
        }
    }
    Ok(None)
}

/// The decimal length of a netstring and its colon (D. J. Bernstein, "Netstrings", 1997). A length
/// is too long as soon as its first digits are.
pub(super) fn netstring(input: &[u8], limit: usize) -> Result<Option<Head>, FramingError> {
    let mut length = 0usize;
    for (index, byte) in input.iter().enumerate() {
        match byte {
            b':' if index > 0 => {
                return Ok(Some(Head {
                    skipped: index + 1,
                    length,
                }));
            }
            b'0'..=b'9' if index == 0 || length > 0 => {
                let digit = usize::from(byte - b'0');
                length = length
                    .checked_mul(10)
                    .and_then(|tens| tens.checked_add(digit))
                    .filter(|length| *length <= limit)
                    .ok_or(FramingError::TooLong { limit })?;
            }
            _ => return Err(FramingError::NetstringLength),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
