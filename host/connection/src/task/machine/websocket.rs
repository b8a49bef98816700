//! A WebSocket: messages in frames, over a stream.
//!
//! With [`Framing::Chunks`] a message of the client is a message. Any other framing cuts the
//! payloads as one stream, wherever the client's messages end. What a callback sends is one
//! message.

use super::{ByteWire, InputState, WatchedInput, Wire};
use crate::handle::{Lost, Orders};
use crate::task::close_code;
use bytes::{Buf, Bytes, BytesMut};
use framing::{Decoder, Framing, FramingError};
use websocket::{FrameReader, MAX_HEADER_BYTES, MessageType, Opcode, Piece, Role, put_header};

/// The longest reason of a close frame, in bytes (RFC 6455, section 5.5).
const MAX_REASON_BYTES: usize = 123;

/// Input and output of a WebSocket.
pub struct WebSocketWire {
    frames: FrameReader,
    decoder: Decoder,
    max_message_bytes: usize,
    /// What was read: at most an unfinished header or control frame, and one read.
    input: BytesMut,
    /// Payload that is not a message yet.
    payload: BytesMut,
    /// A message that was read ahead, to know whether there is one.
    ahead: Option<Result<Bytes, FramingError>>,
    state: InputState,
    /// The client's close code, if it gave one.
    closed_with: Option<u16>,
    messages: MessageType,
    /// Whether the client's last message was text.
    was_text: bool,
    output: BytesMut,
    /// Bytes of the output that no session sent and nobody asked for yet.
    added: usize,
    is_flushed: bool,
    /// Whether nothing but a question of ours is in the output.
    is_asking: bool,
    /// Whether our close frame is in the output, or gone.
    is_closed: bool,
}

impl WebSocketWire {
    /// A WebSocket after its handshake. `received` came with it.
    pub fn new(
        framing: Framing,
        max_message_bytes: usize,
        messages: MessageType,
        received: BytesMut,
    ) -> Self {
        WebSocketWire {
            frames: FrameReader::new(Role::Server),
            decoder: Decoder::new(framing, max_message_bytes),
            max_message_bytes,
            input: received,
            payload: BytesMut::new(),
            ahead: None,
            state: InputState::Open,
            closed_with: None,
            messages,
            was_text: false,
            output: BytesMut::new(),
            added: 0,
            is_flushed: true,
            is_asking: false,
            is_closed: false,
        }
    }

    /// What was read and is not handled yet, in bytes.
    #[cfg(test)]
    pub fn held_bytes(&self) -> usize {
        self.input.len() + self.payload.len()
    }

    /// Whether a message of the client is a message.
    pub fn keeps_messages(&self) -> bool {
        *self.decoder.framing() == Framing::Chunks
    }

    /// Reads frames until there is a message.
    fn cut(&mut self) -> Result<Option<Bytes>, FramingError> {
        loop {
            // What another framing left before the current message, too.
            if !(self.keeps_messages() && self.frames.is_inside()) {
                if let Some(message) = self.decoder.next(&mut self.payload)? {
                    return Ok(Some(message));
                }
                if self.state == InputState::Finished {
                    return self.decoder.finish(&mut self.payload);
                }
            }
            if self.state == InputState::Finished {
                return Ok(None);
            }
            let (have, limit) = if self.keeps_messages() {
                (self.payload.len(), self.max_message_bytes)
            } else {
                // A message of the client may hold many of the framing.
                (0, usize::MAX)
            };
            let Some(piece) = self.frames.next(&mut self.input, have, limit)? else {
                return Ok(None);
            };
            if let Some(message) = self.take(piece) {
                return Ok(Some(message));
            }
        }
    }

    /// Takes a piece, and returns the message that it completes.
    fn take(&mut self, piece: Piece) -> Option<Bytes> {
        match piece {
            Piece::Data {
                bytes,
                is_text,
                is_last,
            } => {
                self.was_text = is_text;
                if self.payload.is_empty() {
                    self.payload = bytes;
                } else {
                    self.payload.extend_from_slice(&bytes);
                }
                if is_last && self.keeps_messages() {
                    return Some(std::mem::take(&mut self.payload).freeze());
                }
            }
            Piece::Ping(bytes) => self.add(Opcode::Pong, &bytes),
            Piece::Pong => {}
            Piece::Close(code) => {
                self.closed_with = code;
                self.state = InputState::Finished;
            }
        }
        None
    }

    fn put(&mut self, opcode: Opcode, payload: &[u8]) {
        self.is_asking = false;
        self.output.reserve(MAX_HEADER_BYTES + payload.len());
        self.added += put_header(&mut self.output, opcode, payload.len(), None);
        self.output.extend_from_slice(payload);
    }

    /// Puts a control frame.
    fn add(&mut self, opcode: Opcode, payload: &[u8]) {
        if !self.is_closed {
            self.put(opcode, payload);
            self.added += payload.len();
        }
    }
}

impl Wire for WebSocketWire {
    const STOPS_AFTER_INPUT: bool = false;
    // Its close frame asks for ours.
    const TIMERS_OUTLIVE_INPUT: bool = false;

    fn has_input(&mut self) -> bool {
        if self.ahead.is_none() {
            self.ahead = self.cut().transpose();
        }
        self.ahead.is_some()
    }

    #[inline]
    fn input_state(&self) -> InputState {
        self.state
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        match self.ahead.take() {
            Some(message) => message.map(Some),
            None => self.cut(),
        }
    }

    fn set_framing(&mut self, framing: Framing) {
        self.decoder.set_framing(framing);
    }

    fn set_max_message_bytes(&mut self, limit: usize) {
        self.max_message_bytes = limit;
        self.decoder.set_limit(limit);
    }

    fn push(&mut self, reply: Bytes) -> Result<(), Lost> {
        let opcode = self.messages.opcode(self.was_text);
        if opcode == Opcode::Text && str::from_utf8(&reply).is_err() {
            return Err(Lost::NotText);
        }
        self.put(opcode, &reply);
        Ok(())
    }

    fn take_output(&mut self, orders: &mut Orders) -> Result<(), Lost> {
        (orders.messages.drain(..)).try_for_each(|message| self.push(message))
    }

    #[inline]
    fn unsent_bytes(&self) -> usize {
        self.output.len()
    }

    #[inline]
    fn is_written(&self) -> bool {
        self.output.is_empty() && self.is_flushed
    }

    /// Sends a ping. A client that does not read what we send it has no use for it.
    fn ask(&mut self) {
        if self.is_written() && self.state == InputState::Open {
            self.add(Opcode::Ping, &[]);
            self.is_asking = true;
        }
    }
}

impl ByteWire for WebSocketWire {
    #[inline]
    fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    fn watch_input(&mut self) -> (WatchedInput, BytesMut) {
        let watched = WatchedInput::web_socket(self.frames.clone(), self.payload.clone());
        (watched, self.input.clone())
    }

    /// Without a close frame, data may be missing, however the stream ended.
    fn end_input(&mut self, _is_cut_off: bool) {
        self.state = InputState::CutOff;
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        &self.output
    }

    fn written(&mut self, bytes: usize) -> bool {
        self.is_flushed = false;
        if bytes == self.output.len() {
            // An idle connection holds no memory.
            self.output = BytesMut::new();
        } else {
            self.output.advance(bytes);
        }
        !self.is_asking
    }

    fn flushed(&mut self) -> bool {
        self.is_flushed = true;
        !std::mem::take(&mut self.is_asking)
    }

    #[inline]
    fn take_added(&mut self) -> usize {
        std::mem::take(&mut self.added)
    }

    /// Answers the client's close frame, or sends the first one.
    fn close(&mut self, code: u16, reason: &str) {
        let mut end = reason.len().min(MAX_REASON_BYTES);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let code = match self.state {
            InputState::Finished if code == close_code::NORMAL => self.closed_with,
            _ => Some(code),
        };
        let payload = code.map(|code| [&code.to_be_bytes(), &reason.as_bytes()[..end]].concat());
        self.add(Opcode::Close, &payload.unwrap_or_default());
        self.is_closed = true;
    }
}
