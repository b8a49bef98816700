//! Exchanges from live traffic: stands between clients and a server, passes every byte on, and writes down what
//! went which way, as [`exchange`](connection::exchange) reads it.
//!
//! Data flows one way: `relay` moves bytes and notes them in a `transcript`, which becomes the steps of an exchange;
//! `recording` is the file that all of them are in.

mod recording;
mod relay;
mod transcript;

pub use recording::{Recording, RecordingError};
pub use relay::relay;
pub use transcript::Transcript;
