//! The local address of a datagram: which one it reached and which one to reply from, because a
//! client accepts replies only from the address it asked. `IP_PKTINFO` of ip(7), and RFC 3542,
//! section 6.

use nix::libc::in6_pktinfo;
use nix::sys::socket::{ControlMessage, ControlMessageOwned};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

pub use system::{Source, ask, told};

/// Space for the control message of one datagram.
pub fn space() -> Vec<u8> {
    // The IPv4 form is shorter.
    nix::cmsg_space!(in6_pktinfo)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod system {
    use super::*;
    use nix::libc::{in_addr, in_pktinfo, in6_addr};
    use nix::sys::socket::setsockopt;
    use nix::sys::socket::sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo};
    use std::net::{Ipv4Addr, Ipv6Addr};

    /// Asks the kernel for local addresses.
    pub fn ask(socket: &impl AsFd, is_ipv6: bool) -> io::Result<()> {
        let asked = if is_ipv6 {
            setsockopt(socket, Ipv6RecvPacketInfo, &true)
        } else {
            setsockopt(socket, Ipv4PacketInfo, &true)
        };
        Ok(asked?)
    }

    /// The local address in this control message, if it can be replied from.
    pub fn told(message: &ControlMessageOwned) -> Option<IpAddr> {
        let local: IpAddr = match message {
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes()).into()
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                Ipv6Addr::from(info.ipi6_addr.s6_addr).into()
            }
            _ => return None,
        };
        (!local.is_unspecified() && !local.is_multicast()).then_some(local)
    }

    /// Sets the source address of a datagram.
    pub enum Source {
        Ipv4(in_pktinfo),
        Ipv6(in6_pktinfo),
    }

    impl Source {
        pub fn new(local: IpAddr) -> Option<Self> {
            Some(match local {
                IpAddr::V4(local) => Source::Ipv4(in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: in_addr {
                        s_addr: u32::from_ne_bytes(local.octets()),
                    },
                    ipi_addr: in_addr { s_addr: 0 },
                }),
                IpAddr::V6(local) => Source::Ipv6(in6_pktinfo {
                    ipi6_addr: in6_addr {
                        s6_addr: local.octets(),
                    },
                    ipi6_ifindex: 0,
                }),
            })
        }

        pub fn message(&self) -> ControlMessage<'_> {
            match self {
                Source::Ipv4(info) => ControlMessage::Ipv4PacketInfo(info),
                Source::Ipv6(info) => ControlMessage::Ipv6PacketInfo(info),
            }
        }
    }
}

/// Elsewhere, the kernel chooses the source address.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
mod system {
    use super::*;
    use std::convert::Infallible;

    pub fn ask(_: &impl AsFd, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub fn told(_: &ControlMessageOwned) -> Option<IpAddr> {
        None
    }

    pub struct Source(Infallible);

    impl Source {
        pub fn new(_: IpAddr) -> Option<Self> {
            None
        }

        pub fn message(&self) -> ControlMessage<'_> {
            match self.0 {}
        }
    }
}
