//! Listening sockets: binding them, and accepting without ever giving up.

use crate::address::Endpoint;
use crate::limits::LISTEN_BACKLOG;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The first and the longest wait after accepting failed for want of a resource.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A socket that clients can connect to.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    endpoint: Endpoint,
}

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {endpoint}: {}", reason(cause))]
pub struct BindError {
    /// What was asked for.
    pub endpoint: Endpoint,
    /// What the kernel or the resolver said.
    pub cause: io::Error,
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is taken by another socket; choose another with --listen, or port 0 for any free one".into()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports below 1024 usually need a privilege".into()
        }
        _ => error.to_string(),
    }
}

impl Listener {
    /// Binds the first address of `endpoint` that can be bound. Must be called within a tokio runtime.
    ///
    /// IPv6 sockets serve IPv6 only, so that `0.0.0.0` and `[::]` can be listened on side by side.
    pub fn bind(endpoint: &Endpoint) -> Result<Self, BindError> {
        let fail = |cause| BindError {
            endpoint: endpoint.clone(),
            cause,
        };
        let mut last = None;
        for address in endpoint.resolve().map_err(fail)? {
            match bind(address) {
                Ok(socket) => {
                    let endpoint = socket.local_addr().map_err(fail)?.into();
                    return Ok(Listener { socket, endpoint });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(fail(last.unwrap_or_else(|| io::ErrorKind::NotFound.into())))
    }

    /// Where clients connect to: the address as it was bound, with the port the kernel chose.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next client. Errors are logged and outlived: one that concerns a single connection is
    /// skipped, and a lack of descriptors or memory is waited out.
    pub async fn accept(&self) -> (TcpStream, SocketAddr) {
        let mut wait = BACK_OFF.0;
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if concerns_one_connection(&error) => {
                    tracing::debug!(listener = %self.endpoint, "a client left before it was accepted: {error}");
                }
                Err(error) => {
                    tracing::warn!(listener = %self.endpoint, "cannot accept, waiting {wait:?}: {error}");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(BACK_OFF.1);
                }
            }
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
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
    socket.listen(LISTEN_BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
