//! Datagrams of one sender. Any of them may be forged, so one that breaks the framing is dropped
//! and ends nothing.

use super::{InputState, Wire};
use crate::handle::{Lost, Orders};
use crate::limits::{DATAGRAM_BATCH, Limit};
use crate::task::inbox::Datagrams;
use bytes::Bytes;
use framing::{DatagramDecoder, Framing, FramingError};
use std::collections::VecDeque;

/// Input and output of one sender.
pub struct DatagramWire {
    decoder: DatagramDecoder,
    /// Datagrams that were received.
    pub input: Datagrams,
    /// Whether no more will be received.
    pub is_closed: bool,
    output: VecDeque<Bytes>,
    output_bytes: usize,
    /// How many of the first datagrams in `output` may be sent.
    admitted: usize,
    /// Why the rest of a datagram was dropped, until it is asked for.
    dropped: Option<FramingError>,
}

impl DatagramWire {
    /// A sender that has sent nothing yet.
    pub fn new(framing: Framing, max_message_bytes: usize) -> Self {
        DatagramWire {
            decoder: DatagramDecoder::new(framing, max_message_bytes),
            input: Datagrams::default(),
            is_closed: false,
            output: VecDeque::new(),
            output_bytes: 0,
            admitted: 0,
            dropped: None,
        }
    }

    /// Why the rest of a datagram was dropped. Returned once.
    pub fn take_dropped(&mut self) -> Option<FramingError> {
        self.dropped.take()
    }

    /// Drops new datagrams of the output that `admits` refuses, by length. Returns their bytes.
    pub fn admit(&mut self, mut admits: impl FnMut(usize) -> bool) -> usize {
        let before = self.output_bytes;
        while let Some(datagram) = self.output.get(self.admitted) {
            if admits(datagram.len()) {
                self.admitted += 1;
            } else {
                self.output_bytes -= datagram.len();
                self.output.remove(self.admitted);
            }
        }
        before - self.output_bytes
    }

    /// The datagrams that [`DatagramWire::admit`] has not seen yet.
    pub fn new_output(&self) -> impl Iterator<Item = &Bytes> {
        self.output.iter().skip(self.admitted)
    }

    /// The datagrams to send.
    pub fn output(&mut self) -> &[Bytes] {
        &self.output.make_contiguous()[..self.admitted]
    }

    /// Removes the first datagrams of the output. Returns their bytes.
    pub fn sent(&mut self, datagrams: usize) -> usize {
        self.admitted -= datagrams;
        let bytes = self.output.drain(..datagrams).map(|it| it.len()).sum();
        self.output_bytes -= bytes;
        bytes
    }
}

impl Wire for DatagramWire {
    const STOPS_AFTER_INPUT: bool = true;

    fn has_input(&mut self) -> bool {
        !self.input.is_empty()
    }

    fn input_state(&self) -> InputState {
        if self.is_closed {
            InputState::Closed
        } else {
            InputState::Open
        }
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        loop {
            match self.decoder.next_message() {
                Ok(Some(message)) => return Ok(Some(message)),
                Ok(None) => {}
                Err(error) => {
                    if let FramingError::TooLong { .. } = error {
                        Limit::MaxMessage.reached();
                    }
                    self.dropped = Some(error);
                }
            }
            let Some(datagram) = self.input.pop() else {
                return Ok(None);
            };
            self.decoder.begin(datagram);
        }
    }

    fn set_framing(&mut self, framing: Framing) {
        self.decoder.set_framing(framing);
    }

    fn set_max_message_bytes(&mut self, limit: usize) {
        self.decoder.set_limit(limit);
    }

    fn push(&mut self, reply: Bytes) -> Result<(), Lost> {
        self.output_bytes += reply.len();
        self.output.push_back(reply);
        Ok(())
    }

    fn take_output(&mut self, orders: &mut Orders) -> Result<(), Lost> {
        (orders.messages.drain(..)).try_for_each(|datagram| self.push(datagram))
    }

    fn unsent_bytes(&self) -> usize {
        self.output_bytes
    }

    fn is_full(&self) -> bool {
        self.output.len() >= DATAGRAM_BATCH
    }

    fn is_written(&self) -> bool {
        self.output.is_empty()
    }
}
