//! Listening sockets: binding them, and accepting without ever giving up.

mod stdio;
mod tcp;
#[cfg(test)]
mod tests;
mod unix;

pub use stdio::standard_error_is_the_clients;
pub use unix::{InvalidOwner, Owner, UnixAccess};

use crate::address::{Endpoint, UnixAddress};
use crate::stream::Stream;
use crate::unix_socket::{PlaceError, SocketFile};
use socket2::{Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};

/// The first and the longest wait after accepting failed for want of a resource.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A socket that clients can connect to, or the one client on standard input and output.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<ListeningSocket>,
    endpoint: Endpoint,
}

/// Leads to a [`Listener`] and does not keep it open.
#[derive(Clone, Debug)]
pub struct ListenerHandle {
    socket: Weak<ListeningSocket>,
    endpoint: Endpoint,
}

#[derive(Debug)]
enum ListeningSocket {
    Tcp(TcpListener),
    Unix(unix::Bound),
    /// Whether its client was accepted.
    Stdio(AtomicBool),
}

/// A client, before anything is known of it but its address.
#[derive(Debug)]
pub struct Accepted {
    /// Its bytes.
    pub stream: Stream,
    /// Where it comes from, if there is a network between.
    pub client: Option<SocketAddr>,
}

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {endpoint}: {}", reason(cause))]
pub struct BindError {
    /// What was asked for.
    pub endpoint: Endpoint,
    /// What stands in the way.
    pub cause: PlaceError,
}

/// Why a socket of another process's cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error("what was passed on is no listening TCP or Unix socket")]
    Unfit,
    #[error("cannot serve a socket that was passed on: {0}")]
    Io(#[from] io::Error),
}

fn reason(cause: &PlaceError) -> String {
    let PlaceError::Io(error) = cause else {
        return cause.to_string();
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is taken by another socket; choose another with --listen, or port 0 for any free one".into()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports below 1024 usually need a privilege".into()
        }
        _ => cause.to_string(),
    }
}

impl Listener {
    /// Binds a TCP or Unix endpoint, or takes standard input and output. Who may connect to a Unix socket is
    /// said by `access`. Must be called within a tokio runtime.
    pub fn bind(endpoint: &Endpoint, access: UnixAccess) -> Result<Self, BindError> {
        bind(endpoint, access).map_err(|cause| BindError {
            endpoint: endpoint.clone(),
            cause,
        })
    }

    /// Serves a socket that listens already, and that other processes may accept from too. Its backlog and its
    /// options stay as they were set. Must be called within a tokio runtime.
    pub fn adopt(socket: OwnedFd) -> Result<Self, AdoptError> {
        let socket = Socket::from(socket);
        if socket.r#type()? != Type::STREAM || !listens(&socket)? {
            return Err(AdoptError::Unfit);
        }
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let (endpoint, socket) = if let Some(address) = address.as_socket() {
            let socket = TcpListener::from_std(socket.into())?;
            (Endpoint::Tcp(address.into()), ListeningSocket::Tcp(socket))
        } else if address.is_unix() {
            let name = match (address.as_pathname(), address.as_abstract_namespace()) {
                (Some(path), _) => UnixAddress::Path(path.to_owned()),
                (None, Some(name)) => {
                    UnixAddress::Abstract(String::from_utf8_lossy(name).into_owned())
                }
                (None, None) => return Err(AdoptError::Unfit),
            };
            let listener = UnixListener::from_std(OwnedFd::from(socket).into())?;
            let bound = unix::Bound {
                listener,
                file: None,
            };
            (Endpoint::Unix(name), ListeningSocket::Unix(bound))
        } else {
            return Err(AdoptError::Unfit);
        };
        Ok(Listener {
            socket: Arc::new(socket),
            endpoint,
        })
    }

    /// Serves the socket of a host that is being replaced, which had it for `endpoint`: with TLS if that says
    /// so, and the file is this process's to remove if it has one.
    pub fn take_over(socket: OwnedFd, endpoint: &Endpoint) -> Result<Self, AdoptError> {
        let mut listener = match endpoint {
            Endpoint::Tls(_) => Listener::adopt(socket)?.with_tls(),
            _ => Listener::adopt(socket)?,
        };
        if let Endpoint::Unix(UnixAddress::Path(path)) = &listener.endpoint {
            let metadata = std::fs::symlink_metadata(path)?;
            let file = SocketFile::new(path.clone(), &metadata);
            listener.own(Some(Arc::new(file)));
        }
        Ok(listener)
    }

    /// Removes the file when it is closed, unless others own it too.
    fn own(&mut self, file: Option<Arc<SocketFile>>) {
        if let Some(ListeningSocket::Unix(unix)) = Arc::get_mut(&mut self.socket) {
            unix.file = file;
        }
    }

    /// The same, with TLS on what would be plain TCP.
    #[must_use]
    pub fn with_tls(self) -> Self {
        let endpoint = match self.endpoint {
            Endpoint::Tcp(address) => Endpoint::Tls(address),
            other => other,
        };
        Listener { endpoint, ..self }
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

    /// The next client, unless the last one was the last. Errors are logged and outlived: one that concerns a
    /// single connection is skipped, and a lack of descriptors or memory is waited out.
    pub async fn accept(&self) -> Option<Accepted> {
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

impl ListeningSocket {
    async fn accept(&self) -> io::Result<Option<Accepted>> {
        let (stream, client) = match self {
            ListeningSocket::Tcp(listener) => {
                let (stream, client) = listener.accept().await?;
                (Stream::Tcp(stream), Some(client))
            }
            ListeningSocket::Unix(unix) => {
                let (stream, _) = unix.listener.accept().await?;
                (Stream::Unix(stream), None)
            }
            ListeningSocket::Stdio(accepted) => {
                if accepted.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                let stream = stdio::stream()?;
                accepted.store(true, Ordering::Relaxed);
                stream
            }
        };
        Ok(Some(Accepted { stream, client }))
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            ListeningSocket::Tcp(listener) => Some(listener.as_fd()),
            ListeningSocket::Unix(unix) => Some(unix.listener.as_fd()),
            ListeningSocket::Stdio(_) => None,
        }
    }

    fn file(&self) -> Option<&Arc<SocketFile>> {
        match self {
            ListeningSocket::Unix(unix) => unix.file.as_ref(),
            ListeningSocket::Tcp(_) | ListeningSocket::Stdio(_) => None,
        }
    }
}

impl ListenerHandle {
    /// Where clients connect to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The socket, for another process to [adopt](Listener::adopt). `NotConnected` if the listener is closed,
    /// and `Unsupported` if it is no socket.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        let Some(socket) = self.socket.upgrade() else {
            let why = "the host is stopping";
            return Err(io::Error::new(io::ErrorKind::NotConnected, why));
        };
        match socket.descriptor() {
            Some(descriptor) => descriptor.try_clone_to_owned(),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The same socket for another listener of this process, which is to be called `endpoint`.
    pub fn again(&self, endpoint: &Endpoint) -> io::Result<Listener> {
        let listener = Listener::adopt(self.duplicate()?).map_err(io::Error::other)?;
        let mut listener = match endpoint {
            Endpoint::Tls(_) => listener.with_tls(),
            _ => listener,
        };
        let file = self
            .socket
            .upgrade()
            .and_then(|socket| socket.file().cloned());
        listener.own(file);
        Ok(listener)
    }

    /// Leaves the file of a Unix socket to another process, which listens on it too.
    pub fn give_up(&self) {
        if let Some(socket) = self.socket.upgrade()
            && let Some(file) = socket.file()
        {
            file.given_up().store(true, Ordering::Release);
        }
    }
}

fn bind(endpoint: &Endpoint, access: UnixAccess) -> Result<Listener, PlaceError> {
    let (endpoint, socket) = match endpoint {
        Endpoint::Tcp(address) => {
            let socket = tcp::bind(address)?;
            let address = socket.local_addr()?.into();
            (Endpoint::Tcp(address), ListeningSocket::Tcp(socket))
        }
        Endpoint::Tls(address) => {
            let socket = tcp::bind(address)?;
            let address = socket.local_addr()?.into();
            (Endpoint::Tls(address), ListeningSocket::Tcp(socket))
        }
        Endpoint::Unix(address) => {
            let bound = unix::bind(address, access)?;
            (endpoint.clone(), ListeningSocket::Unix(bound))
        }
        Endpoint::Stdio => (
            Endpoint::Stdio,
            ListeningSocket::Stdio(AtomicBool::new(false)),
        ),
        Endpoint::Udp(_) => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
    };
    Ok(Listener {
        socket: Arc::new(socket),
        endpoint,
    })
}

/// Apple's kernels do not tell; there, accepting fails later.
fn listens(socket: &Socket) -> io::Result<bool> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::sockopt::socket_acceptconn(socket)?);
    #[cfg(target_vendor = "apple")]
    return Ok(socket.peer_addr().is_err());
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
