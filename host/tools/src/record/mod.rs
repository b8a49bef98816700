//! Records live traffic as exchanges: sits between clients and a server, forwards every byte, and
//! writes down the traffic in the format of [`exchange`].
//!
//! Data flows one way: `relay` forwards bytes and adds them to a `transcript`, which becomes the
//! steps of an exchange; `recording` is the file.

mod recording;
mod relay;
mod transcript;

pub use recording::{Recording, RecordingError};
pub use relay::relay;
pub use transcript::{Transcript, received};
