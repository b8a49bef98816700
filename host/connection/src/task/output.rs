//! The writing half of a connection.

use crate::outbox::Outbox;
use bytes::{Buf, BytesMut};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// What was sent and is not written yet.
pub struct Output {
    pub bytes: BytesMut,
    /// Whether what was written has left the stream's own buffers (TLS has some).
    flushed: bool,
    outbox: Arc<Outbox>,
}

impl Output {
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Output {
            bytes: BytesMut::new(),
            flushed: true,
            outbox,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_written(&self) -> bool {
        self.bytes.is_empty() && self.flushed
    }

    /// Writes as much as the stream takes. Ready when all is written and flushed; the flag tells
    /// whether anything was done.
    pub fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> (bool, Poll<io::Result<()>>) {
        let mut moved = false;
        while !self.is_written() {
            match self.poll_write_once(stream, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) => return (moved, Poll::Ready(Err(error))),
                Poll::Pending => return (moved, Poll::Pending),
            }
        }
        (moved, Poll::Ready(Ok(())))
    }

    fn poll_write_once<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = Pin::new(stream);
        if self.bytes.is_empty() {
            ready!(stream.poll_flush(cx))?;
            self.flushed = true;
            return Poll::Ready(Ok(()));
        }
        let written = ready!(stream.poll_write(cx, &self.bytes))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.bytes.advance(written);
        if self.bytes.is_empty() {
            // The next reply brings its own memory, and a connection that waits holds none.
            self.bytes = BytesMut::new();
        }
        self.flushed = false;
        self.outbox.written(written);
        Poll::Ready(Ok(()))
    }
}
