//! IPv6 addresses with a zone, such as `fe80::1%eth0` (RFC 4007, section 11).

use nix::net::if_::{if_indextoname, if_nametoindex};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

/// The encoding of a percent sign in a URI (RFC 6874, section 2).
const ENCODED_PERCENT: &str = "25";

/// The zone of a link-local address: the name or number of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Zone(String);

/// The text is not the name or number of an interface.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("there is no network interface `{0}`")]
pub struct InvalidZone(String);

impl Zone {
    /// Parses the text after the percent sign, which may be encoded (`%25eth0`) as in a URI.
    pub fn parse(text: &str) -> Result<Self, InvalidZone> {
        let name = match text.strip_prefix(ENCODED_PERCENT) {
            Some(name) if !name.is_empty() => name,
            _ => text,
        };
        let may = |char: char| char.is_ascii_graphic() && !"%[]/?#,".contains(char);
        if !name.is_empty() && name.chars().all(may) {
            Ok(Zone(name.to_owned()))
        } else {
            Err(InvalidZone(text.to_owned()))
        }
    }

    /// The number of the interface, if it exists.
    pub fn index(&self) -> Option<u32> {
        match self.0.parse() {
            Ok(number) => Some(number),
            Err(_) => if_nametoindex(self.0.as_str()).ok(),
        }
    }

    /// The zone of a socket address, by name if the interface has one.
    pub fn of(address: &SocketAddrV6) -> Option<Self> {
        let index = address.scope_id();
        if index == 0 || !address.ip().is_unicast_link_local() {
            return None;
        }
        let name = if_indextoname(index).ok();
        let name = name.and_then(|name| name.into_string().ok());
        let zone = name.and_then(|name| Zone::parse(&name).ok());
        Some(zone.unwrap_or_else(|| Zone(index.to_string())))
    }
}

/// A name that starts like an encoded percent sign is printed after one, so that it parses back.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Zone(name) = self;
        let is_ambiguous = name.len() > ENCODED_PERCENT.len() && name.starts_with(ENCODED_PERCENT);
        let encoded = if is_ambiguous { ENCODED_PERCENT } else { "" };
        write!(f, "%{encoded}{name}")
    }
}

/// An IP address with an optional zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonedAddress {
    /// The address.
    pub ip: IpAddr,
    /// Its zone.
    pub zone: Option<Zone>,
}

impl FromStr for ZonedAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let Some((address, zone)) = text.split_once('%') else {
            let ip = text.parse().map_err(|_| NotAnAddress::Address)?;
            return Ok(ZonedAddress { ip, zone: None });
        };
        let ip: Ipv6Addr = address.parse().map_err(|_| NotAnAddress::Address)?;
        if !ip.is_unicast_link_local() {
            return Err(NotAnAddress::NotLinkLocal(ip));
        }
        let zone = Zone::parse(zone)?;
        Ok(ZonedAddress {
            ip: ip.into(),
            zone: Some(zone),
        })
    }
}

/// Why a text is not a [`ZonedAddress`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAnAddress {
    #[error("expected an IP address")]
    Address,
    #[error("{0} has no zone: only link-local addresses (fe80::/10) have one")]
    NotLinkLocal(Ipv6Addr),
    #[error(transparent)]
    Zone(#[from] InvalidZone),
}

impl ZonedAddress {
    /// Whether it needs a zone and has none.
    pub fn lacks_zone(&self) -> bool {
        matches!(self.ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) && self.zone.is_none()
    }

    /// The socket address. `None` if there is no such interface.
    pub fn socket_address(&self, port: u16) -> Option<SocketAddr> {
        Some(match (self.ip, &self.zone) {
            (IpAddr::V6(ip), Some(zone)) => SocketAddrV6::new(ip, port, 0, zone.index()?).into(),
            (ip, _) => SocketAddr::new(ip, port),
        })
    }
}

impl fmt::Display for ZonedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip.fmt(f)?;
        self.zone.iter().try_for_each(|zone| zone.fmt(f))
    }
}

/// The interface number of a link-local address; otherwise 0.
pub fn scope(address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V6(address) if address.ip().is_unicast_link_local() => address.scope_id(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
