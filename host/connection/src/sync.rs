//! Locks and atomics of state that threads share without a runtime. The models in `tests/models`
//! compile the same code with those of loom.

pub use parking_lot::{Mutex, MutexGuard};
pub use std::sync::atomic;
