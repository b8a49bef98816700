//! A TCP connection with telnet, as a stream of text.

use super::codec::{Codec, End};
use connection::limits::MAX_TELNET_WAITING_BYTES;
use socket2::SockRef;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::io::poll_write_buf;

/// How much text is encoded at once, in bytes.
const WRITE_BYTES: usize = 16 << 10;
/// A TCP connection with telnet.
#[derive(Debug)]
pub struct TelnetStream {
    tcp: TcpStream,
    codec: Codec,
}

impl TelnetStream {
    /// Telnet over a new connection.
    pub fn new(tcp: TcpStream, codec: Codec) -> Self {
        // Clients send a mark after an interrupt as urgent data. Its byte belongs to a command.
        if let Err(error) = SockRef::from(&tcp).set_out_of_band_inline(true) {
            tracing::debug!("cannot set SO_OOBINLINE: {error}");
        }
        TelnetStream { tcp, codec }
    }

    /// The connection below.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// Writes what waits.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let output = &mut self.codec.output;
        while !output.is_empty() {
            let tcp = Pin::new(&mut self.tcp);
            if ready!(poll_write_buf(tcp, cx, output))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        // An idle connection holds no memory for it.
        *output = Default::default();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for TelnetStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        // Also registers interest: whoever reads may have nothing to write.
        let drained = this.poll_drain(cx)?;
        match this.codec.end() {
            Some(End::File) => return Poll::Ready(Ok(())),
            Some(End::Interrupted) => {
                let why = "interrupted by the telnet client";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, why)));
            }
            None => {}
        }
        if drained.is_pending() && this.codec.output.len() > MAX_TELNET_WAITING_BYTES {
            return Poll::Pending;
        }
        ready!(Pin::new(&mut this.tcp).poll_read(cx, buffer))?;
        if buffer.filled().len() > before && buffer.remaining() > 0 {
            // A read ends at urgent data. What is queued behind it causes no event of its own.
            let socket = SockRef::from(&this.tcp);
            let behind = (&*socket).read(buffer.initialize_unfilled());
            // An end or an error shows at the next read.
            buffer.advance(behind.unwrap_or(0));
        }
        let came = &mut buffer.filled_mut()[before..];
        if came.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let decoded = this.codec.decode(came);
        let text = decoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        buffer.set_filled(before + text);
        if text == 0 {
            // Commands only: whoever reads counts them before there are more.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // Errors show at the next read or write.
        let _ = this.poll_drain(cx);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TelnetStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        text: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        let taken = text.len().min(WRITE_BYTES);
        this.codec.encode(&text[..taken]);
        // What cannot be written now is written by the next call.
        let _ = this.poll_drain(cx)?;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.codec.finish();
        ready!(this.poll_drain(cx))?;
        Pin::new(&mut this.tcp).poll_shutdown(cx)
    }
}
