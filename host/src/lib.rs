//! inetd for WebAssembly components: this library owns the sockets, and a sandboxed component computes
//! every reply.
//!
//! Data flows one way, and so do imports:
//!
//! ```text
//! listener -> admission -> server -> generation -> connection -> framing
//!                                        |
//!                                     handler   (the seam: traits, no Wasm, no sockets)
//!                                        |
//!                                      engine   (wasmtime: load -> instance -> responder, conversation, program)
//! ```
//!
//! Connection code is generic over its stream and its session, framing is pure, and only [`engine`]
//! names wasmtime. The command line lives in the binary, not here.

#![forbid(unsafe_code)]

pub mod address;
pub mod admission;
pub mod bench;
pub mod call;
pub mod choices;
pub mod client;
pub mod config;
pub mod confinement;
pub mod connection;
pub mod control;
pub mod datagram;
pub mod descriptors;
pub mod engine;
pub mod exchange;
pub mod framing;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod generation;
pub mod guest_text;
pub mod handler;
pub mod host;
pub mod keyvalue;
pub mod limits;
pub mod listener;
pub mod metrics;
pub mod opening;
pub mod outbox;
pub mod ownership;
pub mod project;
pub mod rates;
pub mod record;
pub mod registration;
pub mod scaffold;
pub mod server;
pub mod stream;
pub mod swap;
mod sync;
pub mod tls;
pub mod trust;
pub mod unix_socket;
pub mod watch;
