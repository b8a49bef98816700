//! Standard input and output as a client, as under inetd.

use crate::stream::Stream;
use rustix::fs::fstat;
use socket2::{SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use tokio::io::{join, stdin, stdout};
use tokio::net::{TcpStream, UnixStream};

/// The client and its address, if any: inetd, socat and systemd pass a socket, shells and ssh pass
/// pipes. Must be called in a tokio runtime.
pub fn stream() -> io::Result<(Stream, Option<SocketAddr>)> {
    let (input, output) = (io::stdin(), io::stdout());
    let peer = SockRef::from(&input).peer_addr().ok();
    let (Some(peer), true) = (peer, is_same(&input, &output)?) else {
        return Ok((Stream::Stdio(Box::new(join(stdin(), stdout()))), None));
    };
    let socket = Socket::from(input.as_fd().try_clone_to_owned()?);
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

/// Checks that standard input, if it is a socket, is a client's.
pub fn check() -> io::Result<()> {
    let input = io::stdin();
    let socket = SockRef::from(&input);
    let why = match socket.r#type() {
        // It is another kind of file.
        Err(_) => return Ok(()),
        Ok(Type::STREAM) if !socket.is_listener().unwrap_or(false) => return Ok(()),
        Ok(Type::STREAM) => {
            "standard input is a listening socket, not a client; hint: let inetd accept \
             (`nowait`, or Accept=yes in systemd), or let systemd pass the socket"
        }
        Ok(_) => {
            "standard input is a UDP socket, not a client; hint: let systemd pass the socket, or \
             use --listen udp://ADDR:PORT"
        }
    };
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// Whether standard error goes to the client too, as under inetd.
pub fn standard_error_is_the_clients() -> bool {
    let (input, error) = (io::stdin(), io::stderr());
    SockRef::from(&input).peer_addr().is_ok() && is_same(&input, &error).unwrap_or(false)
}

/// Whether two descriptors refer to the same file.
fn is_same(one: impl AsFd, other: impl AsFd) -> io::Result<bool> {
    let (one, other) = (fstat(one)?, fstat(other)?);
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}
