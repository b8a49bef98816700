//! The options of `serve`, each declared once: its type, its default, its help and what else holds
//! for it.
//!
//! The command line, the configuration file, its schema, the commented example and the tables of
//! the documents all follow from these declarations. A field's comment is its help: a sentence in
//! Markdown, verb first.

mod about;
#[macro_use]
mod declare;
mod host;
mod listener;
mod service;
#[cfg(test)]
mod tests;

pub use about::{About, Group, Level, Listed, Reached, Scope};
pub use declare::{Opt, Options, Parse};
pub use host::{HostSettings, LogConnections, LogFormat, LogLevel};
pub use listener::{ListenerSettings, WebSocketPage};
pub use service::ServiceSettings;
