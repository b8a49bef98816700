//! Cuts messages out of a stream. Must not know where the bytes come from.

use super::Framing;
use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memmem};

/// Cuts the messages of one stream. It holds no bytes: the caller owns the input buffer, appends
/// what it reads, and asks for messages until there are no more.
///
/// The messages do not depend on how the stream was split into reads, except with
/// [`Framing::Chunks`], where each read is a message.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    max_message_bytes: usize,
    /// How far the input was searched for an ending, so that no byte is searched twice.
    searched: usize,
}

/// Why a stream has no further messages. Final.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FramingError {
    /// A message, or its declared length, exceeds the limit.
    #[error("a message is longer than the limit of {limit} bytes")]
    TooLong { limit: usize },
    /// The stream ended inside a message.
    #[error("the stream ended {have} bytes into a message")]
    Truncated { have: usize },
}

impl Decoder {
    /// A decoder for the start of a stream. Messages longer than `max_message_bytes` are an error;
    /// [`Framing::Chunks`] splits them instead.
    pub fn new(framing: Framing, max_message_bytes: usize) -> Self {
        Decoder {
            framing,
            max_message_bytes,
            searched: 0,
        }
    }

    /// Changes the framing from the next message on, even if it was read already.
    pub fn set_framing(&mut self, framing: Framing) {
        self.framing = framing;
        self.restart();
    }

    /// Starts a new stream.
    pub(super) fn restart(&mut self) {
        self.searched = 0;
    }

    pub(super) fn framing(&self) -> &Framing {
        &self.framing
    }

    pub(super) fn check_length(&self, length: usize) -> Result<(), FramingError> {
        check_length(length, self.max_message_bytes)
    }

    /// Removes the next whole message from the front of `input`; `None` if more must be read first.
    ///
    /// After `None`, `input` holds at most `max_message_bytes` and one ending or length.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        if input.is_empty() {
            return Ok(None);
        }
        match &self.framing {
            Framing::Chunks => {
                let length = input.len().min(self.max_message_bytes);
                Ok(Some(input.split_to(length).freeze()))
            }
            Framing::Lines => self.next_line(input),
            Framing::LengthPrefixed(width) => {
                let width = width.bytes();
                let Some(prefix) = input.get(..width) else {
                    return Ok(None);
                };
                let length = prefix
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                self.take(input, width, length)
            }
            Framing::Delimited(delimiter) => next_delimited(
                delimiter.as_bytes(),
                self.max_message_bytes,
                &mut self.searched,
                input,
            ),
            Framing::Fixed(length) => {
                let length = length.get() as usize;
                self.take(input, 0, length)
            }
        }
    }

    /// The rest of a stream that has ended, after [`Decoder::next`] returned `None`: an
    /// unterminated last line or delimited message, or nothing.
    pub fn finish(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        self.searched = 0;
        if input.is_empty() {
            return Ok(None);
        }
        match self.framing {
            Framing::Chunks | Framing::Lines | Framing::Delimited(_) => {
                self.check_length(input.len())?;
                Ok(Some(input.split().freeze()))
            }
            Framing::LengthPrefixed(_) | Framing::Fixed(_) => {
                Err(FramingError::Truncated { have: input.len() })
            }
        }
    }

    fn next_line(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        let Some(found) = memchr(b'\n', &input[self.searched..]) else {
            self.searched = input.len();
            // The CR of a CR LF whose LF has not arrived is not part of the line.
            let line = input.strip_suffix(b"\r").unwrap_or(input);
            self.check_length(line.len())?;
            return Ok(None);
        };
        let end = self.searched + found;
        self.searched = 0;
        let mut line = input.split_to(end + 1).freeze();
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.truncate(end - 1);
        }
        self.check_length(line.len())?;
        Ok(Some(line))
    }

    /// A message of `length` bytes after `prefix` bytes, once it is complete.
    fn take(
        &self,
        input: &mut BytesMut,
        prefix: usize,
        length: usize,
    ) -> Result<Option<Bytes>, FramingError> {
        self.check_length(length)?;
        if input.len() < prefix + length {
            return Ok(None);
        }
        input.advance(prefix);
        Ok(Some(input.split_to(length).freeze()))
    }
}

fn next_delimited(
    delimiter: &[u8],
    limit: usize,
    searched: &mut usize,
    input: &mut BytesMut,
) -> Result<Option<Bytes>, FramingError> {
    let Some(found) = memmem::find(&input[*searched..], delimiter) else {
        // The tail may be the start of a delimiter.
        *searched = input.len().saturating_sub(delimiter.len() - 1);
        check_length(*searched, limit)?;
        return Ok(None);
    };
    let end = std::mem::take(searched) + found;
    check_length(end, limit)?;
    let message = input.split_to(end).freeze();
    input.advance(delimiter.len());
    Ok(Some(message))
}

fn check_length(length: usize, limit: usize) -> Result<(), FramingError> {
    if length > limit {
        return Err(FramingError::TooLong { limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
