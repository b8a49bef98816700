//! TCP sockets.

use connection::limits::LISTEN_BACKLOG;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The kernel's keepalive intervals are whole seconds.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Binds a socket. IPv6 sockets serve IPv6 only, so that `0.0.0.0` and `[::]` can coexist.
pub fn bind(address: SocketAddr, peer_timeout: Option<Duration>) -> io::Result<Socket> {
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
    set_peer_timeout(SockRef::from(&socket), peer_timeout)?;
    socket.listen(LISTEN_BACKLOG)?;
    Ok(socket)
}

/// Sets TCP keepalive for connections accepted from now on, which inherit it from the socket.
/// Probes start after half of `limit` (RFC 9293, section 3.8.4), and sent bytes may stay
/// unacknowledged for `limit` (RFC 5482).
pub fn set_peer_timeout(socket: SockRef<'_>, limit: Option<Duration>) -> io::Result<()> {
    let Some(limit) = limit else {
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(None)?;
        return socket.set_keepalive(false);
    };
    let questions = TcpKeepalive::new()
        .with_time((limit / 2).max(SHORTEST_PAUSE))
        .with_interval((limit / 10).max(SHORTEST_PAUSE));
    socket.set_tcp_keepalive(&questions)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(limit))?;
    Ok(())
}
