//! What handlers for echo-host are written with in Rust: the bindings of its [contract], with a small face.
//!
//! A *responder* is a function from bytes to bytes:
//!
//! ```
//! echo_host_guest::responder!(respond);
//!
//! fn respond(message: Vec<u8>) -> Vec<u8> {
//!     message.to_ascii_uppercase()
//! }
//! # fn main() { assert_eq!(respond(b"hello".to_vec()), b"HELLO"); }
//! ```
//!
//! One that declares how its messages are cut is served without options, under its crate's name and version:
//! `responder!(respond, framing: Framing::Lines)`; see [`responder!`]. A *conversation* is a type with a value for
//! each connection; see [`conversation!`] and [`Session`].
//!
//! A handler's crate is a `cdylib`. Its unit tests run natively: [`testing`] lets them be a session's clients.
//!
//! With the feature `log`, what is logged with the crate of that name is in the host's log, at its level and with its
//! target as the context. The operator chooses which levels are shown; one that is not still costs a call of the host,
//! unless `log` leaves it out (`log::set_max_level`, or its features). In a unit test that has no logger of its own it is
//! printed.
//!
//! [contract]: https://component-model.bytecodealliance.org/design/wit.html

// The bindings' exported macros name this crate as their users do.
extern crate self as echo_host_guest;

mod about;
#[doc(hidden)]
pub mod bindings;
mod connection;
mod failure;
#[doc(hidden)]
pub mod logging;
mod responder;
#[doc(hidden)]
pub mod session;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use about::About;
pub use bindings::connections::CloseMode;
pub use bindings::types::{Failure, Framing, PeerInfo, TlsInfo, Transport};
pub use connection::Connection;
pub use failure::Result;
pub use session::Session;
