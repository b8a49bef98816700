//! The process of a host: start and stop, inherited sockets, dropped rights, signals, the service
//! manager, the operator of the control socket, and helper processes.

pub mod compiler;
pub mod helper;
pub mod helping;
pub mod signals;

mod connections;
mod control;
mod figures;
mod inherited;
mod metrics;
mod operator;
mod privileges;
mod profile;
mod run;

mod sockets;
mod start;
mod supervisor;
mod versions;

pub use inherited::{InheritedError, brings_tls};
pub use start::{check, serve};
