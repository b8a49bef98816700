//! TCP sockets.

use super::options::{SocketOptions, set_peer_timeout};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;

/// Binds a socket. IPv6 sockets serve IPv6 only, so that `0.0.0.0` and `[::]` can coexist.
pub fn bind(address: SocketAddr, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted host must not wait for connections in TIME_WAIT. On Windows this option means
    // something else and is not needed.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // Before a client can connect.
    set_peer_timeout(&socket, options.peer_timeout)?;
    options.listen(&socket)?;
    Ok(socket)
}
