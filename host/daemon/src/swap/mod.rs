//! Swaps handlers under live traffic: loads, checks and probes a new version before it serves, and
//! rolls back one that turns out to be unfit. Must not know sockets.

mod prepare;
mod promote;
mod reconfigure;
mod refusal;
mod watch;

pub use prepare::{Probe, ProbeError};
pub use reconfigure::Prepared;
pub use refusal::Refusal;
pub use watch::WatchError;

use crate::exchange_file::FileError;
use crate::refusals::{LastRefusal, Refusals};
use arc_swap::ArcSwap;
use config::ServeConfig;
use connection::generation::{Candidate, Generation, Generations, Moves, Rules};
use engine::{
    CallFigures, ComponentSource, Engine, HandlerFile, HandlerSource, LoadError, Profiler,
    Sampling, Serving, SourceError,
};
use keyvalue::Store;
use prepare::{is_unchanged, prepare};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tracing::{Instrument, Span};

/// Creates the generations of a service, one at a time.
pub struct Swapper {
    engine: Arc<Engine>,
    setup: ArcSwap<Setup>,
    generations: Arc<Generations<Serving>>,
    /// Held while a swap is in progress.
    turn: Arc<Mutex<()>>,
    refusals: Refusals,
    span: Span,
}

/// The configuration of a service, and its probes.
struct Setup {
    config: ServeConfig,
    probes: Vec<Probe>,
    /// The key-value store that all versions share.
    store: Store,
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A file of probes cannot be used.
    #[error(transparent)]
    ProbeFile(#[from] FileError),
    /// The handler was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The result of a swap.
#[derive(Clone)]
pub enum Swapped {
    /// There is a new current generation.
    Replaced {
        /// The current one.
        current: Arc<Generation<Serving>>,
        /// The number of the previous one.
        replaced: u64,
        /// What becomes of open connections.
        moves: Arc<Moves>,
    },
    /// The requested version is already served.
    Unchanged(Arc<Generation<Serving>>),
}

impl Setup {
    /// Reads the probes. Blocks. Reuses the store of `before` if its settings are the same.
    fn new(config: ServeConfig, before: Option<&Setup>) -> Result<Arc<Self>, FileError> {
        let probes = config.swap.probes.iter().map(|path| Probe::read(path));
        let probes = probes.collect::<Result<_, _>>()?;
        let keyvalue = &config.grants.keyvalue;
        let store = match before.filter(|it| it.config.grants.keyvalue == *keyvalue) {
            Some(before) => before.store.clone(),
            None => Store::new(keyvalue),
        };
        Ok(Arc::new(Setup {
            config,
            probes,
            store,
        }))
    }

    fn rules(&self) -> Rules {
        Rules {
            on_swap: self.config.swap.on_swap,
            probation: self.config.swap.probation,
        }
    }
}

impl Swapper {
    /// Prepares the first generation. The configuration must be valid. Log lines about swaps use
    /// `span`.
    pub async fn begin(
        engine: Arc<Engine>,
        config: ServeConfig,
        span: Span,
    ) -> Result<Arc<Self>, BeginError> {
        let setup = Setup::new(config, None)?;
        let first = prepare(&engine, &setup, &setup.config.handler).await?;
        Ok(Arc::new(Swapper {
            generations: Generations::new(first, setup.rules()),
            engine,
            setup: ArcSwap::new(setup),
            turn: Arc::default(),
            refusals: Refusals::default(),
            span,
        }))
    }

    /// The generations.
    pub fn generations(&self) -> &Arc<Generations<Serving>> {
        &self.generations
    }

    /// What calls of the handler have taken.
    pub fn call_figures(&self) -> CallFigures {
        self.engine.call_figures()
    }

    /// Samples guests of the handler. See [`Engine::profile`].
    pub fn profile(&self, profiler: &Arc<Profiler>, service: u32) -> Option<Sampling> {
        self.engine.profile(profiler, service)
    }

    /// The number of refused swaps, and the last one.
    pub fn refusals(&self) -> (u64, Option<LastRefusal>) {
        self.refusals.get()
    }

    /// Swaps in the handler in `file`, or the current files read again. It may import these more
    /// than the current one. On any error the current one keeps serving.
    pub async fn swap(
        &self,
        file: Option<PathBuf>,
        allowed_imports: &[String],
    ) -> Result<Swapped, Refusal> {
        let swap = async {
            let _turn = self.turn.lock().await;
            let wanted = match file {
                Some(file) => file.into(),
                None => self.generations.current().made_from.handler.source.clone(),
            };
            let swapped = self.try_swap(&wanted, allowed_imports).await;
            self.report(&wanted, swapped)
        };
        swap.instrument(self.span.clone()).await
    }

    /// The same for a file that a client has opened, perhaps with its signature.
    pub async fn swap_opened(
        &self,
        path: PathBuf,
        file: File,
        signature: Option<File>,
        allowed_imports: &[String],
    ) -> Result<Swapped, Refusal> {
        let swap = async {
            let _turn = self.turn.lock().await;
            let named = HandlerSource::from(ComponentSource::File(path.clone()));
            let read = spawn_blocking(move || HandlerFile::from_opened(path, file, signature));
            let swapped = match read.await {
                Ok(Ok(read)) => {
                    let read = ComponentSource::Read(Arc::new(read));
                    self.try_swap(&read.into(), allowed_imports).await
                }
                Ok(Err(fault)) => Err(Refusal::Load(LoadError {
                    handler: named.clone(),
                    fault: SourceError::from(fault).into(),
                })),
                Err(error) => Err(Refusal::Host(error.to_string())),
            };
            self.report(&named, swapped)
        };
        swap.instrument(self.span.clone()).await
    }

    /// Logs and remembers why a swap was refused.
    fn report(
        &self,
        wanted: &HandlerSource,
        swapped: Result<Swapped, Refusal>,
    ) -> Result<Swapped, Refusal> {
        if let Err(refusal) = &swapped {
            tracing::error!("swap refused, keeping the old handler: {refusal}");
            for line in refusal.detail().unwrap_or_default().lines() {
                tracing::error!("  {line}");
            }
            self.refusals.note(wanted, refusal);
        }
        swapped
    }

    async fn try_swap(
        &self,
        wanted: &HandlerSource,
        allowed_imports: &[String],
    ) -> Result<Swapped, Refusal> {
        let current = self.generations.current();
        if is_unchanged(wanted, &current.made_from.hash).await {
            tracing::info!("{wanted} is already being served");
            return Ok(Swapped::Unchanged(current));
        }
        let setup = self.setup.load_full();
        let candidate = prepare(&self.engine, &setup, wanted).await?;
        let always = &setup.config.swap.allowed_imports;
        check_imports(&candidate, &current, &[always, allowed_imports].concat())?;
        Ok(self.replace(candidate))
    }
}

/// A new version may import no more than the old one, unless allowed by an option.
fn check_imports(
    new: &Candidate<Serving>,
    old: &Generation<Serving>,
    allowed: &[String],
) -> Result<(), Refusal> {
    let may = |import: &&String| {
        old.made_from.imports.contains(import)
            || allowed.iter().any(|allowed| import.starts_with(allowed))
    };
    let more = new.imports.iter().filter(|import| !may(import));
    let more: Vec<_> = more.cloned().collect();
    if more.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Imports(more.join(", ")))
    }
}
