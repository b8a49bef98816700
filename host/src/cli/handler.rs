//! A handler that a command runs by itself.

use super::options::Given;
use config::{self, ServeConfig, ServiceSettings};
#[cfg(feature = "tools")]
use engine::Purpose;
use engine::{Capacity, ComponentSource, Engine, EngineError, HandlerFile, LoadError, SourceError};
use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;

/// The handler of a command that must be given one.
#[cfg(feature = "tools")]
#[derive(Debug, clap::Args)]
pub struct HandlerArg {
    /// The handler: a component in binary (.wasm) or text (.wat) form, or a demo; `-` for
    /// standard input
    pub handler: std::path::PathBuf,
}

/// The configuration of a handler that runs without a host.
pub fn serving(given: &Given<false>, handler: &Path) -> anyhow::Result<ServeConfig> {
    let settings = ServiceSettings {
        handler: Some(source(handler)?),
        ..given.service.clone()
    };
    let serving = settings.serving()?;
    let cache = config::cache_folder(given.host.cache.clone());
    config::check_grants(&serving, cache.as_deref())?;
    Ok(serving)
}

/// The component at this path. A pipe and standard input (`-`) are read to their end: there is no
/// second time, as a host needs it that is asked to reload.
fn source(path: &Path) -> Result<ComponentSource, LoadError> {
    let is_pipe = fs::metadata(path).is_ok_and(|it| it.file_type().is_fifo());
    let read = if is_stdin(path) {
        HandlerFile::from_stream("standard input".into(), io::stdin())
    } else if is_pipe {
        let open = File::open(path).map_err(Into::into);
        open.and_then(|pipe| HandlerFile::from_stream(path.to_owned(), pipe))
    } else {
        return Ok(path.to_owned().into());
    };
    let read = read.map_err(|fault| LoadError {
        handler: ComponentSource::File(path.to_owned()).into(),
        fault: SourceError::from(fault).into(),
    })?;
    Ok(ComponentSource::Read(Arc::new(read)))
}

/// Whether this stands for standard input. A file of that name is `./-`.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// An engine for a command, which runs this many instances at a time.
pub fn small_engine(given: &Given<false>, instances: NonZeroUsize) -> Result<Engine, EngineError> {
    let cache = config::cache_folder(given.host.cache.clone());
    Engine::new(Capacity::of(instances.get()), cache.as_deref())
}

/// The same for the author of this handler, who sees lines of source if it has them. Others need
/// not be compiled anew for that.
#[cfg(feature = "tools")]
pub fn author_engine(
    given: &Given<false>,
    instances: NonZeroUsize,
    config: &ServeConfig,
) -> Result<Engine, EngineError> {
    let cache = config::cache_folder(given.host.cache.clone());
    let purpose = Purpose {
        shows_lines: config.handler.has_lines(&config.trust),
        ..Purpose::default()
    };
    Engine::with_purpose(Capacity::of(instances.get()), cache.as_deref(), purpose)
}
