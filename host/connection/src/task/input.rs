//! Reads into memory that a connection holds only while a message is unfinished.

use crate::limits::READ_BYTES;
use bytes::BytesMut;
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

thread_local! {
    /// The read buffer of a thread. Only one connection reads at a time, and the memory used last
    /// is still in the processor's cache.
    static BUFFER: RefCell<BytesMut> = RefCell::default();
}

/// Reads once, behind what `input` has. Returns 0 at the end of the stream. A connection that waits
/// for the start of a message holds no memory.
pub fn poll_read<S: AsyncRead + Unpin>(
    input: &mut BytesMut,
    stream: &mut S,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if input.is_empty() {
        // Even an empty view would prevent reuse of the thread's buffer.
        *input = BytesMut::new();
        return BUFFER.with_borrow_mut(|buffer| {
            buffer.reserve(READ_BYTES);
            let read = ready!(poll_read_buf(Pin::new(stream), cx, buffer))?;
            *input = buffer.split();
            Poll::Ready(Ok(read))
        });
    }
    // An unfinished message moves to its own memory, where the rest is appended.
    input.reserve(READ_BYTES);
    poll_read_buf(Pin::new(stream), cx, input)
}
