//! Listening sockets: bind and accept. Must not know who is served or how.

mod acceptor;
mod error;
mod options;
mod passing;
mod stdio;
mod tcp;
#[cfg(test)]
mod tests;
mod unix;

pub use acceptor::Acceptor;
pub use error::BindError;
pub use options::SocketOptions;
pub use passing::AdoptError;
pub use stdio::standard_error_is_the_clients;
pub use unix::{InvalidOwner, Owner, UnixAccess};

use crate::datagram::DatagramSocket;
use crate::stream::Stream;
use address::{Endpoint, NetworkAddress, WebAddress};
use socket2::Socket;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use system::unix_socket::{SocketFile, SocketFileError};

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
    Tcp(Socket),
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

impl Listener {
    /// Binds an endpoint, or takes standard input and output. `access` sets who may connect to a
    /// Unix socket.
    pub fn bind(
        endpoint: &Endpoint,
        access: UnixAccess,
        options: &SocketOptions,
    ) -> Result<Self, BindError> {
        bind(endpoint, access, options).map_err(|cause| BindError::new(endpoint, cause))
    }

    fn new(endpoint: Endpoint, socket: ListeningSocket) -> Self {
        let socket = Arc::new(socket);
        Listener { socket, endpoint }
    }

    fn tcp(socket: Socket) -> io::Result<Self> {
        let address = socket.local_addr()?.as_socket();
        let endpoint = Endpoint::Tcp(address.ok_or(io::ErrorKind::Unsupported)?.into());
        Ok(Listener::new(endpoint, ListeningSocket::Tcp(socket)))
    }

    fn udp(socket: DatagramSocket) -> Self {
        let endpoint = Endpoint::Udp(socket.local_address().into());
        Listener::new(endpoint, ListeningSocket::Udp(Arc::new(socket)))
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
        checked.map_err(|cause| BindError::new(&self.endpoint, cause.into()))
    }

    /// Changes the options of the listening socket, if it is one.
    pub fn set_options(&self, options: &SocketOptions) -> io::Result<()> {
        match &*self.socket {
            ListeningSocket::Tcp(socket) => options.change(socket),
            ListeningSocket::Unix(unix) => options.change(&unix.socket),
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
}

impl ListeningSocket {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            ListeningSocket::Tcp(socket) => Some(socket.as_fd()),
            ListeningSocket::Unix(unix) => Some(unix.socket.as_fd()),
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
        Endpoint::Tcp(address)
        | Endpoint::Tls(address)
        | Endpoint::Telnet(address)
        | Endpoint::Ws(WebAddress {
            network: address, ..
        })
        | Endpoint::Wss(WebAddress {
            network: address, ..
        }) => Listener::tcp(bind_first(address, bind_tcp)?)?.serving(endpoint),
        Endpoint::Udp(address) => Listener::udp(bind_first(address, DatagramSocket::bind)?),
        Endpoint::Unix(address) => {
            let bound = unix::bind(address, access, options)?;
            Listener::new(endpoint.clone(), ListeningSocket::Unix(bound))
        }
        Endpoint::Stdio => {
            stdio::check()?;
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
