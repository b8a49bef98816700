//! Everything between a socket and its connection: listeners, TLS, telnet, datagrams, admission,
//! and the [`service`] that serves clients. Must not know handlers except through their traits.

#![forbid(unsafe_code)]

pub mod admission;
pub mod datagram;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod listener;
pub mod service;
pub mod stream;
pub mod telnet;
pub mod tls;
pub mod upgrade;
pub mod workers;
