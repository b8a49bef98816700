//! Everything between a socket and its connection: listeners, TLS, datagrams, admission, and the [`service`] that serves
//! what they accept. It knows handlers only by their traits.

#![forbid(unsafe_code)]

pub mod admission;
pub mod datagram;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod listener;
pub mod registration;
pub mod service;
pub mod stream;
pub mod tls;
