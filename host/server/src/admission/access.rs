//! Lists of allowed and denied networks. Pure.

use address::{NotAnAddress, Zone, ZonedAddress, scope};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A network, such as `192.0.2.0/24`, `2001:db8::/32` or `fe80::%eth0/64` (RFC 4007, section 11.7),
/// or a single address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    network: IpNet,
    /// The zone it is limited to, and the zone's number when this was parsed.
    zone: Option<(Zone, u32)>,
}

/// Why a text is not a [`Network`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidNetwork {
    #[error("expected a network such as 192.0.2.0/24 or 2001:db8::/32, or an address")]
    Syntax,
    #[error(transparent)]
    Zone(NotAnAddress),
    #[error("this machine has no network interface for {0}")]
    NoInterface(ZonedAddress),
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: ZonedAddress = address.parse().map_err(|error| match error {
            NotAnAddress::Address => InvalidNetwork::Syntax,
            error => InvalidNetwork::Zone(error),
        })?;
        let network = match length {
            None => address.ip.to_canonical().into(),
            Some(length) => format!("{}/{length}", address.ip)
                .parse()
                .map_err(|_| InvalidNetwork::Syntax)?,
        };
        let zone = match &address.zone {
            None => None,
            Some(zone) => match zone.index() {
                Some(index) => Some((zone.clone(), index)),
                // A rule that matches nobody would admit clients that it should keep out.
                None => return Err(InvalidNetwork::NoInterface(address)),
            },
        };
        Ok(Network { network, zone })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            None => self.network.fmt(f),
            Some((zone, _)) => {
                let address = self.network.addr();
                write!(f, "{address}{zone}/{}", self.network.prefix_len())
            }
        }
    }
}

impl Network {
    /// Whether it has this address.
    pub fn contains(&self, address: SocketAddr) -> bool {
        holds(std::slice::from_ref(self), address)
    }

    fn holds(&self, address: IpAddr, scope: u32) -> bool {
        let in_zone = self.zone.as_ref().is_none_or(|(_, index)| *index == scope);
        in_zone && self.network.contains(&address)
    }
}

/// Allowed and denied networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    /// If there are any, only their clients are served.
    pub allow: Vec<Network>,
    /// Their clients are not served, even if they are allowed.
    pub deny: Vec<Network>,
}

impl AccessList {
    /// Whether a client with this address is served.
    pub fn admits(&self, address: SocketAddr) -> bool {
        let allowed = self.allow.is_empty() || holds(&self.allow, address);
        allowed && !holds(&self.deny, address)
    }
}

/// Whether one of the networks contains the address. IPv4-mapped IPv6 addresses count as IPv4.
pub fn holds(networks: &[Network], address: SocketAddr) -> bool {
    let (ip, scope) = (address.ip().to_canonical(), scope(address));
    networks.iter().any(|network| network.holds(ip, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> SocketAddr {
        let address: ZonedAddress = address.parse().unwrap();
        address.socket_address(1).unwrap()
    }

    #[test]
    fn a_zone_is_one_of_several_networks_that_look_alike() {
        let list = AccessList {
            allow: networks(&["fe80::%3/64", "fe80::7%4"]),
            deny: Vec::new(),
        };
        for (address, admitted) in [
            ("fe80::1%3", true),
            ("fe80::1%4", false),
            ("fe80::7%4", true),
            ("fe80::1", false),
        ] {
            assert_eq!(list.admits(from(address)), admitted, "{address}");
        }
        let everywhere = networks(&["fe80::/10"]);
        assert!(holds(&everywhere, from("fe80::1%9")));
        assert_eq!(networks(&["fe80::%25lo/64"])[0].to_string(), "fe80::%lo/64");
        assert_eq!(
            "fe80::%no-such-one/64"
                .parse::<Network>()
                .unwrap_err()
                .to_string(),
            "this machine has no network interface for fe80::%no-such-one"
        );
        assert!("2001:db8::%3/32".parse::<Network>().is_err());
    }

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_denied_network_can_be_inside_an_allowed_one() {
        let list = AccessList {
            allow: networks(&["10.0.0.0/8", "2001:db8::/32"]),
            deny: networks(&["10.9.0.0/16"]),
        };
        for (address, admitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.9.2.3", false),
            ("::ffff:10.9.2.3", false),
            ("192.0.2.1", false),
            ("2001:db8::1", true),
            ("::1", false),
        ] {
            assert_eq!(list.admits(from(address)), admitted, "{address}");
        }
    }

    #[test]
    fn without_lists_every_address_is_allowed() {
        let nothing = AccessList::default();
        assert!(nothing.admits(from("192.0.2.1")));
        let deny = AccessList {
            deny: networks(&["192.0.2.0/24"]),
            ..nothing
        };
        assert!(!deny.admits(from("192.0.2.1")));
        assert!(deny.admits(from("198.51.100.1")));
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        let one = networks(&["192.0.2.1"]);
        assert!(holds(&one, from("192.0.2.1")));
        assert!(!holds(&one, from("192.0.2.2")));
        for text in ["", "example.org", "192.0.2.0/33", "192.0.2", "::/129"] {
            assert_eq!(
                text.parse::<Network>(),
                Err(InvalidNetwork::Syntax),
                "{text}"
            );
        }
    }
}
