//! Between whom a datagram travels.

use connection::limits::{MAX_DATAGRAM_BYTES_IPV4, MAX_DATAGRAM_BYTES_IPV6};
use std::net::{IpAddr, SocketAddr};

/// The length of an IPv4 header without options (RFC 791, section 3.1) and of a UDP header (RFC 768).
const HEADER_BYTES_IPV4: usize = 20 + 8;
/// The same with IPv6 (RFC 8200, section 3).
const HEADER_BYTES_IPV6: usize = 40 + 8;

/// The source ports of services that answer whatever they are sent, or that no answer reaches. A forged source
/// address would have two of them talk to each other for ever.
const UNANSWERED_PORTS: [u16; 5] = [
    0,  // Reserved (RFC 768: the sender wants no reply).
    7,  // echo (RFC 862)
    13, // daytime (RFC 867)
    17, // quote of the day (RFC 865)
    19, // character generator (RFC 864)
];

/// Between whom a datagram travels: there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// Who sent it.
    pub peer: SocketAddr,
    /// The address of this machine that it reached, where its socket listens on several.
    pub local: Option<IpAddr>,
}

impl Route {
    /// Whether its sender may be answered at all.
    pub fn is_answered(&self) -> bool {
        !UNANSWERED_PORTS.contains(&self.peer.port())
    }

    /// The most bytes that a datagram can carry.
    pub fn max_datagram_bytes(&self) -> usize {
        match self.peer {
            SocketAddr::V4(_) => MAX_DATAGRAM_BYTES_IPV4,
            SocketAddr::V6(_) => MAX_DATAGRAM_BYTES_IPV6,
        }
    }

    /// The bytes that a datagram takes beside what it carries.
    pub fn header_bytes(&self) -> usize {
        match self.peer {
            SocketAddr::V4(_) => HEADER_BYTES_IPV4,
            SocketAddr::V6(_) => HEADER_BYTES_IPV6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_answer_everything_are_not_answered() {
        let answered = |port| {
            let peer = SocketAddr::from(([127, 0, 0, 1], port));
            Route { peer, local: None }.is_answered()
        };
        let unanswered: Vec<_> = (0..=u16::MAX).filter(|port| !answered(*port)).collect();
        assert_eq!(unanswered, [0, 7, 13, 17, 19]);
    }
}
