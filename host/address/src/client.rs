//! Which addresses count as one client.

use std::net::{IpAddr, Ipv6Addr};

/// The network part of an IPv6 address; a client chooses the rest (RFC 4291, section 2.5.4).
const NETWORK_BITS: u128 = !(u64::MAX as u128);

/// An IPv4 address counts as itself, also when mapped to IPv6; an IPv6 address counts as its
/// network.
pub fn counted_as(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK_BITS).into(),
        address => address,
    }
}
