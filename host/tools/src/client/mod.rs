//! The client of `echo-host connect`: connects a terminal or pipe to a server. Must not know the
//! host.

pub mod datagrams;
mod hex;

pub use connection::task::WebSocketStream;

use address::{Endpoint, UnixAddress, WebAddress};
use hex::HexDump;
use server::stream::Stream;
use server::telnet::{Codec, TelnetStream};
use server::tls::{self, Verification};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::{TcpStream, UnixStream};

/// Bytes of one read.
const READ_BYTES: usize = 64 << 10;

/// The TLS settings.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// The name that the server's certificate must be valid for; the host of its address by
    /// default.
    pub server_name: Option<String>,
    /// How the server is verified.
    pub verification: Verification,
}

/// The format of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// The bytes as they arrive.
    Raw,
    /// As a hex dump: offset, bytes, printable characters.
    Hex,
}

/// Connects to the first address of `endpoint` that accepts, with TLS if it has TLS.
pub async fn connect(endpoint: &Endpoint, tls: &TlsOptions) -> io::Result<Stream> {
    let stream = match endpoint {
        Endpoint::Tcp(address)
        | Endpoint::Ws(WebAddress {
            network: address, ..
        }) => Stream::Tcp(address.first(TcpStream::connect).await?),
        Endpoint::Tls(address)
        | Endpoint::Wss(WebAddress {
            network: address, ..
        }) => {
            // A certificate is for an address on any interface (RFC 6874, section 4).
            let host = address.host.split('%').next().unwrap_or_default();
            let name = tls.server_name.as_deref().unwrap_or(host);
            let stream = address.first(TcpStream::connect).await?;
            let stream = tls::connect(stream, name, &tls.verification).await?;
            Stream::Tls(Box::new(stream.into()))
        }
        Endpoint::Telnet(address) => {
            let stream = address.first(TcpStream::connect).await?;
            Stream::Telnet(Box::new(TelnetStream::new(stream, Codec::client())))
        }
        Endpoint::Unix(UnixAddress::Path(path)) => Stream::Unix(UnixStream::connect(path).await?),
        Endpoint::Unix(UnixAddress::Abstract(name)) => {
            Stream::Unix(UnixStream::connect(format!("\0{name}")).await?)
        }
        Endpoint::Udp(_) | Endpoint::Stdio => return Err(io::ErrorKind::Unsupported.into()),
    };
    // Typed lines are small: joining them only delays.
    stream.send_at_once();
    Ok(stream)
}

/// Sends `input` and shows replies on `output` as they arrive. At the end of the input, shuts down
/// sending and shows the remaining replies. Returns when the server closes.
///
/// Errors of the output are returned unchanged, so that the caller can tell a closed pipe from a
/// lost connection: connection errors have kinds of sockets.
pub async fn converse<S, I, O>(
    stream: S,
    mut input: I,
    mut output: O,
    display: Display,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite,
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = split(stream);
    let send = async {
        // Flushes whenever the input has no more bytes: a line goes out when it is typed.
        let sent = copy(&mut input, &mut writer).await;
        // A server that stopped reading may still send: the receiver decides.
        if sent.is_ok() {
            let _ = writer.shutdown().await;
        }
        std::future::pending::<()>().await;
    };
    let receive = async {
        let mut dump = HexDump::default();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = reader.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            let received = &buffer[..read];
            match display {
                Display::Raw => output.write_all(received).await?,
                Display::Hex => output.write_all(dump.rows(received).as_bytes()).await?,
            }
            output.flush().await?;
        }
    };
    tokio::select! {
        result = receive => result,
        () = send => Ok(()),
    }
}
