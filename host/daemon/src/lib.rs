//! A running host: services, swaps, reloads, the control socket and metrics. Takes
//! plain data; must not know the command line.

#![forbid(unsafe_code)]

pub mod control;
pub mod exchange_file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod host;
pub mod logs;
pub mod metrics;
pub mod process;
pub mod refusals;
pub mod swap;
