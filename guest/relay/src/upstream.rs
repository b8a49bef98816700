//! Requests to another server. With the target wasm32-wasip2, `std::net` does all this; it is
//! written out here because this builds with any compiler.

use crate::wasi::io::streams::{InputStream, OutputStream, StreamError};
use crate::wasi::sockets::instance_network::instance_network;
use crate::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::wasi::sockets::tcp::TcpSocket;
use crate::wasi::sockets::tcp_create_socket::create_tcp_socket;
use std::str::FromStr;

/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// The address of a server.
#[derive(Debug, PartialEq, Eq)]
pub struct Upstream {
    host: String,
    port: u16,
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected UPSTREAM=HOST:PORT, not `{text}`");
        let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = port.parse().map_err(|_| expected())?;
        Ok(Upstream { host, port })
    }
}

/// Sends a line and returns the line that comes back, with its ending.
pub fn ask(upstream: &Upstream, line: &[u8]) -> Result<Vec<u8>, String> {
    // The streams must be dropped before their socket.
    let (_socket, input, output) = connect(upstream)?;
    for piece in line.chunks(4096) {
        output
            .blocking_write_and_flush(piece)
            .map_err(|error| broken(&error))?;
    }
    let mut answer = Vec::new();
    while !answer.ends_with(b"\n") {
        match input.blocking_read(4096) {
            Ok(more) => answer.extend(more),
            Err(StreamError::Closed) => {
                return Err("the server closed the connection within a line".to_owned());
            }
            Err(error) => return Err(broken(&error)),
        }
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(format!("the answer exceeds {MAX_ANSWER_BYTES} bytes"));
        }
    }
    Ok(answer)
}

fn broken(error: &StreamError) -> String {
    match error {
        StreamError::Closed => "the server closed the connection".to_owned(),
        StreamError::LastOperationFailed(error) => error.to_debug_string(),
    }
}

/// Connects to the first address that accepts.
fn connect(upstream: &Upstream) -> Result<(TcpSocket, InputStream, OutputStream), String> {
    let network = instance_network();
    let addresses =
        resolve_addresses(&network, &upstream.host).map_err(|error| error.name().to_owned())?;
    let mut last = ErrorCode::NameUnresolvable;
    loop {
        match addresses.resolve_next_address() {
            Ok(Some(address)) => match connect_to(address, upstream.port) {
                Ok(connected) => return Ok(connected),
                Err(error) => last = error,
            },
            Ok(None) => return Err(last.name().to_owned()),
            Err(ErrorCode::WouldBlock) => addresses.subscribe().block(),
            Err(error) => return Err(error.name().to_owned()),
        }
    }
}

fn connect_to(
    address: IpAddress,
    port: u16,
) -> Result<(TcpSocket, InputStream, OutputStream), ErrorCode> {
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
            Ok((input, output)) => return Ok((socket, input, output)),
            Err(ErrorCode::WouldBlock) => socket.subscribe().block(),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_upstream_has_a_host_and_a_port() {
        for (text, host, port) in [
            ("db.internal:5432", "db.internal", 5432),
            ("127.0.0.1:80", "127.0.0.1", 80),
            ("[::1]:80", "::1", 80),
        ] {
            let host = host.to_owned();
            assert_eq!(text.parse(), Ok(Upstream { host, port }), "{text}");
        }
        for bad in ["", "db", "db:", "db:x", "db:65536"] {
            assert!(bad.parse::<Upstream>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_server_or_is_refused(text in "[\\[\\]:.0-9a-z\u{0}-\u{ff}]{0,40}") {
            if let Ok(Upstream { host, port }) = text.parse::<Upstream>() {
                prop_assert!(text.contains(&host) && text.ends_with(&port.to_string()));
            }
        }
    }
}
