//! Where the host listens and where its client connects: addresses written as URIs.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// A place to listen on or to connect to, such as `tcp://127.0.0.1:8888`, `tcp://[::1]:0` or
/// `tcp://localhost:8888`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// TCP: a host, which is an IP address or a name, and a port. Port 0 lets the kernel choose.
    Tcp {
        /// An IP address, without brackets, or a name.
        host: String,
        /// 0 to 65535.
        port: u16,
    },
}

impl Endpoint {
    /// The socket addresses this endpoint stands for, in the order the resolver gives them. Never
    /// empty. Blocks while a name is looked up.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let Endpoint::Tcp { host, port } = self;
        let found: Vec<_> = (host.as_str(), *port).to_socket_addrs()?.collect();
        if found.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("`{host}` has no address"),
            ));
        }
        Ok(found)
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Endpoint::Tcp {
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Endpoint::Tcp { host, port } = self;
        if host.contains(':') {
            write!(f, "tcp://[{host}]:{port}")
        } else {
            write!(f, "tcp://{host}:{port}")
        }
    }
}

/// Why a text is not an [`Endpoint`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidEndpoint {
    #[error("expected tcp://ADDR:PORT, such as tcp://127.0.0.1:8888")]
    NotAUri,
    #[error("`{0}://` is not supported: use tcp://ADDR:PORT")]
    Scheme(String),
    #[error("the port is missing: expected tcp://ADDR:PORT, such as tcp://127.0.0.1:8888")]
    NoPort,
    #[error("`{0}` is not a port: expected a number from 0 to 65535")]
    Port(String),
    #[error(
        "the address is missing: to listen everywhere, say tcp://0.0.0.0:PORT or tcp://[::]:PORT"
    )]
    NoHost,
    #[error("`{0}` is not an IPv6 address")]
    Ipv6(String),
    #[error("an IPv6 address stands in brackets, as in tcp://[::1]:8888")]
    Unbracketed,
    #[error("`{0}` has no place here: tcp://ADDR:PORT has nothing behind the port")]
    Trailing(String),
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let (scheme, authority) = text.split_once("://").ok_or(InvalidEndpoint::NotAUri)?;
        if scheme != "tcp" {
            return Err(InvalidEndpoint::Scheme(scheme.to_owned()));
        }
        if let Some(at) = authority.find(['/', '?', '#']) {
            return Err(InvalidEndpoint::Trailing(authority[at..].to_owned()));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => split_ipv6(bracketed)?,
            None => split_host(authority)?,
        };
        let port = port
            .parse()
            .map_err(|_| InvalidEndpoint::Port(port.to_owned()))?;
        Ok(Endpoint::Tcp { host, port })
    }
}

fn split_ipv6(bracketed: &str) -> Result<(String, &str), InvalidEndpoint> {
    let (host, rest) = bracketed
        .split_once(']')
        .ok_or_else(|| InvalidEndpoint::Ipv6(bracketed.to_owned()))?;
    let address: IpAddr = match host.parse() {
        Ok(address @ IpAddr::V6(_)) => address,
        _ => return Err(InvalidEndpoint::Ipv6(host.to_owned())),
    };
    let port = rest.strip_prefix(':').ok_or(InvalidEndpoint::NoPort)?;
    Ok((address.to_string(), port))
}

fn split_host(authority: &str) -> Result<(String, &str), InvalidEndpoint> {
    let (host, port) = authority.rsplit_once(':').ok_or(InvalidEndpoint::NoPort)?;
    if host.is_empty() {
        return Err(InvalidEndpoint::NoHost);
    }
    if host.contains(':') {
        return Err(InvalidEndpoint::Unbracketed);
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parsed_prints_as_it_was_written() {
        for text in [
            "tcp://127.0.0.1:8888",
            "tcp://0.0.0.0:0",
            "tcp://[::1]:8888",
            "tcp://[::]:65535",
            "tcp://localhost:80",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn each_mistake_has_its_own_message() {
        use InvalidEndpoint as E;
        for (text, expected) in [
            ("8888", E::NotAUri),
            ("127.0.0.1:8888", E::NotAUri),
            ("ftp://127.0.0.1:21", E::Scheme("ftp".into())),
            ("tcp://127.0.0.1", E::NoPort),
            ("tcp://[::1]", E::NoPort),
            ("tcp://127.0.0.1:port", E::Port("port".into())),
            ("tcp://127.0.0.1:65536", E::Port("65536".into())),
            ("tcp://:8888", E::NoHost),
            ("tcp://[fe80]:1", E::Ipv6("fe80".into())),
            ("tcp://[127.0.0.1]:1", E::Ipv6("127.0.0.1".into())),
            ("tcp://::1:8888", E::Unbracketed),
            ("tcp://127.0.0.1:1/path", E::Trailing("/path".into())),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(expected), "{text}");
        }
    }
}
