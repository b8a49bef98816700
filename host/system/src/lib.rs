//! The interface to the operating system: files and their owners, passing descriptors, and the user
//! and sandbox of the process. Must not know connections, handlers or Wasm.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
pub mod beneath;
pub mod confinement;
pub mod descriptors;
pub mod limits;
pub mod listening;
pub mod opening;
pub mod ownership;
pub mod trust;
pub mod unix_socket;
pub mod watch;
