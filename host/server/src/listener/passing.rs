//! Sockets that go from one listener to another, in this process or between two.

use super::{Listener, ListenerHandle, ListeningSocket, unix};
use crate::datagram::DatagramSocket;
use connection::address::{Endpoint, UnixAddress};
use socket2::{SockAddr, Socket, Type};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use system::unix_socket::SocketFile;

/// Why a socket of another process's cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error(
        "what was passed on is {0}: the host serves listening TCP and Unix stream sockets, and bound UDP sockets"
    )]
    Unfit(&'static str),
    #[error("cannot serve a socket that was passed on: {0}")]
    Io(#[from] io::Error),
}

impl Listener {
    /// Serves a socket that listens already, and that other processes may accept from too. Its backlog and its
    /// options stay as they were set.
    pub fn adopt(socket: OwnedFd) -> Result<Self, AdoptError> {
        let socket = Socket::from(socket);
        let address = socket.local_addr()?;
        let port = address.as_socket().map(|address| address.port());
        match (socket.r#type()?, port) {
            (Type::DGRAM, Some(1..)) if socket.peer_addr().is_err() => {
                return Ok(Listener::udp(DatagramSocket::adopt(socket)?));
            }
            (Type::STREAM, _) if listens(&socket)? => {}
            (kind, port) => return Err(AdoptError::Unfit(unfit(kind, port))),
        }
        socket.set_nonblocking(true)?;
        if port.is_some() {
            return Ok(Listener::tcp(socket)?);
        }
        let name = unix_name(&address).ok_or(AdoptError::Unfit("a socket without an address"))?;
        let bound = ListeningSocket::Unix(unix::Bound::new(socket, None));
        Ok(Listener::new(Endpoint::Unix(name), bound))
    }

    /// The same, with TLS if it was, or is to be, for a place with TLS.
    fn adopt_for(socket: OwnedFd, endpoint: &Endpoint) -> Result<Self, AdoptError> {
        let listener = Listener::adopt(socket)?;
        Ok(match endpoint {
            Endpoint::Tls(_) => listener.with_tls(),
            _ => listener,
        })
    }

    /// Serves the socket of a host that is being replaced, which had it for `endpoint`: with TLS if that says
    /// so. Its file, if it has one, is the other host's until it is [claimed](Listener::claim).
    pub fn take_over(socket: OwnedFd, endpoint: &Endpoint) -> Result<Self, AdoptError> {
        let mut listener = Listener::adopt_for(socket, endpoint)?;
        if let Endpoint::Unix(UnixAddress::Path(path)) = &listener.endpoint {
            let metadata = std::fs::symlink_metadata(path)?;
            let file = SocketFile::of_another_process(path.clone(), &metadata);
            listener.own(Some(Arc::new(file)));
        }
        Ok(listener)
    }

    /// Makes the file this process's to remove, now that the other host has retired.
    pub fn claim(&self) {
        if let Some(file) = self.socket.file() {
            file.given_up().store(false, Ordering::Release);
        }
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
        let adopted = Listener::adopt_for(self.duplicate()?, endpoint);
        let mut listener = adopted.map_err(io::Error::other)?;
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

/// What a socket is that cannot be served, by its type and its port.
fn unfit(kind: Type, port: Option<u16>) -> &'static str {
    match (kind, port) {
        (Type::STREAM, _) => "a stream socket that does not listen",
        (Type::DGRAM, None) => "a Unix datagram socket",
        (Type::DGRAM, Some(0)) => "a UDP socket without a port",
        // It hears nobody else.
        (Type::DGRAM, Some(_)) => "a UDP socket that is connected to one peer",
        (Type::SEQPACKET, None) => "a Unix socket of type SEQPACKET (ListenSequentialPacket=)",
        (Type::SEQPACKET, Some(_)) => "a socket of type SEQPACKET, such as SCTP's",
        _ => "a raw socket, or one of another protocol",
    }
}

/// What a Unix socket is called, if it is one and has a name.
fn unix_name(address: &SockAddr) -> Option<UnixAddress> {
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => Some(UnixAddress::Path(path.to_owned())),
        (None, Some(name)) => Some(UnixAddress::Abstract(
            String::from_utf8_lossy(name).into_owned(),
        )),
        (None, None) => None,
    }
}

/// Apple's kernels do not tell; there, accepting fails later.
fn listens(socket: &Socket) -> io::Result<bool> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::sockopt::socket_acceptconn(socket)?);
    #[cfg(target_vendor = "apple")]
    return Ok(socket.peer_addr().is_err());
}
