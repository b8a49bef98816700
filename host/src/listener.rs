//! Listening sockets: binding them, and accepting without ever giving up.

use crate::address::Endpoint;
use crate::limits::LISTEN_BACKLOG;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The first and the longest wait after accepting failed for want of a resource.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A socket that clients can connect to.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<TcpListener>,
    endpoint: Endpoint,
}

/// Leads to a [`Listener`] and does not keep it open.
#[derive(Clone, Debug)]
pub struct ListenerHandle {
    socket: Weak<TcpListener>,
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

/// Why a socket of another process's cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error("what was passed on is no listening TCP socket")]
    Unfit,
    #[error("cannot serve a socket that was passed on: {0}")]
    Io(#[from] io::Error),
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
                    return Listener::new(socket).map_err(fail);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(fail(last.unwrap_or_else(|| io::ErrorKind::NotFound.into())))
    }

    /// Serves a socket that listens already, and that other processes may accept from too. Its backlog and its
    /// options stay as they were set. Must be called within a tokio runtime.
    pub fn adopt(socket: OwnedFd) -> Result<Self, AdoptError> {
        let socket = Socket::from(socket);
        let is_tcp = socket.r#type()? == Type::STREAM && socket.local_addr()?.as_socket().is_some();
        if !is_tcp || !listens(&socket)? {
            return Err(AdoptError::Unfit);
        }
        socket.set_nonblocking(true)?;
        Ok(Listener::new(TcpListener::from_std(socket.into())?)?)
    }

    fn new(socket: TcpListener) -> io::Result<Self> {
        let endpoint = socket.local_addr()?.into();
        let socket = Arc::new(socket);
        Ok(Listener { socket, endpoint })
    }

    /// For others to duplicate the socket, for as long as it is open.
    pub fn handle(&self) -> ListenerHandle {
        ListenerHandle {
            socket: Arc::downgrade(&self.socket),
            endpoint: self.endpoint.clone(),
        }
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

impl ListenerHandle {
    /// Where clients connect to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The socket, for another process to [adopt](Listener::adopt). `NotConnected` if the listener is closed.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        match self.socket.upgrade() {
            Some(socket) => socket.as_fd().try_clone_to_owned(),
            None => Err(io::Error::new(
                io::ErrorKind::NotConnected,
                "the host is stopping",
            )),
        }
    }
}

/// Apple's kernels do not tell; there, accepting fails later.
fn listens(socket: &Socket) -> io::Result<bool> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::sockopt::socket_acceptconn(socket)?);
    #[cfg(target_vendor = "apple")]
    return Ok(socket.peer_addr().is_err());
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener as StdTcpListener, TcpStream as StdTcpStream, UdpSocket};

    #[tokio::test]
    async fn a_socket_is_accepted_from_by_whoever_has_it() {
        let first = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
        let handle = first.handle();
        let second = Listener::adopt(handle.duplicate().unwrap()).unwrap();
        assert_eq!(first.endpoint(), second.endpoint());
        drop(first);
        assert_eq!(
            handle.duplicate().unwrap_err().kind(),
            io::ErrorKind::NotConnected
        );
        let Endpoint::Tcp { host, port } = second.endpoint().clone();
        let client = StdTcpStream::connect((host, port)).unwrap();
        let (_, peer) = second.accept().await;
        assert_eq!(peer, client.local_addr().unwrap());
    }

    #[tokio::test]
    async fn only_a_listening_tcp_socket_is_adopted() {
        let listener = StdTcpListener::bind("127.0.0.1:0").unwrap();
        let client = StdTcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (stream, _) = std::os::unix::net::UnixStream::pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        assert!(Listener::adopt(listener.into()).is_ok());
        assert!(matches!(
            Listener::adopt(client.into()),
            Err(AdoptError::Unfit)
        ));
        assert!(matches!(
            Listener::adopt(datagrams.into()),
            Err(AdoptError::Unfit)
        ));
        assert!(matches!(
            Listener::adopt(stream.into()),
            Err(AdoptError::Unfit)
        ));
        assert!(matches!(
            Listener::adopt(file.into()),
            Err(AdoptError::Io(_))
        ));
    }
}
