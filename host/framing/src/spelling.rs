//! How framings are written: in options, in files and by handlers. Each has one spelling.

use super::{Framing, LengthField, MAX_DELIMITER_BYTES, MAX_LENGTH_FIELD_END};
use std::fmt;
use std::str::FromStr;

/// Why a framing is invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidFraming {
    #[error("a length takes 1, 2 or 4 bytes, not {0}")]
    LengthWidth(String),
    #[error("`{0}` is not OFFSET,WIDTH[,le][,adjust=N][,keep-header], such as length-field:2,4")]
    LengthField(String),
    #[error("a length field takes 1 to 8 bytes, not {0}")]
    FieldWidth(u8),
    #[error(
        "a length field ends at most {MAX_LENGTH_FIELD_END} bytes into a frame, but {width} bytes at {offset} do not"
    )]
    FieldOffset { offset: u8, width: u8 },
    #[error("a delimiter is 1 to {MAX_DELIMITER_BYTES} bytes long, not {0}")]
    DelimiterLength(usize),
    #[error("`{0}` is not hexadecimal: expected two digits for each byte, such as delimited:0d0a")]
    Hex(String),
    #[error("a fixed message is 1 to 4294967295 bytes long, not {0}")]
    FixedLength(String),
    #[error("write it as {0}")]
    Spelling(Framing),
    #[error(
        "expected chunks, lines, length-prefixed:1, length-prefixed:2, length-prefixed:4, \
         length-field:OFFSET,WIDTH, varint, netstring, cobs, slip, delimited:HEX or fixed:N"
    )]
    Unknown,
}

impl FromStr for Framing {
    type Err = InvalidFraming;

    fn from_str(text: &str) -> Result<Self, InvalidFraming> {
        let framing = parse(text)?;
        // Numbers with leading zeros or signs, and parts in another order. Only hexadecimal digits
        // may have either case.
        if !framing.to_string().eq_ignore_ascii_case(text) {
            return Err(InvalidFraming::Spelling(framing));
        }
        Ok(framing)
    }
}

/// Accepts some spellings that are not the right one.
fn parse(text: &str) -> Result<Framing, InvalidFraming> {
    match text.split_once(':') {
        None => match text {
            "chunks" => Ok(Framing::Chunks),
            "lines" => Ok(Framing::Lines),
            "varint" => Ok(Framing::Varint),
            "netstring" => Ok(Framing::Netstring),
            "cobs" => Ok(Framing::Cobs),
            "slip" => Ok(Framing::Slip),
            _ => Err(InvalidFraming::Unknown),
        },
        Some(("length-prefixed", width)) => match width.parse() {
            Ok(width) => Framing::length_prefixed(width),
            Err(_) => Err(InvalidFraming::LengthWidth(width.to_owned())),
        },
        Some(("length-field", field)) => parse_field(field),
        Some(("delimited", hex)) => Framing::delimited(parse_hex(hex)?),
        Some(("fixed", length)) => match length.parse() {
            Ok(length) => Framing::fixed(length),
            Err(_) => Err(InvalidFraming::FixedLength(length.to_owned())),
        },
        Some(_) => Err(InvalidFraming::Unknown),
    }
}

fn parse_field(text: &str) -> Result<Framing, InvalidFraming> {
    let mut parts = text.split(',');
    let mut number = || parts.next().and_then(|part| part.parse().ok());
    let (Some(offset), Some(width)) = (number(), number()) else {
        return Err(InvalidFraming::LengthField(text.to_owned()));
    };
    let (mut is_little_endian, mut adjust, mut keeps_header) = (false, 0, false);
    for part in parts {
        match part.split_once('=') {
            None if part == "le" => is_little_endian = true,
            None if part == "keep-header" => keeps_header = true,
            Some(("adjust", bytes)) if let Ok(bytes) = bytes.parse() => adjust = bytes,
            _ => return Err(InvalidFraming::LengthField(text.to_owned())),
        }
    }
    let field = LengthField::new(offset, width)?;
    Ok(Framing::LengthField(LengthField {
        is_little_endian,
        adjust,
        keeps_header,
        ..field
    }))
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
            Framing::LengthField(field) => write!(f, "length-field:{field}"),
            Framing::Varint => write!(f, "varint"),
            Framing::Netstring => write!(f, "netstring"),
            Framing::Cobs => write!(f, "cobs"),
            Framing::Slip => write!(f, "slip"),
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

impl fmt::Display for LengthField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.offset, self.width)?;
        if self.is_little_endian {
            write!(f, ",le")?;
        }
        if self.adjust != 0 {
            write!(f, ",adjust={}", self.adjust)?;
        }
        if self.keeps_header {
            write!(f, ",keep-header")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
