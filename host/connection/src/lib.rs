//! One connection: how its bytes are cut into messages, how a handler is asked, and which generation of the handler
//! answers. It names no socket and no Wasm: [`task`] is generic over its stream, and [`handler`] is the seam.

#![forbid(unsafe_code)]

pub mod address;
pub mod exchange;
pub mod framing;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod generation;
pub mod guest_text;
pub mod handler;
pub mod limits;
pub mod outbox;
pub mod rates;
mod sync;
pub mod task;
