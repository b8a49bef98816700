//! Standard input and output that are a connection, and the count of how long a program has computed
//! without touching them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// Epoch ticks that a guest has computed since it last moved a byte.
#[derive(Clone, Debug, Default)]
pub struct BusyTicks(Arc<AtomicU32>);

impl BusyTicks {
    /// Counts one more and returns how many there are.
    pub fn count_one(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A program's end of its pipe to the connection.
pub struct Stdio {
    pub pipe: DuplexStream,
    pub busy: BusyTicks,
}

impl AsyncRead for Stdio {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.pipe).poll_read(cx, buffer);
        if read.is_ready() {
            self.busy.forget();
        }
        read
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.pipe).poll_write(cx, bytes);
        if written.is_ready() {
            self.busy.forget();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}
