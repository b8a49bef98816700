//! Frames (RFC 6455, section 5): reads pieces of messages and control frames.

use super::Role;
use super::utf8::Utf8;
use super::writing::mask;
use bytes::{Buf, BytesMut};

/// The longest header, in bytes.
pub const MAX_HEADER_BYTES: usize = 14;
/// The longest payload of a control frame, in bytes.
const MAX_CONTROL_BYTES: u64 = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// Why frames cannot be read on. Final.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    #[error("a frame has reserved bits, but no extension was agreed on")]
    ReservedBits,
    #[error("a frame has the unknown opcode {0}")]
    Opcode(u8),
    #[error("a client's frame is not masked")]
    NotMasked,
    #[error("a server's frame is masked")]
    Masked,
    #[error("a length is not in its shortest form, or negative")]
    Length,
    #[error("a control frame is fragmented, or longer than {MAX_CONTROL_BYTES} bytes")]
    Control,
    #[error("a message continues that has not begun")]
    NoMessage,
    #[error("a message begins inside another one")]
    InsideMessage,
    #[error("a text message is not UTF-8")]
    NotText,
    #[error("a close frame has a bad code or reason")]
    Close,
    #[error("a message is longer than the limit of {limit} bytes")]
    TooLong { limit: usize },
}

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// The next part of a message.
    Data {
        /// Unmasked; may be empty.
        bytes: BytesMut,
        /// Whether the message is text.
        is_text: bool,
        /// Whether the message ends with it.
        is_last: bool,
    },
    /// To be answered with a pong.
    Ping(BytesMut),
    /// A ping was answered, or nothing in particular.
    Pong,
    /// The other side sends nothing more.
    Close(Option<u16>),
}

/// Reads the frames of one direction. It holds no bytes: the caller owns the input, and gets each
/// part of a message as soon as it has arrived.
#[derive(Clone, Debug)]
pub struct FrameReader {
    role: Role,
    /// The data frame whose payload has not arrived entirely.
    frame: Option<DataFrame>,
    /// Whether the message that has begun is text.
    message: Option<bool>,
    utf8: Utf8,
}

#[derive(Clone, Debug)]
struct DataFrame {
    is_final: bool,
    key: [u8; 4],
    left: u64,
}

struct Header {
    is_final: bool,
    opcode: Opcode,
    key: [u8; 4],
    /// Of the header, and of the payload.
    lengths: (usize, u64),
}

impl FrameReader {
    /// A reader for the start of a stream.
    pub fn new(role: Role) -> Self {
        FrameReader {
            role,
            frame: None,
            message: None,
            utf8: Utf8::default(),
        }
    }

    /// Whether a message has begun and not ended.
    #[inline]
    pub fn is_inside(&self) -> bool {
        self.message.is_some()
    }

    /// Removes what comes next from the front of `input`; `None` if more must be read first. A data
    /// frame with which a message of so far `have` bytes would exceed `limit` is an error, before
    /// any of it is returned.
    ///
    /// After `None`, `input` holds at most a header and the payload of a control frame.
    pub fn next(
        &mut self,
        input: &mut BytesMut,
        have: usize,
        limit: usize,
    ) -> Result<Option<Piece>, FrameError> {
        if self.frame.is_none() {
            let Some(header) = self.header(input)? else {
                return Ok(None);
            };
            let (header_bytes, left) = header.lengths;
            if header.opcode as u8 >= Opcode::Close as u8 {
                return control(&header, input);
            }
            self.begin(header.opcode)?;
            if left > limit.saturating_sub(have) as u64 {
                return Err(FrameError::TooLong { limit });
            }
            input.advance(header_bytes);
            self.frame = Some(DataFrame {
                is_final: header.is_final,
                key: header.key,
                left,
            });
        }
        self.data(input)
    }

    fn header(&self, input: &[u8]) -> Result<Option<Header>, FrameError> {
        let [first, second, rest @ ..] = input else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err(FrameError::ReservedBits);
        }
        let is_final = first & 0x80 != 0;
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            unknown => return Err(FrameError::Opcode(unknown)),
        };
        let is_masked = second & 0x80 != 0;
        match self.role {
            Role::Server if !is_masked => return Err(FrameError::NotMasked),
            Role::Client if is_masked => return Err(FrameError::Masked),
            Role::Server | Role::Client => {}
        }
        let short = u64::from(second & 0x7f);
        let is_control = first & 0x08 != 0;
        if is_control && (!is_final || short > MAX_CONTROL_BYTES) {
            return Err(FrameError::Control);
        }
        let (length, width) = match (short, rest) {
            (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8)
            }
            (126 | 127, _) => return Ok(None),
            (short, _) => (short, 0),
        };
        let least = match width {
            0 => 0,
            2 => 126,
            _ => 1 << 16,
        };
        if length < least || length > i64::MAX as u64 {
            return Err(FrameError::Length);
        }
        let mut key = [0; 4];
        let mut header_bytes = 2 + width;
        if is_masked {
            let Some(bytes) = rest.get(width..width + 4) else {
                return Ok(None);
            };
            key.copy_from_slice(bytes);
            header_bytes += 4;
        }
        Ok(Some(Header {
            is_final,
            opcode,
            key,
            lengths: (header_bytes, length),
        }))
    }

    /// Begins or continues a message.
    fn begin(&mut self, opcode: Opcode) -> Result<(), FrameError> {
        match (opcode, self.message) {
            (Opcode::Continuation, None) => Err(FrameError::NoMessage),
            (Opcode::Continuation, Some(_)) => Ok(()),
            (_, Some(_)) => Err(FrameError::InsideMessage),
            (_, None) => {
                self.message = Some(opcode == Opcode::Text);
                Ok(())
            }
        }
    }

    /// What has arrived of the payload of the frame.
    fn data(&mut self, input: &mut BytesMut) -> Result<Option<Piece>, FrameError> {
        let (Some(frame), Some(is_text)) = (&mut self.frame, self.message) else {
            return Ok(None);
        };
        if input.is_empty() && frame.left > 0 {
            return Ok(None);
        }
        let arrived = usize::try_from(frame.left).map_or(input.len(), |it| it.min(input.len()));
        let mut bytes = if arrived == input.len() {
            std::mem::take(input)
        } else {
            input.split_to(arrived)
        };
        mask(&mut bytes, frame.key);
        frame.key.rotate_left(arrived % 4);
        frame.left -= arrived as u64;
        let has_ended = frame.left == 0;
        let is_last = has_ended && frame.is_final;
        if is_text && !(self.utf8.check(&bytes) && (!is_last || self.utf8.finish())) {
            return Err(FrameError::NotText);
        }
        if has_ended {
            self.frame = None;
        }
        if is_last {
            self.message = None;
        }
        Ok(Some(Piece::Data {
            bytes,
            is_text,
            is_last,
        }))
    }
}

/// Reads a control frame, once it is complete.
fn control(header: &Header, input: &mut BytesMut) -> Result<Option<Piece>, FrameError> {
    let (header_bytes, length) = header.lengths;
    if (input.len() - header_bytes) < length as usize {
        return Ok(None);
    }
    input.advance(header_bytes);
    let mut bytes = input.split_to(length as usize);
    mask(&mut bytes, header.key);
    Ok(Some(match header.opcode {
        Opcode::Ping => Piece::Ping(bytes),
        Opcode::Close => Piece::Close(match &bytes[..] {
            [] => None,
            [_] => return Err(FrameError::Close),
            [first, second, reason @ ..] => {
                let code = u16::from_be_bytes([*first, *second]);
                if !is_close_code(code) {
                    return Err(FrameError::Close);
                }
                if str::from_utf8(reason).is_err() {
                    return Err(FrameError::NotText);
                }
                Some(code)
            }
        }),
        _ => Piece::Pong,
    }))
}

/// Whether a close frame may carry this code (section 7.4.2, and IANA's registry).
fn is_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
