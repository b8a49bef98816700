//! Options of a listening socket.

use connection::limits::LISTEN_BACKLOG;
use socket2::{Socket, TcpKeepalive};
use std::io;
use std::time::Duration;

/// The kernel counts keepalive intervals in whole seconds.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// The socket options of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// TCP keepalive: closes a connection after this long without an acknowledgement; `None` for
    /// never.
    pub peer_timeout: Option<Duration>,
    /// Listen backlog: clients that may wait in the kernel to be accepted.
    pub backlog: usize,
    /// Whether a socket that already listens also gets this backlog.
    pub changes_backlog: bool,
}

/// The options of the host's own listeners, such as the one for metrics.
impl Default for SocketOptions {
    fn default() -> Self {
        SocketOptions {
            peer_timeout: None,
            backlog: LISTEN_BACKLOG as usize,
            changes_backlog: false,
        }
    }
}

impl SocketOptions {
    /// Makes a bound socket listen. On one that already listens, changes the backlog.
    pub(super) fn listen(&self, socket: &Socket) -> io::Result<()> {
        socket.listen(self.backlog.try_into().unwrap_or(i32::MAX))
    }

    /// Changes a socket that already listens.
    pub(super) fn change(&self, socket: &Socket) -> io::Result<()> {
        if self.changes_backlog {
            self.listen(socket)?;
        }
        if socket.local_addr()?.is_unix() {
            Ok(())
        } else {
            set_peer_timeout(socket, self.peer_timeout)
        }
    }
}

/// Closes connections accepted from now on after this long without an acknowledgement. The kernel
/// sends keepalive probes after half of the time (RFC 9293, section 3.8.4), and sent data may stay
/// unacknowledged for the whole time (RFC 5482). Connections inherit this from the listening
/// socket.
pub(super) fn set_peer_timeout(socket: &Socket, limit: Option<Duration>) -> io::Result<()> {
    let Some(limit) = limit else {
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(None)?;
        return socket.set_keepalive(false);
    };
    let keepalive = TcpKeepalive::new()
        .with_time((limit / 2).max(SHORTEST_INTERVAL))
        .with_interval((limit / 10).max(SHORTEST_INTERVAL));
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(limit))?;
    Ok(())
}
