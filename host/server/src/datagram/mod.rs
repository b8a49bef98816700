//! UDP sockets: batches of datagrams in and out, each reply from the address that was asked.
//!
//! One system call for many datagrams costs little more than for one, so they are received and sent
//! in batches where possible: recvmmsg(2), sendmmsg(2). nix has both without `unsafe`. quinn-udp
//! batches too, but forbids fragmentation, as QUIC requires.

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
