//! One connection: the handler traits, and generations. Must not know sockets or Wasm:
//! [`task`] is generic over its stream, and [`handler`] is the seam to the engine.

#![forbid(unsafe_code)]

pub mod busy;
pub mod clock;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod generation;
pub mod guest_text;
pub mod handle;
pub mod handler;
pub mod histogram;
pub mod limits;
pub mod rates;
mod sync;
pub mod task;
