//! Endpoints: addresses to listen on and to connect to, written as URIs. Pure, except for name
//! lookups.
//!
//! | URI | what it is |
//! |---|---|
//! | `tcp://ADDR:PORT` | TCP |
//! | `tls://ADDR:PORT` | TLS over TCP |
//! | `telnet://ADDR:PORT` | telnet over TCP |
//! | `udp://ADDR:PORT` | UDP |
//! | `ws://ADDR:PORT/PATH`, `wss://…` | WebSocket over TCP or TLS, on one path or, without, on all |
//! | `unix:/PATH`, `unix:PATH` | a Unix stream socket in the file system |
//! | `unix:@NAME` | a Unix stream socket with an abstract name (Linux) |
//! | `stdio:` | standard input and output |
//!
//! `ADDR` is an IP address (IPv6 in brackets) or a name. Port 0 lets the kernel choose. A
//! link-local address needs its interface: `tcp://[fe80::1%eth0]:8888`.

#![forbid(unsafe_code)]

mod client;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod network;
mod web;
mod zone;

#[cfg(test)]
mod tests;

pub use client::counted_as;
pub use network::{InvalidNetworkAddress, NetworkAddress};
pub use web::WebAddress;
pub use zone::{NotAnAddress, Zone, ZonedAddress, scope};

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// An address to listen on or to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// TCP.
    Tcp(NetworkAddress),
    /// TLS over TCP.
    Tls(NetworkAddress),
    /// Telnet over TCP.
    Telnet(NetworkAddress),
    /// UDP: one datagram is one message.
    Udp(NetworkAddress),
    /// WebSocket over TCP.
    Ws(WebAddress),
    /// WebSocket over TLS.
    Wss(WebAddress),
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
    /// An abstract name on Linux: unix(7), "Abstract sockets".
    Abstract(String),
}

impl UnixAddress {
    /// Makes a relative path start in `folder`.
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
        "expected tcp://ADDR:PORT, tls://ADDR:PORT, telnet://ADDR:PORT, udp://ADDR:PORT, \
         ws://ADDR:PORT/PATH, wss://ADDR:PORT/PATH, unix:PATH or stdio:, such as \
         tcp://127.0.0.1:8888"
    )]
    NotAUri,
    #[error(
        "`{0}:` is not supported: expected tcp://, tls://, telnet://, udp://, ws://, wss://, unix: or \
         stdio:"
    )]
    Scheme(String),
    #[error("missing two slashes: expected {0}://ADDR:PORT, such as {0}://127.0.0.1:8888")]
    NoSlashes(&'static str),
    #[error("missing port: expected {0}://ADDR:PORT, such as {0}://127.0.0.1:8888")]
    NoPort(&'static str),
    #[error("`{0}` is not a port: expected a number from 0 to 65535")]
    Port(String),
    #[error(
        "missing address; hint: to listen on all addresses, use {0}://0.0.0.0:PORT or \
         {0}://[::]:PORT"
    )]
    NoHost(&'static str),
    #[error("`{0}` is not an IPv6 address")]
    Ipv6(String),
    #[error(transparent)]
    Zone(NotAnAddress),
    #[error("an IPv6 address needs brackets, such as {0}://[::1]:8888")]
    Unbracketed(&'static str),
    #[error("unexpected `{1}`: {0}://ADDR:PORT ends after the port")]
    Trailing(&'static str, String),
    #[error(
        "`{1}` is not a path of {0}://ADDR:PORT/PATH: expected printable ASCII without `?` and `#`"
    )]
    WebPath(&'static str, String),
    #[error(
        "missing path: expected unix:PATH, such as unix:/run/echo.sock, or unix:@NAME for an \
         abstract name"
    )]
    NoPath,
    #[error(
        "unix://{0} names a host: a path starts with a third slash, such as unix:///run/echo.sock"
    )]
    UnixHost(String),
    #[error("unexpected `{0}`: stdio: ends after the colon")]
    StdioTrailing(String),
}

impl Endpoint {
    /// The network address, if it has one.
    pub fn network(&self) -> Option<&NetworkAddress> {
        match self {
            Endpoint::Tcp(address)
            | Endpoint::Tls(address)
            | Endpoint::Telnet(address)
            | Endpoint::Udp(address) => Some(address),
            Endpoint::Ws(web) | Endpoint::Wss(web) => Some(&web.network),
            Endpoint::Unix(_) | Endpoint::Stdio => None,
        }
    }

    /// The address of the WebSocket, if it is one.
    pub fn web(&self) -> Option<&WebAddress> {
        match self {
            Endpoint::Ws(web) | Endpoint::Wss(web) => Some(web),
            _ => None,
        }
    }

    /// Whether it has TLS.
    pub fn has_tls(&self) -> bool {
        matches!(self, Endpoint::Tls(_) | Endpoint::Wss(_))
    }

    /// The endpoint of a TCP socket at this address that listens for what `self` describes.
    #[must_use]
    pub fn at(&self, network: NetworkAddress) -> Endpoint {
        let web = |web: &WebAddress, network| WebAddress {
            network,
            path: web.path.clone(),
        };
        match self {
            Endpoint::Tls(_) => Endpoint::Tls(network),
            Endpoint::Telnet(_) => Endpoint::Telnet(network),
            Endpoint::Ws(there) => Endpoint::Ws(web(there, network)),
            Endpoint::Wss(there) => Endpoint::Wss(web(there, network)),
            _ => Endpoint::Tcp(network),
        }
    }

    /// Whether the kernel chooses the port, so that each bind is another address.
    pub fn is_any_port(&self) -> bool {
        self.network().is_some_and(|address| address.port == 0)
    }

    /// Whether both use the same kind of socket and address; what is on top of TCP may differ.
    pub fn shares_a_socket_with(&self, other: &Endpoint) -> bool {
        let is_udp = |it: &Endpoint| matches!(it, Endpoint::Udp(_));
        match (self.network(), other.network()) {
            (Some(one), Some(another)) => {
                one == another && one.port != 0 && is_udp(self) == is_udp(other)
            }
            _ => self == other,
        }
    }

    /// Whether it means all addresses of this machine, of one family.
    pub fn is_any_address(&self) -> bool {
        let address = self.network().and_then(NetworkAddress::address);
        address.is_some_and(|address| address.ip.is_unspecified())
    }

    /// Whether no machine can listen on both. Says nothing of names.
    pub fn conflicts_with(&self, other: &Endpoint) -> bool {
        if self.shares_a_socket_with(other) {
            return true;
        }
        let is_udp = |it: &Endpoint| matches!(it, Endpoint::Udp(_));
        let (Some(one), Some(another)) = (self.network(), other.network()) else {
            return false;
        };
        let is_ipv4 = |it: &NetworkAddress| it.address().map(|address| address.ip.is_ipv4());
        is_udp(self) == is_udp(other)
            && one.port == another.port
            && one.port != 0
            && is_ipv4(one).is_some()
            && is_ipv4(one) == is_ipv4(another)
            && (self.is_any_address() || other.is_any_address())
    }

    /// Whether a socket that listens at `bound` was bound with this endpoint. False for a port that
    /// the kernel chose. Blocks while a name is looked up.
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
            Endpoint::Telnet(address) => write!(f, "telnet://{address}"),
            Endpoint::Udp(address) => write!(f, "udp://{address}"),
            Endpoint::Ws(address) => write!(f, "ws://{address}"),
            Endpoint::Wss(address) => write!(f, "wss://{address}"),
            Endpoint::Unix(address) => write!(f, "unix:{address}"),
            Endpoint::Stdio => write!(f, "stdio:"),
        }
    }
}

impl fmt::Display for UnixAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Two slashes at the start would mean a host.
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
            "telnet" => NetworkAddress::parse("telnet", rest).map(Endpoint::Telnet),
            "udp" => NetworkAddress::parse("udp", rest).map(Endpoint::Udp),
            "ws" => WebAddress::parse("ws", rest).map(Endpoint::Ws),
            "wss" => WebAddress::parse("wss", rest).map(Endpoint::Wss),
            "unix" => parse_unix(rest).map(Endpoint::Unix),
            "stdio" if rest.is_empty() || rest == "//" => Ok(Endpoint::Stdio),
            "stdio" => Err(InvalidEndpoint::StdioTrailing(rest.to_owned())),
            _ if rest.starts_with("//") => Err(InvalidEndpoint::Scheme(scheme.to_owned())),
            _ => Err(InvalidEndpoint::NotAUri),
        }
    }
}

/// Parses the path after `unix:`, which may start with an empty host (RFC 8089), such as
/// `unix:///run/x`.
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
