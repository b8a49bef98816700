//! Write echo-host handlers in Rust: the bindings of the [contract], behind a small interface.
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
//! A responder that declares its framing is served without options, under its crate's name and
//! version: `responder!(respond, framing: "lines")`; see [`responder!`]. A *conversation* is
//! a type with one value for each connection; see [`conversation!`] and [`Session`].
//!
//! Messages that are text pass through [`text()`], lines are sent with [`Connection::send_line`]
//! and `write!(connection, ...)`, and a [`Timer`] has a name. [`config`] reads the operator's
//! settings; `keyvalue` has values that outlive an instance, and `outgoing` connects to other
//! servers, each with the feature of its name.
//!
//! A handler's crate is a `cdylib`. Its unit tests run natively: with [`testing`] they act as
//! clients of a session, and set what the host would offer it.
//!
//! With the feature `log`, messages of the crate `log` go to the host's log, with their level, and
//! their target as the context. The operator chooses which levels are shown. A message that is not
//! shown still costs a call of the host, unless `log` drops it (`log::set_max_level`, or its
//! features). A unit test without a logger of its own prints messages.
//!
//! [contract]: https://component-model.bytecodealliance.org/design/wit.html

// The bindings' exported macros name this crate as its users do.
extern crate self as echo_host_guest;

mod about;
#[doc(hidden)]
pub mod bindings;
pub mod config;
mod connection;
mod failure;
#[cfg(feature = "keyvalue")]
pub mod keyvalue;
#[doc(hidden)]
pub mod logging;
#[cfg(feature = "outgoing")]
pub mod outgoing;
mod responder;
#[doc(hidden)]
pub mod session;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod text;
mod timer;

pub use about::About;
pub use bindings::types::{Failure, PeerInfo};
pub use connection::Connection;
pub use failure::Result;
pub use session::Session;
pub use text::text;
pub use timer::Timer;
