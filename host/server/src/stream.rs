//! The byte stream of a client over any transport.

use crate::telnet::TelnetStream;
use crate::tls::TlsTerminator;
use connection::handle::TlsInfo;
use connection::task::StartTls;
use socket2::SockRef;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, Join, ReadBuf, Stdin, Stdout};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsStream;

/// A stream of bytes in both directions.
#[derive(Debug)]
pub enum Stream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// TLS over one.
    Tls(Box<TlsStream<TcpStream>>),
    /// Telnet over one.
    Telnet(Box<TelnetStream>),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS over one, which a session has started.
    TlsOverUnix(Box<TlsStream<UnixStream>>),
    /// Standard input and output.
    Stdio(Box<Join<Stdin, Stdout>>),
    /// Shaking hands for TLS, or the handshake has failed.
    Closed,
}

impl Stream {
    /// Makes dropping it send a reset, if the transport has one.
    pub fn reset(&self) {
        if let Some(tcp) = self.tcp() {
            // Zero linger makes closing a reset.
            let _ = SockRef::from(tcp).set_linger(Some(Duration::ZERO));
        }
    }

    /// Disables Nagle's algorithm (RFC 896): what is written here is complete.
    pub fn send_at_once(&self) {
        if let Some(tcp) = self.tcp()
            && let Err(error) = tcp.set_nodelay(true)
        {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
    }

    /// Moves a plain stream to the current runtime, from the one that accepted it.
    pub fn moved_here(self) -> io::Result<Self> {
        Ok(match self {
            Stream::Tcp(tcp) => Stream::Tcp(TcpStream::from_std(tcp.into_std()?)?),
            Stream::Unix(unix) => Stream::Unix(UnixStream::from_std(unix.into_std()?)?),
            Stream::Tls(_)
            | Stream::Telnet(_)
            | Stream::TlsOverUnix(_)
            | Stream::Stdio(_)
            | Stream::Closed => self,
        })
    }

    /// Continues a plain stream under TLS. After an error it is closed.
    async fn start_tls(&mut self, terminator: &TlsTerminator) -> io::Result<TlsInfo> {
        let info;
        (*self, info) = match std::mem::replace(self, Stream::Closed) {
            Stream::Tcp(tcp) => {
                let (stream, info) = terminator.accept(tcp).await?;
                (Stream::Tls(Box::new(stream.into())), info)
            }
            Stream::Unix(unix) => {
                let (stream, info) = terminator.accept(unix).await?;
                (Stream::TlsOverUnix(Box::new(stream.into())), info)
            }
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(info)
    }

    fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Stream::Tcp(tcp) => Some(tcp),
            Stream::Tls(tls) => Some(tls.get_ref().0),
            Stream::Telnet(telnet) => Some(telnet.tcp()),
            Stream::Unix(_) | Stream::TlsOverUnix(_) | Stream::Stdio(_) | Stream::Closed => None,
        }
    }
}

/// Forwards a call to the inner stream.
macro_rules! inside {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Telnet(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Unix(stream) => Pin::new(stream).$method($($argument),*),
            Stream::TlsOverUnix(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Stdio(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    };
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        inside!(self, poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // A plain write would use `sendto`, whose flags the sandbox checks each time.
        let whole = &[IoSlice::new(bytes)];
        match self.get_mut() {
            Stream::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, whole),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Telnet(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, whole),
            Stream::TlsOverUnix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Stdio(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, poll_shutdown(cx))
    }
}

/// What starts TLS on the stream of a client, and how long the handshake may take, if its listener
/// offers that.
pub struct LaterTls<'a>(pub Option<(&'a TlsTerminator, Duration)>);

impl StartTls<Stream> for LaterTls<'_> {
    async fn start_tls(self, stream: &mut Stream) -> io::Result<TlsInfo> {
        let Some((terminator, limit)) = self.0 else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let shaken = timeout(limit, stream.start_tls(terminator)).await;
        shaken.unwrap_or_else(|_| {
            let why = format!("it took longer than {limit:?} (--handshake-timeout)");
            Err(io::Error::other(why))
        })
    }
}
