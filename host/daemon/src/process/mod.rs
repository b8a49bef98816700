//! The process of a host: how it starts and stops, what it inherits and gives up, signals, the service manager, the
//! operator behind the control socket, and the processes that help it.

pub mod compiler;
pub mod helper;
pub mod helping;
pub mod signals;

mod control;
mod inherited;
mod metrics;
mod operator;
mod privileges;
mod run;

mod sockets;
mod start;
mod supervisor;

pub use inherited::{InheritedError, brings_tls};
pub use start::serve;
