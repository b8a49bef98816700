//! Cuts messages out of what has been read so far.

use super::Framing;
use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memmem};

/// Cuts the messages of one stream. It keeps no bytes itself: the caller owns the input buffer,
/// appends to its end what it reads, and asks for messages until there are no more.
///
/// Whatever the stream was cut into on its way, the messages are the same, except with
/// [`Framing::Chunks`], which means exactly that cutting.
#[derive(Debug)]
pub struct Decoder {
    framing: Framing,
    max_message_bytes: usize,
    /// How far the input has been searched for an ending, so that no byte is looked at twice.
    searched: usize,
}

/// Why no message can be cut out of a stream, now or ever after.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FramingError {
    /// A message is, or says it will be, longer than the limit.
    #[error("a message is longer than the limit of {limit} bytes")]
    TooLong { limit: usize },
    /// The stream ended inside a message.
    #[error("the stream ended {have} bytes into a message")]
    Truncated { have: usize },
}

impl Decoder {
    /// A decoder for the start of a stream. Messages of more than `max_message_bytes` are an error;
    /// with [`Framing::Chunks`] they are cut instead, as chunks have no boundaries to respect.
    pub fn new(framing: Framing, max_message_bytes: usize) -> Self {
        Decoder {
            framing,
            max_message_bytes,
            searched: 0,
        }
    }

    /// Cuts differently from the next message on, which may have been read already.
    pub fn set_framing(&mut self, framing: Framing) {
        self.framing = framing;
        self.restart();
    }

    /// Begins with another stream.
    pub(super) fn restart(&mut self) {
        self.searched = 0;
    }

    pub(super) fn framing(&self) -> &Framing {
        &self.framing
    }

    pub(super) fn check_length(&self, length: usize) -> Result<(), FramingError> {
        check_length(length, self.max_message_bytes)
    }

    /// The next whole message, taken off the front of `input`; `None` if more must be read first.
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

    /// What is left when the stream has ended and [`Decoder::next`] has returned `None`: an
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
            // The CR of a CR LF whose LF is still on its way is not part of the line.
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

    /// A message of `length` bytes that stands behind `prefix` bytes, once it is whole.
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
        // The tail may be the beginning of a delimiter that was cut in two.
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
mod tests {
    use super::*;

    fn decode(framing: &str, limit: usize, stream: &[u8]) -> (Vec<Bytes>, Option<FramingError>) {
        let mut decoder = Decoder::new(framing.parse().unwrap(), limit);
        let mut input = BytesMut::from(stream);
        let mut messages = Vec::new();
        loop {
            match decoder.next(&mut input) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        match decoder.finish(&mut input) {
            Ok(last) => {
                messages.extend(last);
                (messages, None)
            }
            Err(error) => (messages, Some(error)),
        }
    }

    #[test]
    fn lines_end_with_lf_or_cr_lf_and_the_last_may_have_no_end() {
        let (lines, error) = decode("lines", 64, b"one\r\ntwo\n\n\rthree\r\r\nfour");
        assert_eq!(lines, ["one", "two", "", "\rthree\r", "four"]);
        assert_eq!(error, None);
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_its_ending_does_not_count() {
        let (lines, error) = decode("lines", 3, b"abc\r\nabc\nabc");
        assert_eq!((lines.len(), error), (3, None));
        for long in [&b"abcd\n"[..], b"abcd\r\n", b"abcd", b"abc\r\r\n", b"abc\r"] {
            let (lines, error) = decode("lines", 3, long);
            assert_eq!(
                (lines.len(), error),
                (0, Some(FramingError::TooLong { limit: 3 }))
            );
        }
    }

    #[test]
    fn a_length_that_lies_is_refused_before_its_message_is_read() {
        let (messages, error) = decode("length-prefixed:4", 64, b"\0\0\0\x02hi\xff\xff\xff\xff");
        assert_eq!(messages, ["hi"]);
        assert_eq!(error, Some(FramingError::TooLong { limit: 64 }));
    }

    #[test]
    fn a_stream_that_ends_inside_a_counted_message_is_truncated() {
        let (_, error) = decode("length-prefixed:2", 64, b"\0\x05abc");
        assert_eq!(error, Some(FramingError::Truncated { have: 5 }));
        let (messages, error) = decode("fixed:2", 64, b"abc");
        assert_eq!(messages, ["ab"]);
        assert_eq!(error, Some(FramingError::Truncated { have: 1 }));
    }

    #[test]
    fn a_delimiter_may_begin_like_the_message() {
        let (messages, error) = decode("delimited:6161620a", 64, b"aaab\naaaab\n");
        assert_eq!(messages, ["a", "aa"]);
        assert_eq!(error, None);
    }

    #[test]
    fn chunks_are_cut_at_the_limit() {
        let (messages, error) = decode("chunks", 2, b"abcde");
        assert_eq!(messages, ["ab", "cd", "e"]);
        assert_eq!(error, None);
    }
}
