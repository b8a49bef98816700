//! Cuts messages out of datagrams.

use super::{Decoder, Framing, FramingError};
use bytes::{Bytes, BytesMut};

/// Cuts messages out of datagrams. Each datagram is a stream of its own: no message spans two,
/// because any of them may be lost or come from another sender.
///
/// With [`Framing::Chunks`] a datagram is a message, even an empty one.
#[derive(Debug)]
pub struct DatagramDecoder {
    decoder: Decoder,
    /// The rest of the current datagram.
    datagram: Option<BytesMut>,
}

impl DatagramDecoder {
    /// A decoder without a datagram. Messages longer than `max_message_bytes` are an error.
    pub fn new(framing: Framing, max_message_bytes: usize) -> Self {
        DatagramDecoder {
            decoder: Decoder::new(framing, max_message_bytes),
            datagram: None,
        }
    }

    /// Changes the framing from the next message on, even within a datagram.
    pub fn set_framing(&mut self, framing: Framing) {
        self.decoder.set_framing(framing);
    }

    /// Changes the limit from the next message on.
    pub fn set_limit(&mut self, max_message_bytes: usize) {
        self.decoder.set_limit(max_message_bytes);
    }

    /// Starts the next datagram. The rest of the previous one is dropped.
    pub fn begin(&mut self, datagram: BytesMut) {
        self.datagram = Some(datagram);
    }

    /// The next message of the datagram, or `None`. An error affects the rest of this datagram
    /// only.
    pub fn next_message(&mut self) -> Result<Option<Bytes>, FramingError> {
        let Some(mut datagram) = self.datagram.take() else {
            return Ok(None);
        };
        let message = self.cut(&mut datagram)?;
        if message.is_some() && !datagram.is_empty() {
            self.datagram = Some(datagram);
        }
        Ok(message)
    }

    fn cut(&mut self, datagram: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        if *self.decoder.framing() == Framing::Chunks {
            self.decoder.check_length(datagram.len())?;
            return Ok(Some(datagram.split().freeze()));
        }
        let cut = match self.decoder.next(datagram) {
            Ok(None) => self.decoder.finish(datagram),
            cut => cut,
        };
        if !matches!(cut, Ok(Some(_))) {
            self.decoder.restart();
        }
        cut
    }
}

#[cfg(test)]
mod tests;
