//! Passes sockets from one listener to another, in this process or between two.

use super::{Listener, ListenerHandle, ListeningSocket, unix};
use crate::datagram::DatagramSocket;
use address::{Endpoint, UnixAddress};
use socket2::{SockAddr, Socket, Type};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use system::unix_socket::SocketFile;

/// Why an inherited socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    #[error(
        "the inherited file is {0}: expected a listening TCP or Unix stream socket, or a bound \
         UDP socket"
    )]
    Unfit(&'static str),
    #[error("cannot use an inherited socket: {0}")]
    Io(#[from] io::Error),
}

impl Listener {
    /// Uses a socket that already listens. Other processes may accept from it too. Its backlog and
    /// options stay.
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
        let bound = ListeningSocket::Unix(unix::Bound { socket, file: None });
        Ok(Listener::new(Endpoint::Unix(name), bound))
    }

    /// The same for what `endpoint` describes.
    fn adopt_for(socket: OwnedFd, endpoint: &Endpoint) -> Result<Self, AdoptError> {
        Ok(Listener::adopt(socket)?.serving(endpoint))
    }

    /// Uses the socket of a host that is being replaced, which had it for `endpoint`. Its file, if
    /// any, belongs to the other host until it is [claimed](Listener::claim).
    pub fn take_over(socket: OwnedFd, endpoint: &Endpoint) -> Result<Self, AdoptError> {
        let mut listener = Listener::adopt_for(socket, endpoint)?;
        if let Endpoint::Unix(UnixAddress::Path(path)) = &listener.endpoint {
            let metadata = std::fs::symlink_metadata(path)?;
            let file = SocketFile::of_another_process(path.clone(), &metadata);
            listener.own(Some(Arc::new(file)));
        }
        Ok(listener)
    }

    /// Makes this process responsible for removing the file, after the other host has retired.
    pub fn claim(&self) {
        if let Some(file) = self.socket.file() {
            file.given_up().store(false, Ordering::Release);
        }
    }

    /// Removes the file on close, unless others own it too.
    fn own(&mut self, file: Option<Arc<SocketFile>>) {
        if let Some(ListeningSocket::Unix(unix)) = Arc::get_mut(&mut self.socket) {
            unix.file = file;
        }
    }

    /// The same listener, for TLS or WebSocket instead of plain TCP if `endpoint` is for that.
    #[must_use]
    pub fn serving(self, endpoint: &Endpoint) -> Self {
        let endpoint = match self.endpoint {
            Endpoint::Tcp(address) => endpoint.at(address),
            other => other,
        };
        Listener { endpoint, ..self }
    }
}

impl ListenerHandle {
    /// The address that clients connect to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Duplicates the socket for another process to [adopt](Listener::adopt). `NotConnected` if the
    /// listener is closed, `Unsupported` if it has no socket.
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

    /// Duplicates the socket for another listener of this process, named `endpoint`.
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

    /// Leaves the file of a Unix socket to another process that listens on it.
    pub fn give_up(&self) {
        if let Some(socket) = self.socket.upgrade()
            && let Some(file) = socket.file()
        {
            file.given_up().store(true, Ordering::Release);
        }
    }
}

/// Describes a socket that cannot be served, by its type and port.
fn unfit(kind: Type, port: Option<u16>) -> &'static str {
    match (kind, port) {
        (Type::STREAM, _) => "a stream socket that does not listen",
        (Type::DGRAM, None) => "a Unix datagram socket",
        (Type::DGRAM, Some(0)) => "a UDP socket without a port",
        // It receives from nobody else.
        (Type::DGRAM, Some(_)) => "a UDP socket that is connected to one peer",
        (Type::SEQPACKET, None) => "a Unix socket of type SEQPACKET (ListenSequentialPacket=)",
        (Type::SEQPACKET, Some(_)) => "a socket of type SEQPACKET, such as SCTP's",
        _ => "a raw socket, or one of another protocol",
    }
}

/// The name of a Unix socket, if it has one.
fn unix_name(address: &SockAddr) -> Option<UnixAddress> {
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => Some(UnixAddress::Path(path.to_owned())),
        (None, Some(name)) => Some(UnixAddress::Abstract(
            String::from_utf8_lossy(name).into_owned(),
        )),
        (None, None) => None,
    }
}

/// Apple's kernels cannot tell; accepting fails later there.
fn listens(socket: &Socket) -> io::Result<bool> {
    #[cfg(not(target_vendor = "apple"))]
    return Ok(rustix::net::sockopt::socket_acceptconn(socket)?);
    #[cfg(target_vendor = "apple")]
    return Ok(socket.peer_addr().is_err());
}
