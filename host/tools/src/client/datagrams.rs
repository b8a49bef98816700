//! The client over UDP: each input line is a datagram, and so is each reply.

use super::Display;
use super::hex::HexDump;
use address::NetworkAddress;
use connection::limits::{DATAGRAM_SLOT_BYTES, MAX_DATAGRAM_BYTES_IPV4};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// A socket connected to the first address of the server that this machine can route to. Whether
/// anyone receives there shows later.
pub async fn connect(address: &NetworkAddress) -> io::Result<UdpSocket> {
    address.first(connect_to).await
}

/// A socket connected to this address.
pub async fn connect_to(address: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    Ok(socket)
}

/// Sends each line of `input` with its ending as a datagram, and shows replies on `output` as they
/// arrive. Returns when the input has ended and nothing has arrived for `wait`.
///
/// Fails with `ConnectionRefused` if the other machine reports that nobody receives there.
pub async fn exchange<I, O>(
    socket: &UdpSocket,
    input: I,
    mut output: O,
    display: Display,
    wait: Duration,
) -> io::Result<()>
where
    I: AsyncRead + Unpin,
    O: AsyncWrite + Unpin,
{
    let mut sending = pin!(send_lines(socket, input));
    let mut all_sent = false;
    let mut buffer = vec![0; DATAGRAM_SLOT_BYTES];
    loop {
        tokio::select! {
            sent = &mut sending, if !all_sent => {
                sent?;
                all_sent = true;
            }
            received = socket.recv(&mut buffer) => {
                let received = &buffer[..received?];
                match display {
                    Display::Raw => output.write_all(received).await?,
                    // Offsets start at 0 in each datagram.
                    Display::Hex => output.write_all(HexDump::default().rows(received).as_bytes()).await?,
                }
                output.flush().await?;
            }
            () = sleep(wait), if all_sent => return Ok(()),
        }
    }
}

async fn send_lines(socket: &UdpSocket, input: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut input).take(MAX_DATAGRAM_BYTES_IPV4 as u64 + 1);
        if bounded.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if line.len() > MAX_DATAGRAM_BYTES_IPV4 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "a line is longer than a datagram can carry ({MAX_DATAGRAM_BYTES_IPV4} bytes)"
                ),
            ));
        }
        socket.send(&line).await?;
    }
}
