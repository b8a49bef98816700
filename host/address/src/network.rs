//! Network addresses: a host and a port.

use super::InvalidEndpoint;
use super::zone::{NotAnAddress, Zone, ZonedAddress};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// A host (an IP address or a name) and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkAddress {
    /// An IP address, without brackets and with its zone if it has one, or a name.
    pub host: String,
    /// 0 to 65535. 0 lets the kernel choose.
    pub port: u16,
}

impl NetworkAddress {
    /// Its socket addresses, in the order of the resolver. Never empty. Blocks while a name is
    /// looked up.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.address() {
            if address.lacks_zone() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a link-local address needs its interface, such as [fe80::1%eth0]",
                ));
            }
            return match address.socket_address(self.port) {
                Some(found) => Ok(vec![found]),
                None => Err(io::Error::new(
                    io::ErrorKind::AddrNotAvailable,
                    format!("this machine has no network interface for {address}"),
                )),
            };
        }
        let found: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        if found.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("`{}` has no address", self.host),
            ));
        }
        Ok(found)
    }

    /// The IP address; `None` for a name.
    pub fn address(&self) -> Option<ZonedAddress> {
        self.host.parse().ok()
    }

    /// Whether only this machine can reach it. False for names other than `localhost`.
    pub fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => address.ip.is_loopback(),
            None => self.host == "localhost",
        }
    }

    /// The result of the first address for which `attempt` succeeds, or else the last error.
    pub async fn first<T>(
        &self,
        mut attempt: impl AsyncFnMut(SocketAddr) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut last = io::ErrorKind::NotFound.into();
        for address in self.resolve()? {
            match attempt(address).await {
                Ok(success) => return Ok(success),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Parses the text after `SCHEME:`.
    pub(super) fn parse(scheme: &'static str, rest: &str) -> Result<Self, InvalidEndpoint> {
        let authority = rest
            .strip_prefix("//")
            .ok_or(InvalidEndpoint::NoSlashes(scheme))?;
        if let Some(at) = authority.find(['/', '?', '#']) {
            let trailing = authority[at..].to_owned();
            return Err(InvalidEndpoint::Trailing(scheme, trailing));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => split_ipv6(scheme, bracketed)?,
            None => split_host(scheme, authority)?,
        };
        let port = port
            .parse()
            .map_err(|_| InvalidEndpoint::Port(port.to_owned()))?;
        Ok(NetworkAddress { host, port })
    }
}

/// Parses `HOST:PORT`, to connect to.
impl FromStr for NetworkAddress {
    type Err = InvalidNetworkAddress;

    fn from_str(text: &str) -> Result<Self, InvalidNetworkAddress> {
        let address = Self::parse("", &format!("//{text}")).map_err(|error| match error {
            InvalidEndpoint::Zone(error) => InvalidNetworkAddress::Zone(error),
            _ => InvalidNetworkAddress::Syntax,
        })?;
        match address.port {
            0 => Err(InvalidNetworkAddress::Syntax),
            _ if address.address().is_some_and(|it| it.lacks_zone()) => {
                Err(InvalidNetworkAddress::NoZone)
            }
            _ => Ok(address),
        }
    }
}

/// Why a text is not `HOST:PORT`.
#[derive(Debug, thiserror::Error)]
pub enum InvalidNetworkAddress {
    #[error("expected HOST:PORT, such as db.internal:5432 or [2001:db8::1]:80")]
    Syntax,
    #[error("a link-local address needs its interface, such as [fe80::1%eth0]:80")]
    NoZone,
    #[error(transparent)]
    Zone(NotAnAddress),
}

impl From<SocketAddr> for NetworkAddress {
    fn from(address: SocketAddr) -> Self {
        let zone = match &address {
            SocketAddr::V6(address) => Zone::of(address),
            SocketAddr::V4(_) => None,
        };
        let host = ZonedAddress {
            ip: address.ip(),
            zone,
        };
        NetworkAddress {
            host: host.to_string(),
            port: address.port(),
        }
    }
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NetworkAddress { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

fn split_ipv6<'a>(
    scheme: &'static str,
    bracketed: &'a str,
) -> Result<(String, &'a str), InvalidEndpoint> {
    let (host, rest) = bracketed
        .split_once(']')
        .ok_or_else(|| InvalidEndpoint::Ipv6(bracketed.to_owned()))?;
    let address = match host.parse() {
        Ok(
            address @ ZonedAddress {
                ip: IpAddr::V6(_), ..
            },
        ) => address,
        Err(error @ (NotAnAddress::NotLinkLocal(_) | NotAnAddress::Zone(_))) => {
            return Err(InvalidEndpoint::Zone(error));
        }
        _ => return Err(InvalidEndpoint::Ipv6(host.to_owned())),
    };
    let port = rest
        .strip_prefix(':')
        .ok_or(InvalidEndpoint::NoPort(scheme))?;
    Ok((address.to_string(), port))
}

fn split_host<'a>(
    scheme: &'static str,
    authority: &'a str,
) -> Result<(String, &'a str), InvalidEndpoint> {
    let (host, port) = authority
        .rsplit_once(':')
        .ok_or(InvalidEndpoint::NoPort(scheme))?;
    if host.is_empty() {
        return Err(InvalidEndpoint::NoHost(scheme));
    }
    if host.contains(':') {
        return Err(InvalidEndpoint::Unbracketed(scheme));
    }
    Ok((host.to_owned(), port))
}
