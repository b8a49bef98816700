//! A stream of bytes in both directions.

use super::{ByteWire, InputState, Wire};
use crate::handle::{Lost, Orders, Outgoing};
use bytes::{Bytes, BytesMut};
use framing::{Decoder, Framing, FramingError};

/// Input and output of a stream.
pub struct StreamWire {
    decoder: Decoder,
    /// What was read and is not a message yet: at most one unfinished message and one read.
    pub input: BytesMut,
    state: InputState,
    output: Outgoing,
    /// Whether the stream's own buffers (TLS has some) are flushed.
    is_flushed: bool,
}

impl StreamWire {
    /// A stream at its start.
    pub fn new(framing: Framing, max_message_bytes: usize) -> Self {
        StreamWire {
            decoder: Decoder::new(framing, max_message_bytes),
            input: BytesMut::new(),
            state: InputState::Open,
            output: Outgoing::default(),
            is_flushed: true,
        }
    }
}

impl ByteWire for StreamWire {
    #[inline]
    fn input(&mut self) -> &mut BytesMut {
        &mut self.input
    }

    /// The client has finished sending, or the stream was cut: it ended without TLS `close_notify`
    /// (RFC 8446, section 6.1). Data may be missing then, so an unfinished message is dropped and
    /// the session sees no end of input.
    fn end_input(&mut self, is_cut_off: bool) {
        self.state = if is_cut_off {
            InputState::CutOff
        } else {
            InputState::Finished
        };
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.output.chunk()
    }

    #[inline]
    fn written(&mut self, bytes: usize) -> bool {
        self.output.advance(bytes);
        self.is_flushed = false;
        true
    }

    #[inline]
    fn flushed(&mut self) -> bool {
        self.is_flushed = true;
        true
    }
}

impl Wire for StreamWire {
    const STOPS_AFTER_INPUT: bool = false;

    #[inline]
    fn has_input(&mut self) -> bool {
        !self.input.is_empty()
    }

    #[inline]
    fn input_state(&self) -> InputState {
        self.state
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        match self.decoder.next(&mut self.input)? {
            None if self.state == InputState::Finished => self.decoder.finish(&mut self.input),
            message => Ok(message),
        }
    }

    fn set_framing(&mut self, framing: Framing) {
        self.decoder.set_framing(framing);
    }

    fn set_max_message_bytes(&mut self, limit: usize) {
        self.decoder.set_limit(limit);
    }

    #[inline]
    fn push(&mut self, reply: Bytes) -> Result<(), Lost> {
        self.output.push(reply);
        Ok(())
    }

    fn take_output(&mut self, orders: &mut Orders) -> Result<(), Lost> {
        self.output.append(&mut orders.bytes);
        Ok(())
    }

    #[inline]
    fn unsent_bytes(&self) -> usize {
        self.output.len()
    }

    #[inline]
    fn is_written(&self) -> bool {
        self.output.is_empty() && self.is_flushed
    }
}
