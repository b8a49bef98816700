//! Access to the network, which std does not offer on every target.

use crate::wasi::sockets::instance_network::instance_network;
use crate::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::wasi::sockets::network::IpAddressFamily;
use crate::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::wasi::sockets::udp_create_socket::create_udp_socket;

/// The result of requesting sockets.
pub fn socket() -> String {
    let tcp = create_tcp_socket(IpAddressFamily::Ipv4).err();
    let udp = create_udp_socket(IpAddressFamily::Ipv6).err();
    format!("{tcp:?} {udp:?}")
}

/// The result of looking up a name.
pub fn name(name: &str) -> String {
    let network = instance_network();
    format!("{:?}", resolve_addresses(&network, name).err())
}
