//! The writing half of a connection.

use crate::handle::ConnectionHandle;
use bytes::{Buf, BytesMut};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Bytes that are not written to the stream yet.
pub struct Output {
    pub bytes: BytesMut,
    /// Whether the stream's own buffers (TLS has some) are flushed.
    flushed: bool,
    handle: Arc<ConnectionHandle>,
}

impl Output {
    pub fn new(handle: Arc<ConnectionHandle>) -> Self {
        Output {
            bytes: BytesMut::new(),
            flushed: true,
            handle,
        }
    }

    /// Whether everything is written and flushed.
    pub fn is_written(&self) -> bool {
        self.bytes.is_empty() && self.flushed
    }

    /// Writes as much as the stream takes. Ready when all is written and flushed; the flag says
    /// whether it did anything.
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
            // The next reply brings its own memory, so an idle connection holds none.
            self.bytes = BytesMut::new();
        }
        self.flushed = false;
        self.handle.written(written);
        Poll::Ready(Ok(()))
    }
}
