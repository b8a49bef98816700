//! The reading half of a connection.

use crate::limits::READ_BYTES;
use bytes::BytesMut;
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

thread_local! {
    /// What the connections of a thread read into. Only one of them reads at a time, and the memory that
    /// the last one used is still in the processor's cache.
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// What was read and is no message yet: at most one unfinished message and one read.
///
/// A connection that waits for a message to begin holds no memory for it.
#[derive(Default)]
pub struct Input {
    pub bytes: BytesMut,
}

impl Input {
    /// Reads once. The number of bytes is 0 at the end of the stream.
    pub fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.bytes.is_empty() {
            // Even an empty view would keep the thread's buffer from being used again.
            self.bytes = BytesMut::new();
            return BUFFER.with_borrow_mut(|buffer| {
                buffer.reserve(READ_BYTES);
                let read = ready!(poll_read_buf(Pin::new(stream), cx, buffer))?;
                self.bytes = buffer.split();
                Poll::Ready(Ok(read))
            });
        }
        // An unfinished message moves to memory of its own, where the rest of it is added.
        self.bytes.reserve(READ_BYTES);
        poll_read_buf(Pin::new(stream), cx, &mut self.bytes)
    }
}
