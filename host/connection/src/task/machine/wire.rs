//! What differs between streams, WebSockets and datagrams.

use super::WatchedInput;
use crate::handle::{Lost, Orders};
use crate::limits::HIGH_WATER_BYTES;
use crate::task::CloseReason;
use bytes::{Bytes, BytesMut};
use framing::{Framing, FramingError};

/// What the client may still send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputState {
    /// More.
    Open,
    /// Nothing, but it may still read.
    Finished,
    /// Nothing: the stream was cut, and data may be missing.
    CutOff,
    /// Nothing, and the session is over with the last message.
    Closed,
}

impl InputState {
    /// How a connection ends that has nothing more to do.
    pub fn close_reason(self) -> CloseReason {
        match self {
            InputState::CutOff => CloseReason::CutOff,
            InputState::Open | InputState::Finished | InputState::Closed => CloseReason::Finished,
        }
    }
}

/// Input and output of a connection, as far as streams and datagrams differ.
pub trait Wire {
    /// Whether a stop waits until all input is handled. Otherwise it comes first.
    const STOPS_AFTER_INPUT: bool;
    /// Whether timers keep a connection whose client has finished.
    const TIMERS_OUTLIVE_INPUT: bool = true;

    /// Whether the client has sent anything for the session that is not handled yet.
    fn has_input(&mut self) -> bool;

    /// What the client may still send.
    fn input_state(&self) -> InputState;

    /// Removes the next message.
    fn next_message(&mut self) -> Result<Option<Bytes>, FramingError>;

    /// Changes the framing from the next message on.
    fn set_framing(&mut self, framing: Framing);

    /// Changes the limit from the next message on.
    fn set_max_message_bytes(&mut self, limit: usize);

    /// Takes a reply. Fails if the client could not read it.
    fn push(&mut self, reply: Bytes) -> Result<(), Lost>;

    /// Takes what sessions sent by way of the handle.
    fn take_output(&mut self, orders: &mut Orders) -> Result<(), Lost>;

    /// Asks whether the client is still there, if the protocol has a question for it.
    fn ask(&mut self) {}

    /// The bytes that are not sent yet.
    fn unsent_bytes(&self) -> usize;

    /// Whether further messages wait until more is sent.
    #[inline]
    fn is_full(&self) -> bool {
        self.unsent_bytes() >= HIGH_WATER_BYTES
    }

    /// Whether everything is sent.
    fn is_written(&self) -> bool;
}

/// A wire whose bytes a stream carries.
pub trait ByteWire: Wire {
    /// What was read and not taken yet.
    fn input(&mut self) -> &mut BytesMut;

    /// The stream has ended. It may have been cut: data may be missing then.
    fn end_input(&mut self, is_cut_off: bool);

    /// What shows the input to those who watch, from what was read and not handled yet: this.
    fn watch_input(&mut self) -> (WatchedInput, BytesMut) {
        (WatchedInput::Stream, self.input().clone())
    }

    /// What is to be written next. Empty if only the stream's own buffers are to be flushed.
    fn chunk(&self) -> &[u8];

    /// Bytes of the chunk were written. Whether this shows that the connection is in use.
    fn written(&mut self, bytes: usize) -> bool;

    /// The stream's own buffers are flushed. Whether this shows that the connection is in use.
    fn flushed(&mut self) -> bool;

    /// The bytes of the output since the last call that no session sent.
    #[inline]
    fn take_added(&mut self) -> usize {
        0
    }

    /// Tells the client that the connection ends, and why, if the protocol has words for it.
    fn close(&mut self, _code: u16, _reason: &str) {}
}
