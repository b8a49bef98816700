//! What to serve, and how: plain data, checked as a whole before anything is bound.
//!
//! ```text
//! options, variables, file -> settings -> config        what was said; what is meant
//! ```
//!
//! [`HostSettings`] and [`ServiceSettings`] are what was said, in which nothing has to be; [`Sources`] puts the
//! options over the file, and completes them by the defaults to a [`HostConfig`].

mod complete;
mod door;
mod error;
mod exposure;
mod file;
mod host;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod listener;
mod machine;
#[cfg(test)]
mod schema;
mod serve;
mod service;
mod settings;
mod sources;
pub mod values;
pub mod written;

pub use complete::cache;
pub use door::ListenerConfig;
pub use error::ConfigError;
pub use exposure::check_grants;
pub use file::{FileError, read_toml};
pub use host::{HostConfig, ServiceConfig};
pub use listener::ListenerSettings;
pub use serve::{DEFAULT_MAX_MESSAGE_BYTES, ServeConfig, SwapConfig};
pub use service::ServiceSettings;
pub use settings::{HostSettings, LogFormat, LogLevel};
pub use sources::Sources;
pub use values::{
    FileMode, MemorySize, MessageSize, OptionalNumber, OptionalSize, OptionalTime, Place,
    ServiceName, Size, Time,
};

/// The JSON schema of the configuration file, for editors.
pub const SCHEMA: &str = include_str!("../../../echo-host.schema.json");
