//! The line between the client of an exchange and the host's end of a connection, in memory.

use crate::limits::PIPE_BYTES;
use bytes::{Buf, Bytes};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex, join};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Both ends of a new line: what the client sends with and reads from, and the host's stream.
///
/// The client may send all it has without waiting, as files of exchanges are small.
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

/// What the host reads: each read returns one piece and never two, as if it had been there when the piece
/// came.
struct Pieces {
    pieces: UnboundedReceiver<Bytes>,
    /// What the last reader had no room for.
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
