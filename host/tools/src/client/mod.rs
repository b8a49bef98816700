//! The client: a conversation between a terminal or pipe and a server.

pub mod datagrams;
mod hex;

use connection::address::{Endpoint, UnixAddress};
use hex::HexDump;
use server::stream::Stream;
use server::tls::{self, Verification};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::{TcpStream, UnixStream};

/// Bytes asked of the server in one read.
const READ_BYTES: usize = 64 << 10;

/// What matters where the server speaks TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// Whom the server's certificate must be for; the host of its address if nothing is said.
    pub server_name: Option<String>,
    /// How that is verified.
    pub verification: Verification,
}

/// How replies are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// Byte for byte as they arrive.
    Raw,
    /// As a hex dump: offset, bytes, printable characters.
    Hex,
}

/// Connects to the first address of `endpoint` that answers, and verifies it if it speaks TLS.
pub async fn connect(endpoint: &Endpoint, tls: &TlsOptions) -> io::Result<Stream> {
    let stream = match endpoint {
        Endpoint::Tcp(address) => Stream::Tcp(address.first(TcpStream::connect).await?),
        Endpoint::Tls(address) => {
            // A certificate is for an address on whatever interface (RFC 6874, section 4).
            let host = address.host.split('%').next().unwrap_or_default();
            let name = tls.server_name.as_deref().unwrap_or(host);
            let stream = address.first(TcpStream::connect).await?;
            let stream = tls::connect(stream, name, &tls.verification).await?;
            Stream::Tls(Box::new(stream.into()))
        }
        Endpoint::Unix(UnixAddress::Path(path)) => Stream::Unix(UnixStream::connect(path).await?),
        Endpoint::Unix(UnixAddress::Abstract(name)) => {
            Stream::Unix(UnixStream::connect(format!("\0{name}")).await?)
        }
        Endpoint::Udp(_) | Endpoint::Stdio => return Err(io::ErrorKind::Unsupported.into()),
    };
    // Typed lines are small: waiting to join them only delays.
    stream.send_at_once();
    Ok(stream)
}

/// Sends `input` and shows what comes back on `output` as it arrives, both at once. When the input
/// ends the server is told so, and what it still answers is shown. Returns when the server is done.
///
/// An error of the output is returned as it is, for the caller to tell a closed pipe from a lost
/// connection: errors of the connection are of the kinds that sockets have.
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
        // Flushes whenever the input has nothing more at the moment: a line goes out when it is typed.
        let sent = copy(&mut input, &mut writer).await;
        // A server that is done reading may still be talking: its side of the story is the receiver's.
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
