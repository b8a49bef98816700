//! A handler that a command runs by itself.

use super::options::Given;
use daemon::config::{self, ConfigError, ServeConfig, ServiceSettings};
use engine::{Capacity, Engine, EngineError};
use std::path::Path;

/// The handler of a command that must be given one.
#[cfg(feature = "tools")]
#[derive(Debug, clap::Args)]
pub struct HandlerArg {
    /// The handler: a component in binary (.wasm) or text (.wat) form
    pub handler: std::path::PathBuf,
}

/// How a handler is served that is not told more than this.
pub fn serving(given: &Given<false>, handler: &Path) -> Result<ServeConfig, ConfigError> {
    let settings = ServiceSettings {
        handler: Some(handler.to_owned()),
        ..given.service.clone()
    };
    let serving = settings.serving()?;
    let cache = config::cache_folder(given.host.cache.clone());
    config::check_grants(&serving, cache.as_deref())?;
    Ok(serving)
}

/// An engine that runs one instance at a time.
pub fn small_engine(given: &Given<false>) -> Result<Engine, EngineError> {
    let cache = config::cache_folder(given.host.cache.clone());
    Engine::new(Capacity::of(1), cache.as_deref())
}
