//! Who may be served, by network.

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network, such as `192.0.2.0/24` or `2001:db8::/32`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

/// A text is no [`Network`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a network such as 192.0.2.0/24 or 2001:db8::/32, or an address")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().into(),
            Err(_) => text.parse().map_err(|_| InvalidNetwork)?,
        };
        Ok(Network(network))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Networks whose clients are served, and networks whose clients are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    /// Where there are any, only their clients are served.
    pub allow: Vec<Network>,
    /// Their clients are not served, even if they are allowed.
    pub deny: Vec<Network>,
}

impl AccessList {
    /// Whether a client with this address is served.
    pub fn admits(&self, address: IpAddr) -> bool {
        let allowed = self.allow.is_empty() || holds(&self.allow, address);
        allowed && !holds(&self.deny, address)
    }
}

/// Whether one of the networks holds the address. An IPv4 address is one, however it is written.
pub fn holds(networks: &[Network], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.0.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_denied_network_may_lie_in_an_allowed_one() {
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
            assert_eq!(list.admits(address.parse().unwrap()), admitted, "{address}");
        }
    }

    #[test]
    fn everybody_is_admitted_where_nothing_is_said() {
        let nothing = AccessList::default();
        assert!(nothing.admits("192.0.2.1".parse().unwrap()));
        let deny = AccessList {
            deny: networks(&["192.0.2.0/24"]),
            ..nothing
        };
        assert!(!deny.admits("192.0.2.1".parse().unwrap()));
        assert!(deny.admits("198.51.100.1".parse().unwrap()));
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        let one = networks(&["192.0.2.1"]);
        assert!(holds(&one, "192.0.2.1".parse().unwrap()));
        assert!(!holds(&one, "192.0.2.2".parse().unwrap()));
        for text in ["", "example.org", "192.0.2.0/33", "192.0.2", "::/129"] {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text}");
        }
    }
}
