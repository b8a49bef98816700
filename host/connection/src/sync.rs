//! The locks and atomics of what threads share without a runtime. The models in `tests/models` compile the same code with
//! loom's in their place.

pub use std::sync::atomic;
pub use std::sync::{Mutex, MutexGuard};
