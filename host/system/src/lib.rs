//! What the host asks of the operating system: files and who may change them, descriptors that are passed on, the
//! process's user and its sandbox. It knows nothing of connections, handlers or Wasm.

#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
pub mod beneath;
pub mod confinement;
pub mod descriptors;
pub mod limits;
pub mod opening;
pub mod ownership;
pub mod trust;
pub mod unix_socket;
pub mod watch;
