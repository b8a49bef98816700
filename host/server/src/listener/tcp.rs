//! TCP sockets.

use connection::limits::LISTEN_BACKLOG;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The kernel counts its questions' pauses in whole seconds.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// Binds one. IPv6 sockets serve IPv6 only, so that `0.0.0.0` and `[::]` can be listened on side by side.
pub fn bind(address: SocketAddr, peer_timeout: Option<Duration>) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted host must not wait for the last one's connections to time out of TIME_WAIT. On
    // Windows the same option means something else, and is not needed.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // Before anybody can connect.
    set_peer_timeout(SockRef::from(&socket), peer_timeout)?;
    socket.listen(LISTEN_BACKLOG)?;
    Ok(socket)
}

/// Ends the connections that are accepted from now on when the other side has acknowledged nothing for so long: after
/// half of the time the kernel begins to ask (RFC 9293, section 3.8.4), and what is sent may not stay unacknowledged
/// for longer either (RFC 5482). Connections have it from the socket that they were accepted from.
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
