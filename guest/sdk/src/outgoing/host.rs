//! The host's sockets, through the bindings of `wasi:sockets`.

use crate::bindings::outgoing::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::bindings::outgoing::wasi::sockets::instance_network::instance_network;
use crate::bindings::outgoing::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::outgoing::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::bindings::outgoing::wasi::sockets::tcp::TcpSocket;
use crate::bindings::outgoing::wasi::sockets::tcp_create_socket::create_tcp_socket;
use std::io::{self, ErrorKind};

/// What `wasi:io` accepts in one blocking write.
const MAX_WRITE_BYTES: usize = 4096;

/// Fields are dropped in their order, and the streams of a socket before it.
#[derive(Debug)]
pub struct Stream {
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
}

/// Connects to the first address that accepts.
pub fn connect(host: &str, port: u16) -> io::Result<Stream> {
    let addresses = resolve_addresses(&instance_network(), host).map_err(error)?;
    let mut last = ErrorCode::NameUnresolvable;
    loop {
        match addresses.resolve_next_address() {
            Ok(Some(address)) => match connect_to(address, port) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            },
            Ok(None) => return Err(error(last)),
            Err(ErrorCode::WouldBlock) => addresses.subscribe().block(),
            Err(code) => return Err(error(code)),
        }
    }
}

fn connect_to(address: IpAddress, port: u16) -> Result<Stream, ErrorCode> {
    let (family, address) = match address {
        IpAddress::Ipv4(address) => (
            IpAddressFamily::Ipv4,
            IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address }),
        ),
        IpAddress::Ipv6(address) => (
            IpAddressFamily::Ipv6,
            IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port,
                flow_info: 0,
                address,
                scope_id: 0,
            }),
        ),
    };
    let socket = create_tcp_socket(family)?;
    socket.start_connect(&instance_network(), address)?;
    loop {
        match socket.finish_connect() {
            Ok((input, output)) => {
                return Ok(Stream {
                    input,
                    output,
                    _socket: socket,
                });
            }
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(error) => return Err(error),
        }
    }
}

impl Stream {
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.input.blocking_read(buffer.len() as u64) {
            Ok(bytes) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok(bytes.len())
            }
            Err(StreamError::Closed) => Ok(0),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(io::Error::other(error.to_debug_string()))
            }
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(MAX_WRITE_BYTES)];
        match self.output.blocking_write_and_flush(piece) {
            Ok(()) => Ok(piece.len()),
            Err(StreamError::Closed) => Err(ErrorKind::BrokenPipe.into()),
            Err(StreamError::LastOperationFailed(error)) => {
                Err(io::Error::other(error.to_debug_string()))
            }
        }
    }
}

/// The error with the name of the code, such as `access-denied`.
fn error(code: ErrorCode) -> io::Error {
    let kind = match code {
        ErrorCode::AccessDenied => ErrorKind::PermissionDenied,
        ErrorCode::ConnectionRefused => ErrorKind::ConnectionRefused,
        ErrorCode::ConnectionReset => ErrorKind::ConnectionReset,
        ErrorCode::RemoteUnreachable => ErrorKind::HostUnreachable,
        ErrorCode::Timeout => ErrorKind::TimedOut,
        ErrorCode::NameUnresolvable => ErrorKind::NotFound,
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, code.name())
}
