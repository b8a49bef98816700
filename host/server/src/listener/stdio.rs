//! Standard input and output as a client, as under inetd.

use crate::stream::Stream;
use rustix::fs::fstat;
use socket2::{SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use tokio::io::{join, stdin, stdout};
use tokio::net::{TcpStream, UnixStream};

/// The client, and its address if it has one: inetd, socat and systemd pass a socket, shells and ssh pass
/// pipes. Must be called within a tokio runtime.
pub fn stream() -> io::Result<(Stream, Option<SocketAddr>)> {
    let (input, output) = (io::stdin(), io::stdout());
    let peer = SockRef::from(&input).peer_addr().ok();
    let (Some(peer), true) = (peer, is_same(&input, &output)?) else {
        return Ok((Stream::Stdio(Box::new(join(stdin(), stdout()))), None));
    };
    let socket = Socket::from(input.as_fd().try_clone_to_owned()?);
    if socket.r#type()? != Type::STREAM {
        let why = "standard input is a datagram socket: only stream sockets are served there";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    socket.set_nonblocking(true)?;
    let socket = OwnedFd::from(socket);
    Ok(match peer.as_socket() {
        Some(address) => (
            Stream::Tcp(TcpStream::from_std(socket.into())?),
            Some(address),
        ),
        None => (Stream::Unix(UnixStream::from_std(socket.into())?), None),
    })
}

/// Whether standard error is the client's, too, as under inetd: what is written there goes to it.
pub fn standard_error_is_the_clients() -> bool {
    let (input, error) = (io::stdin(), io::stderr());
    SockRef::from(&input).peer_addr().is_ok() && is_same(&input, &error).unwrap_or(false)
}

/// Whether two descriptors lead to the same file.
fn is_same(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}
