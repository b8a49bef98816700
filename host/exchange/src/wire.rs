//! The in-memory pipe between the client of an exchange and the host.

use bytes::{Buf, Bytes};
use connection::limits::PIPE_BYTES;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex, join};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Both ends of a new pipe: the client's sender and reader, and the host's stream.
///
/// The client can send everything without waiting, because files of exchanges are small.
pub fn wire() -> (
    UnboundedSender<Bytes>,
    DuplexStream,
    impl AsyncRead + AsyncWrite + Send + Unpin,
) {
    let (sender, pieces) = unbounded_channel();
    let (client, host) = duplex(PIPE_BYTES);
    let incoming = Pieces {
        pieces,
        rest: Bytes::new(),
    };
    (sender, client, join(incoming, host))
}

/// The host's reader: each read returns exactly one piece, as if the host had been waiting for it.
struct Pieces {
    pieces: UnboundedReceiver<Bytes>,
    /// The rest that did not fit into the last read.
    rest: Bytes,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            match ready!(self.pieces.poll_recv(cx)) {
                Some(piece) => self.rest = piece,
                // The client has finished sending.
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}
