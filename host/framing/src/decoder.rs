//! Cuts messages out of a stream. Must not know where the bytes come from.

use super::counted::{self, Head};
use super::stuffed::Stuffing;
use super::{Framing, FramingError};
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

    /// Changes the limit from the next message on.
    pub fn set_limit(&mut self, max_message_bytes: usize) {
        self.max_message_bytes = max_message_bytes;
    }

    /// Starts a new stream.
    pub(super) fn restart(&mut self) {
        self.searched = 0;
    }

    /// The framing of the next message.
    pub fn framing(&self) -> &Framing {
        &self.framing
    }

    pub(super) fn check_length(&self, length: usize) -> Result<(), FramingError> {
        check_length(length, self.max_message_bytes)
    }

    /// Removes the next whole message from the front of `input`; `None` if more must be read first.
    ///
    /// After `None`, `input` holds at most `max_message_bytes` and one ending or header. Of COBS
    /// and SLIP it holds the encoded form of as many: up to 0.4 % and 100 % more.
    #[inline]
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        if input.is_empty() {
            return Ok(None);
        }
        match &self.framing {
            Framing::Chunks => {
                let length = input.len().min(self.max_message_bytes);
                Ok(Some(split(input, length)))
            }
            Framing::Lines => self.next_line(input),
            _ => self.next_frame(input),
        }
    }

    fn next_frame(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        let head = match &self.framing {
            Framing::LengthPrefixed(width) => counted::prefix(width.bytes(), input),
            Framing::LengthField(field) => field.head(input)?,
            Framing::Varint => counted::varint(input)?,
            Framing::Fixed(length) => Some(Head {
                skipped: 0,
                length: length.get() as usize,
            }),
            Framing::Delimited(delimiter) => {
                return next_delimited(
                    delimiter.as_bytes(),
                    self.max_message_bytes,
                    &mut self.searched,
                    input,
                );
            }
            Framing::Netstring => return self.next_netstring(input),
            Framing::Slip => return self.next_stuffed(Stuffing::Slip, input),
            _ => return self.next_stuffed(Stuffing::Cobs, input),
        };
        head.map_or(Ok(None), |head| self.take(input, head))
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
            _ => Err(FramingError::Truncated { have: input.len() }),
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
        let mut line = split(input, end + 1);
        line.truncate(end);
        if line.last() == Some(&b'\r') {
            line.truncate(end - 1);
        }
        self.check_length(line.len())?;
        Ok(Some(line))
    }

    /// The message after a head, once it is complete.
    fn take(&self, input: &mut BytesMut, head: Head) -> Result<Option<Bytes>, FramingError> {
        let Head { skipped, length } = head;
        self.check_length(length)?;
        if input.len() < skipped.saturating_add(length) {
            return Ok(None);
        }
        input.advance(skipped);
        Ok(Some(split(input, length)))
    }

    fn next_netstring(&self, input: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        let Some(head) = counted::netstring(input, self.max_message_bytes)? else {
            return Ok(None);
        };
        match input.get(head.skipped.saturating_add(head.length)) {
            None => Ok(None),
            Some(b',') => {
                let message = self.take(input, head)?;
                input.advance(1);
                Ok(message)
            }
            Some(_) => Err(FramingError::NetstringEnd),
        }
    }

    fn next_stuffed(
        &mut self,
        stuffing: Stuffing,
        input: &mut BytesMut,
    ) -> Result<Option<Bytes>, FramingError> {
        let end = stuffing.end();
        if self.searched == 0 {
            // Senders resynchronise with frames of nothing. An empty message of COBS has a byte.
            let idle = input.iter().take_while(|byte| **byte == end).count();
            input.advance(idle);
        }
        let found = memchr(end, &input[self.searched..]);
        let length = found.map_or(input.len(), |found| self.searched + found);
        if length > stuffing.max_encoded(self.max_message_bytes) {
            let limit = self.max_message_bytes;
            return Err(FramingError::TooLong { limit });
        }
        if found.is_none() {
            self.searched = length;
            return Ok(None);
        }
        self.searched = 0;
        let mut frame = input.split_to(length);
        input.advance(1);
        let length = stuffing.decode(&mut frame)?;
        self.check_length(length)?;
        frame.truncate(length);
        Ok(Some(frame.freeze()))
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

/// The first bytes. Often all of them: a client that waits for each reply sends one message at a
/// time.
fn split(input: &mut BytesMut, length: usize) -> Bytes {
    if length == input.len() {
        std::mem::take(input).freeze()
    } else {
        input.split_to(length).freeze()
    }
}

fn check_length(length: usize, limit: usize) -> Result<(), FramingError> {
    if length > limit {
        return Err(FramingError::TooLong { limit });
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
