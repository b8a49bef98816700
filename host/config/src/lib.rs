//! What to serve, and how: plain data, checked as a whole before anything is bound.
//!
//! ```text
//! options, variables, file -> settings -> config        what was said; what is meant
//! ```
//!
//! [`HostSettings`] and [`ServiceSettings`] are the given settings, all optional; [`Sources`] puts
//! the options over the file, and completes them by the defaults to a [`HostConfig`].

#![forbid(unsafe_code)]

mod complete;
mod control_folder;
mod diagnostics;
mod document;
mod error;
mod explain;
mod exposure;
mod file;
mod forms;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod host;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod listener;
mod machine;
pub mod options;
mod placing;
#[cfg(test)]
mod properties;
pub mod reference;
mod schema;
mod secrets;
mod serve;
mod sources;
mod standard;
pub mod value;
pub mod values;

pub use complete::cache_folder;
pub use control_folder::control_folder_of;
pub use diagnostics::Diagnostics;
pub use error::ConfigError;
pub use exposure::check_grants;
pub use file::{FileError, read_toml};
pub use host::{HostConfig, ServiceConfig};
pub use listener::ListenerConfig;
pub use options::{
    HostSettings, ListenerSettings, LogConnections, LogFormat, LogLevel, ServiceSettings,
    WebSocketPage,
};
pub use schema::schema;
pub use serve::{ServeConfig, SwapConfig};
pub use sources::Sources;
pub use value::{optional, read};
pub use values::{
    FileMode, MemorySize, MessageSize, OptionalNumber, OptionalPath, OptionalSize, OptionalTime,
    ServiceName, Size, Time,
};
