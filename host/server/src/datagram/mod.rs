//! UDP sockets: batches of datagrams in, batches out, each answered from the address that was asked.
//!
//! What the kernel does with many datagrams at once costs little more than what it does with one, so they are
//! received and sent in batches where it can: recvmmsg(2), sendmmsg(2). nix has both without `unsafe`. quinn-udp
//! batches as well, but has the kernel send nothing that would have to be fragmented, as QUIC wants it.

mod allowance;
mod batch;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod local;
mod route;
mod socket;

pub use allowance::Allowance;
pub use batch::Batch;
pub use route::Route;
pub use socket::DatagramSocket;
