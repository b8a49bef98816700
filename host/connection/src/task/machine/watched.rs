//! The input of a connection as those see it who watch: the bytes of a stream, the messages of a
//! WebSocket. Reads frames a second time, so that connections that nobody watches have no part in
//! it.

use crate::limits::MAX_TAP_PIECE_BYTES;
use bytes::BytesMut;
use websocket::{FrameReader, Piece};

/// Turns what was read into what is seen.
pub enum WatchedInput {
    /// Bytes are seen as they are read.
    Stream,
    /// Whole messages are seen, or long pieces of them.
    WebSocket {
        /// Boxed, as streams need none of it.
        frames: Box<FrameReader>,
        /// What was read and is not a piece yet.
        input: BytesMut,
        /// The message so far.
        message: BytesMut,
    },
}

impl WatchedInput {
    /// A WebSocket in this state, whose message has begun like this.
    pub fn web_socket(frames: FrameReader, message: BytesMut) -> Self {
        WatchedInput::WebSocket {
            frames: Box::new(frames),
            input: BytesMut::new(),
            message,
        }
    }

    /// Takes what was read.
    pub fn read(&mut self, bytes: &[u8], mut see: impl FnMut(&[u8])) {
        let WatchedInput::WebSocket {
            frames,
            input,
            message,
        } = self
        else {
            if !bytes.is_empty() {
                see(bytes);
            }
            return;
        };
        input.extend_from_slice(bytes);
        // The connection itself reports what is wrong, and ends.
        while let Ok(Some(piece)) = frames.next(input, 0, usize::MAX) {
            if let Piece::Data { bytes, is_last, .. } = piece {
                message.extend_from_slice(&bytes);
                if is_last || message.len() >= MAX_TAP_PIECE_BYTES {
                    see(&std::mem::take(message));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use websocket::{Opcode, Role, mask, put_header};

    fn frame(opcode: Opcode, text: &str) -> BytesMut {
        let (mut frame, key) = (BytesMut::new(), [1, 2, 3, 4]);
        put_header(&mut frame, opcode, text.len(), Some(key));
        let start = frame.len();
        frame.extend_from_slice(text.as_bytes());
        mask(&mut frame[start..], key);
        frame
    }

    #[test]
    fn messages_are_seen_wherever_reads_cut_their_frames() {
        let frames = [
            frame(Opcode::Text, "one"),
            frame(Opcode::Ping, "?"),
            frame(Opcode::Binary, "two"),
        ];
        let stream = frames.concat();
        for cut in 0..=stream.len() {
            let mut watched =
                WatchedInput::web_socket(FrameReader::new(Role::Server), BytesMut::new());
            let mut seen = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                watched.read(part, |bytes| seen.push(bytes.to_vec()));
            }
            assert_eq!(seen, [b"one", b"two"], "{cut}");
        }
    }

    #[test]
    fn the_rest_of_a_message_is_seen_with_its_beginning() {
        let mut reader = FrameReader::new(Role::Server);
        let mut stream = frame(Opcode::Text, "hello world");
        let mut rest = stream.split_off(10);
        let mut message = BytesMut::new();
        while let Some(Piece::Data { bytes, .. }) = reader.next(&mut stream, 0, 99).unwrap() {
            message.extend_from_slice(&bytes);
        }
        let mut watched = WatchedInput::web_socket(reader, message);
        let mut seen = Vec::new();
        watched.read(&rest.split(), |bytes| seen.push(bytes.to_vec()));
        assert_eq!(seen, [b"hello world"]);
    }
}
