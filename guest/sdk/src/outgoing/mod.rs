//! TCP connections to other servers (`wasi:sockets`), as far as `--allow-connect` grants them.
//! Needs the feature `outgoing`.
//!
//! ```
//! use echo_host_guest::outgoing;
//! use std::io::{self, BufRead, BufReader, Write};
//!
//! fn ask(server: &str, question: &str) -> io::Result<String> {
//!     let mut stream = BufReader::new(outgoing::connect(server)?);
//!     writeln!(stream.get_mut(), "{question}")?;
//!     let mut answer = String::new();
//!     stream.read_line(&mut answer)?;
//!     Ok(answer)
//! }
//! # echo_host_guest::testing::outgoing::serve("db:7000", |_: &[u8]| b"42\n".to_vec());
//! # assert_eq!(ask("db:7000", "6 * 7").unwrap(), "42\n");
//! ```
//!
//! With the target `wasm32-wasip2`, `std::net::TcpStream` does the same. This works with any
//! compiler, and a unit test can stand in for the server:
//! [`testing::outgoing`](crate::testing::outgoing). The handler waits within its call, and so does
//! everybody who shares its instance, at most as long as `--call-timeout` allows.

#[cfg(target_family = "wasm")]
mod host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::outgoing as host;

use std::io::{self, Read, Write};

/// A connection to a server. Dropping it closes it.
#[derive(Debug)]
pub struct Stream(host::Stream);

/// Connects to a server, named `HOST:PORT` or `[IPV6]:PORT`: to the first of its addresses that
/// accepts.
///
/// # Errors
///
/// `PermissionDenied` if the operator has not granted it, `InvalidInput` if it is no `HOST:PORT`,
/// and what the network says.
pub fn connect(server: &str) -> io::Result<Stream> {
    let (host, port) = parse(server).ok_or_else(|| {
        let why = format!("expected HOST:PORT, not `{server}`");
        io::Error::new(io::ErrorKind::InvalidInput, why)
    })?;
    host::connect(host, port).map(Stream)
}

pub(crate) fn parse(server: &str) -> Option<(&str, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    let is_bracketed = |host: &str| host.starts_with('[') && host.ends_with(']');
    let inner = if is_bracketed(host) {
        &host[1..host.len() - 1]
    } else {
        host
    };
    let is_host = !inner.is_empty() && !inner.contains(['[', ']']);
    // Without brackets, the last part of an IPv6 address would be the port.
    let is_clear = is_bracketed(host) || !inner.contains(':');
    (is_host && is_clear).then_some((inner, port.parse().ok()?))
}

impl Read for Stream {
    /// Waits for bytes. 0 means that the server has finished sending.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream {
    /// Waits until some of the bytes are on their way.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Does nothing: what was written is on its way.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_host_and_a_port() {
        for (server, host, port) in [
            ("db.internal:5432", "db.internal", 5432),
            ("127.0.0.1:80", "127.0.0.1", 80),
            ("[::1]:80", "::1", 80),
        ] {
            assert_eq!(parse(server), Some((host, port)), "{server}");
        }
        for bad in [
            "", "db", "db:", ":80", "[]:80", "db:x", "db:65536", "::1:80", "[::1:80",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
            let error = connect(bad).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }
}
