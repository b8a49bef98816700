//! What a listening socket is told, whoever may connect to it.

use connection::limits::LISTEN_BACKLOG;
use socket2::{SockRef, Socket, TcpKeepalive};
use std::io;
use std::time::Duration;

/// The kernel counts its questions' pauses in whole seconds.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How a socket listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOptions {
    /// A TCP connection whose other side has acknowledged nothing for so long is closed; `None` for never.
    pub peer_timeout: Option<Duration>,
    /// Clients that may wait in the kernel until they are accepted.
    pub backlog: usize,
    /// Whether a socket that listens already gets this backlog as well.
    pub changes_backlog: bool,
}

/// Of the host's own listeners, such as that of the metrics.
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
    /// Has a bound socket listen. On one that listens already, this changes the backlog.
    pub(super) fn listen(&self, socket: &Socket) -> io::Result<()> {
        socket.listen(self.backlog.try_into().unwrap_or(i32::MAX))
    }

    /// Changes a socket that listens already.
    pub(super) fn change(&self, socket: SockRef<'_>) -> io::Result<()> {
        if self.changes_backlog {
            self.listen(&socket)?;
        }
        if socket.local_addr()?.is_unix() {
            Ok(())
        } else {
            set_peer_timeout(&socket, self.peer_timeout)
        }
    }
}

/// Closes the connections that are accepted from now on when the other side has acknowledged nothing for so long: after
/// half of the time the kernel begins to ask (RFC 9293, section 3.8.4), and what is sent may not stay unacknowledged
/// for longer either (RFC 5482). Connections have it from the socket that they were accepted from.
pub(super) fn set_peer_timeout(socket: &Socket, limit: Option<Duration>) -> io::Result<()> {
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
