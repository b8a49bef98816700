//! Where the host listens and where its client connects: addresses written as URIs.
//!
//! | URI | what it is |
//! |---|---|
//! | `tcp://ADDR:PORT` | TCP |
//! | `tls://ADDR:PORT` | TLS over TCP |
//! | `udp://ADDR:PORT` | UDP |
//! | `unix:/PATH`, `unix:PATH` | a Unix stream socket in the file system |
//! | `unix:@NAME` | a Unix stream socket with an abstract name (Linux) |
//! | `stdio:` | standard input and output |
//!
//! `ADDR` is an IP address, IPv6 in brackets, or a name. Port 0 lets the kernel choose. A link-local address names
//! its interface, as in `tcp://[fe80::1%eth0]:8888`.

mod client;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod network;
mod zone;

#[cfg(test)]
mod tests;

pub use client::counted_as;
pub use network::{InvalidNetworkAddress, NetworkAddress};
pub use zone::{NotAnAddress, Zone, ZonedAddress, scope};

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A place to listen on or to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// TCP.
    Tcp(NetworkAddress),
    /// TLS over TCP.
    Tls(NetworkAddress),
    /// UDP: one datagram is one message.
    Udp(NetworkAddress),
    /// A Unix stream socket.
    Unix(UnixAddress),
    /// The process's own standard input and output.
    Stdio,
}

/// The name of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnixAddress {
    /// A file.
    Path(PathBuf),
    /// A name that Linux keeps apart from files: unix(7), "Abstract sockets".
    Abstract(String),
}

impl UnixAddress {
    /// Has it begin in `folder`, if it is a relative path.
    pub fn move_to(&mut self, folder: &Path) {
        if let UnixAddress::Path(path) = self {
            *path = folder.join(&path);
        }
    }
}

/// Why a text is not an [`Endpoint`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidEndpoint {
    #[error(
        "expected tcp://ADDR:PORT, tls://ADDR:PORT, udp://ADDR:PORT, unix:PATH or stdio:, such as \
         tcp://127.0.0.1:8888"
    )]
    NotAUri,
    #[error("`{0}:` is not supported: use tcp://, tls://, udp://, unix: or stdio:")]
    Scheme(String),
    #[error("two slashes are missing: expected {0}://ADDR:PORT, such as {0}://127.0.0.1:8888")]
    NoSlashes(&'static str),
    #[error("the port is missing: expected {0}://ADDR:PORT, such as {0}://127.0.0.1:8888")]
    NoPort(&'static str),
    #[error("`{0}` is not a port: expected a number from 0 to 65535")]
    Port(String),
    #[error(
        "the address is missing: to listen everywhere, say {0}://0.0.0.0:PORT or {0}://[::]:PORT"
    )]
    NoHost(&'static str),
    #[error("`{0}` is not an IPv6 address")]
    Ipv6(String),
    #[error(transparent)]
    Zone(NotAnAddress),
    #[error("an IPv6 address stands in brackets, as in {0}://[::1]:8888")]
    Unbracketed(&'static str),
    #[error("`{1}` has no place here: {0}://ADDR:PORT has nothing behind the port")]
    Trailing(&'static str, String),
    #[error(
        "the path is missing: expected unix:PATH, such as unix:/run/echo.sock, or unix:@NAME for \
         an abstract name"
    )]
    NoPath,
    #[error(
        "unix://{0} names a host: a path begins with a third slash, as in unix:///run/echo.sock"
    )]
    UnixHost(String),
    #[error("`{0}` has no place here: stdio: has nothing behind the colon")]
    StdioTrailing(String),
}

impl Endpoint {
    /// The network address, if it has one.
    pub fn network(&self) -> Option<&NetworkAddress> {
        match self {
            Endpoint::Tcp(address) | Endpoint::Tls(address) | Endpoint::Udp(address) => {
                Some(address)
            }
            Endpoint::Unix(_) | Endpoint::Stdio => None,
        }
    }

    /// Whether each binding of it is another place: the kernel chooses the port.
    pub fn is_any_port(&self) -> bool {
        self.network().is_some_and(|address| address.port == 0)
    }

    /// Whether both are bound in the same way: what is said on top of it may differ.
    pub fn shares_a_socket_with(&self, other: &Endpoint) -> bool {
        match (self, other) {
            (
                Endpoint::Tcp(one) | Endpoint::Tls(one),
                Endpoint::Tcp(other) | Endpoint::Tls(other),
            ) => one == other && one.port != 0,
            _ => self == other && !self.is_any_port(),
        }
    }

    /// Whether this, and not a port of the kernel's choice, is where a socket that listens at `bound` was bound.
    /// Blocks while a name is looked up.
    pub fn admits(&self, bound: &Endpoint) -> bool {
        let same_kind = std::mem::discriminant(self) == std::mem::discriminant(bound);
        let (Some(wanted), Some(there)) = (self.network(), bound.network()) else {
            return self == bound;
        };
        let same_host = || {
            let found = wanted.resolve().unwrap_or_default();
            found
                .iter()
                .any(|it| NetworkAddress::from(*it).host == there.host)
        };
        same_kind && wanted.port == there.port && same_host()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => write!(f, "tcp://{address}"),
            Endpoint::Tls(address) => write!(f, "tls://{address}"),
            Endpoint::Udp(address) => write!(f, "udp://{address}"),
            Endpoint::Unix(address) => write!(f, "unix:{address}"),
            Endpoint::Stdio => write!(f, "stdio:"),
        }
    }
}

impl fmt::Display for UnixAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Two slashes at the beginning would be those before a host.
            UnixAddress::Path(path) => {
                let text = path.display().to_string();
                let host = if text.starts_with("//") { "//" } else { "" };
                write!(f, "{host}{text}")
            }
            UnixAddress::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidEndpoint::NotAUri)?;
        match scheme {
            "tcp" => NetworkAddress::parse("tcp", rest).map(Endpoint::Tcp),
            "tls" => NetworkAddress::parse("tls", rest).map(Endpoint::Tls),
            "udp" => NetworkAddress::parse("udp", rest).map(Endpoint::Udp),
            "unix" => parse_unix(rest).map(Endpoint::Unix),
            "stdio" if rest.is_empty() || rest == "//" => Ok(Endpoint::Stdio),
            "stdio" => Err(InvalidEndpoint::StdioTrailing(rest.to_owned())),
            _ if rest.starts_with("//") => Err(InvalidEndpoint::Scheme(scheme.to_owned())),
            _ => Err(InvalidEndpoint::NotAUri),
        }
    }
}

/// The path behind `unix:`, which RFC 8089 would let begin with an empty host, as in `unix:///run/x`.
fn parse_unix(rest: &str) -> Result<UnixAddress, InvalidEndpoint> {
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(path) if !path.is_empty() => return Err(InvalidEndpoint::UnixHost(path.to_owned())),
        _ => rest,
    };
    match path.strip_prefix('@') {
        Some("") => Err(InvalidEndpoint::NoPath),
        Some(name) => Ok(UnixAddress::Abstract(name.to_owned())),
        None if path.trim_matches('/').is_empty() => Err(InvalidEndpoint::NoPath),
        None => Ok(UnixAddress::Path(path.into())),
    }
}
