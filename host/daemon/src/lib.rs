//! A running host: its configuration, its services, how their handlers are swapped and its settings reloaded, and what
//! it tells by its control socket and its metrics. It is given plain data and knows no command line.

#![forbid(unsafe_code)]

pub mod config;
pub mod control;
pub mod exchange_file;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod host;
pub mod logs;
pub mod metrics;
pub mod process;
pub mod swap;
