//! Whom an address stands for when clients are counted.

use std::net::{IpAddr, Ipv6Addr};

/// What of an IPv6 address names the network, in which a client has an address of its choice (RFC 4291, section
/// 2.5.4).
const NETWORK_BITS: u128 = !(u64::MAX as u128);

/// An IPv4 address is one, however it is written; of an IPv6 address it is the network that counts.
pub fn counted_as(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK_BITS).into(),
        address => address,
    }
}
