//! Listening sockets: bind and accept. Accept errors never end a listener. Must not know who is
//! served or how.

mod options;
mod passing;
mod stdio;
mod tcp;
#[cfg(test)]
mod tests;
mod unix;

pub use options::SocketOptions;
pub use passing::AdoptError;
pub use stdio::standard_error_is_the_clients;
pub use unix::{InvalidOwner, Owner, UnixAccess};

use crate::datagram::DatagramSocket;
use crate::registration::Registered;
use crate::stream::Stream;
use connection::address::{Endpoint, NetworkAddress};
use connection::limits::{ACCEPT_BACK_OFF, Limit};
use socket2::{SockRef, Socket};
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use system::unix_socket::{SocketFile, SocketFileError};
use tokio::net::TcpListener;

/// A listening socket, or the one client on standard input and output.
#[derive(Debug)]
pub struct Listener {
    socket: Arc<ListeningSocket>,
    endpoint: Endpoint,
}

/// A weak handle of a [`Listener`].
#[derive(Clone, Debug)]
pub struct ListenerHandle {
    socket: Weak<ListeningSocket>,
    endpoint: Endpoint,
}

#[derive(Debug)]
enum ListeningSocket {
    Tcp(Registered<TcpListener>),
    Unix(unix::Bound),
    /// Sessions keep it while they may still reply.
    Udp(Arc<DatagramSocket>),
    /// Whether its client was accepted.
    Stdio(AtomicBool),
}

/// An accepted client, before TLS and access checks.
#[derive(Debug)]
pub struct Accepted {
    /// The byte stream.
    pub stream: Stream,
    /// The client's address, if it has one.
    pub client: Option<SocketAddr>,
}

/// Why an endpoint cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {endpoint}: {}", reason(endpoint, cause))]
pub struct BindError {
    /// The requested endpoint.
    pub endpoint: Endpoint,
    /// The reason.
    pub cause: SocketFileError,
}

fn reason(endpoint: &Endpoint, cause: &SocketFileError) -> String {
    let error = match (cause, endpoint) {
        (SocketFileError::Io(error), Endpoint::Tcp(_) | Endpoint::Tls(_) | Endpoint::Udp(_)) => {
            error
        }
        _ => return cause.to_string(),
    };
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "address already in use; hint: another process is listening there; use another port, \
             or port 0 to let the system choose one"
                .into()
        }
        io::ErrorKind::AddrNotAvailable => match error.raw_os_error() {
            Some(_) => "this machine does not have this address".into(),
            // Our own error names the missing interface.
            None => error.to_string(),
        },
        io::ErrorKind::PermissionDenied => {
            "permission denied; hint: ports below 1024 need a privilege, which a host with --user \
             has only at its start"
                .into()
        }
        _ => error.to_string(),
    }
}

impl Listener {
    /// Binds an endpoint, or takes standard input and output. `access` sets who may connect to a
    /// Unix socket.
    pub fn bind(
        endpoint: &Endpoint,
        access: UnixAccess,
        options: &SocketOptions,
    ) -> Result<Self, BindError> {
        bind(endpoint, access, options).map_err(|cause| BindError {
            endpoint: endpoint.clone(),
            cause,
        })
    }

    fn new(endpoint: Endpoint, socket: ListeningSocket) -> Self {
        let socket = Arc::new(socket);
        Listener { socket, endpoint }
    }

    fn tcp(socket: Socket) -> io::Result<Self> {
        let address = socket.local_addr()?.as_socket();
        let endpoint = Endpoint::Tcp(address.ok_or(io::ErrorKind::Unsupported)?.into());
        let socket = Registered::new(socket, |socket| TcpListener::from_std(socket.into()));
        Ok(Listener::new(endpoint, ListeningSocket::Tcp(socket)))
    }

    fn udp(socket: DatagramSocket) -> Self {
        let endpoint = Endpoint::Udp(socket.local_address().into());
        Listener::new(endpoint, ListeningSocket::Udp(Arc::new(socket)))
    }

    /// Registers the socket with the current runtime. Otherwise this happens on first use.
    pub fn register(&self) -> io::Result<()> {
        match &*self.socket {
            ListeningSocket::Tcp(listener) => listener.get().map(drop),
            ListeningSocket::Unix(unix) => unix.listener.get().map(drop),
            ListeningSocket::Udp(socket) => socket.register(),
            ListeningSocket::Stdio(_) => Ok(()),
        }
    }

    /// The socket, if it receives datagrams.
    pub fn datagrams(&self) -> Option<&Arc<DatagramSocket>> {
        match &*self.socket {
            ListeningSocket::Udp(socket) => Some(socket),
            _ => None,
        }
    }

    /// Sets mode and owner of a Unix socket with a path.
    pub fn set_access(&self, access: UnixAccess) -> io::Result<()> {
        match self.socket.file() {
            Some(file) => unix::set_access(file, access),
            None => Ok(()),
        }
    }

    /// Checks that [`Listener::set_access`] would succeed.
    pub fn check_access(&self, access: UnixAccess) -> Result<(), BindError> {
        let checked = match self.socket.file() {
            Some(file) => unix::check_access(file, access),
            None => Ok(()),
        };
        checked.map_err(|cause| BindError {
            endpoint: self.endpoint.clone(),
            cause: cause.into(),
        })
    }

    /// Changes the options of the listening socket, if it is one.
    pub fn set_options(&self, options: &SocketOptions) -> io::Result<()> {
        match &*self.socket {
            ListeningSocket::Tcp(listener) => options.change(SockRef::from(listener)),
            ListeningSocket::Unix(unix) => options.change(SockRef::from(&unix.listener)),
            ListeningSocket::Udp(_) | ListeningSocket::Stdio(_) => Ok(()),
        }
    }

    /// A handle to duplicate the socket while it is open.
    pub fn handle(&self) -> ListenerHandle {
        ListenerHandle {
            socket: Arc::downgrade(&self.socket),
            endpoint: self.endpoint.clone(),
        }
    }

    /// The bound address, with the port that the kernel chose.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether it serves exactly one client.
    pub fn is_for_one(&self) -> bool {
        matches!(*self.socket, ListeningSocket::Stdio(_))
    }

    /// The next client, or `None` after the last one. Errors are logged and survived: one about a
    /// single connection is skipped, and a lack of descriptors or memory is waited out. Never
    /// completes for [datagrams](Listener::datagrams).
    pub async fn accept(&self) -> Option<Accepted> {
        let mut wait = ACCEPT_BACK_OFF.0;
        loop {
            match self.socket.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if concerns_one_connection(&error) => {
                    tracing::debug!(listener = %self.endpoint, "a client disconnected before it was accepted: {error}");
                }
                Err(error) => {
                    Limit::AcceptBackOff.reached();
                    tracing::warn!(listener = %self.endpoint, "cannot accept, waiting {wait:?}: {error}");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(ACCEPT_BACK_OFF.1);
                }
            }
        }
    }
}

impl ListeningSocket {
    async fn accept(&self) -> io::Result<Option<Accepted>> {
        let (stream, client) = match self {
            ListeningSocket::Tcp(listener) => {
                let (stream, client) = listener.get()?.accept().await?;
                (Stream::Tcp(stream), Some(client))
            }
            ListeningSocket::Unix(unix) => {
                let (stream, _) = unix.listener.get()?.accept().await?;
                (Stream::Unix(stream), None)
            }
            ListeningSocket::Udp(_) => return pending().await,
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
            ListeningSocket::Udp(socket) => Some(socket.as_fd()),
            ListeningSocket::Stdio(_) => None,
        }
    }

    fn file(&self) -> Option<&Arc<SocketFile>> {
        match self {
            ListeningSocket::Unix(unix) => unix.file.as_ref(),
            ListeningSocket::Tcp(_) | ListeningSocket::Udp(_) | ListeningSocket::Stdio(_) => None,
        }
    }
}

fn bind(
    endpoint: &Endpoint,
    access: UnixAccess,
    options: &SocketOptions,
) -> Result<Listener, SocketFileError> {
    let bind_tcp = |address| tcp::bind(address, options);
    Ok(match endpoint {
        Endpoint::Tcp(address) => Listener::tcp(bind_first(address, bind_tcp)?)?,
        Endpoint::Tls(address) => Listener::tcp(bind_first(address, bind_tcp)?)?.with_tls(),
        Endpoint::Udp(address) => Listener::udp(bind_first(address, DatagramSocket::bind)?),
        Endpoint::Unix(address) => {
            let bound = unix::bind(address, access, options)?;
            Listener::new(endpoint.clone(), ListeningSocket::Unix(bound))
        }
        Endpoint::Stdio => {
            let accepted = AtomicBool::new(false);
            Listener::new(Endpoint::Stdio, ListeningSocket::Stdio(accepted))
        }
    })
}

/// Binds the first address that works.
fn bind_first<S>(
    address: &NetworkAddress,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in address.resolve()? {
        match bind(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
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
