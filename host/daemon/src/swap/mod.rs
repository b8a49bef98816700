//! Swaps handlers under live traffic: loads, checks and probes a new version before it serves, and
//! rolls back one that turns out to be unfit. Must not know sockets.

mod prepare;
mod reconfigure;
mod refusal;
mod watch;

pub use prepare::{Probe, ProbeError};
pub use reconfigure::Prepared;
pub use refusal::Refusal;
pub use watch::WatchError;

use crate::config::ServeConfig;
use crate::exchange_file::FileError;
use crate::refusals::{LastRefusal, Refusals};
use arc_swap::ArcSwap;
use connection::generation::{Candidate, Generation, Generations, Replacement, Rules};
use engine::{Engine, HandlerFile, HandlerSource, LoadError, Serving, SourceError};
use keyvalue::Store;
use prepare::{is_unchanged, prepare};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
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

    /// The number of refused swaps, and the last one.
    pub fn refusals(&self) -> (u64, Option<LastRefusal>) {
        self.refusals.get()
    }

    /// Swaps in the handler in `file`, or the current files read again. On any error the current
    /// one keeps serving.
    pub async fn swap(&self, file: Option<PathBuf>) -> Result<Swapped, Refusal> {
        let swap = async {
            let _turn = self.turn.lock().await;
            let wanted = HandlerSource::from_files(match file {
                Some(file) => vec![file],
                None => self.generations.current().made_from.files.clone(),
            });
            let swapped = self.try_swap(&wanted).await;
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
    ) -> Result<Swapped, Refusal> {
        let swap = async {
            let _turn = self.turn.lock().await;
            let named = HandlerSource::File(path.clone());
            let read = spawn_blocking(move || HandlerFile::from_opened(path, file, signature));
            let swapped = match read.await {
                Ok(Ok(read)) => self.try_swap(&HandlerSource::Read(Arc::new(read))).await,
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

    async fn try_swap(&self, wanted: &HandlerSource) -> Result<Swapped, Refusal> {
        let current = self.generations.current();
        if is_unchanged(wanted, &current.made_from.hash).await {
            tracing::info!("{wanted} is already being served");
            return Ok(Swapped::Unchanged(current));
        }
        let setup = self.setup.load_full();
        let candidate = prepare(&self.engine, &setup, wanted).await?;
        check_imports(&candidate, &current, &setup.config.swap.allowed_imports)?;
        Ok(self.replace(candidate))
    }

    fn replace(&self, candidate: Candidate<Serving>) -> Swapped {
        let replacement = self.generations.swap(candidate);
        let Replacement { current, replaced } = &replacement;
        tracing::info!(
            sha256 = %current.made_from.hash,
            "generation {} replaces generation {}: {}",
            current.number, replaced.number, current.made_from.name
        );
        self.replaced(replacement)
    }

    /// Makes the previous generation current.
    pub async fn roll_back(&self) -> Result<Swapped, Refusal> {
        let _turn = self.turn.lock().await;
        self.span.in_scope(|| self.go_back())
    }

    /// Called while holding the turn.
    fn go_back(&self) -> Result<Swapped, Refusal> {
        let rolled_back = self.generations.roll_back();
        let replacement = rolled_back.ok_or(Refusal::NothingBefore)?;
        let Replacement { current, replaced } = &replacement;
        tracing::warn!(
            "rolled back: generation {} replaces generation {}",
            current.number,
            replaced.number
        );
        Ok(self.replaced(replacement))
    }

    fn replaced(&self, replacement: Replacement<Serving>) -> Swapped {
        let Replacement { current, replaced } = replacement;
        let number = replaced.number;
        if let Some(limit) = self.setup.load().config.swap.drain_timeout {
            let generations = self.generations.clone();
            let replaced = Arc::downgrade(&replaced);
            tokio::spawn(async move {
                sleep(limit).await;
                // Unless it is gone, or current again.
                if let Some(replaced) = replaced.upgrade()
                    && generations.current().number != number
                {
                    replaced.stop();
                }
            });
        }
        Swapped::Replaced {
            current,
            replaced: number,
        }
    }

    /// Rolls back whenever a new generation is unfit. Runs until dropped.
    pub async fn watch_over(&self) {
        loop {
            let unfit = self.generations.unfit().await;
            let _turn = self.turn.lock().await;
            // The previous holder of the turn may have replaced it already.
            if self.generations.current().number != unfit.number {
                continue;
            }
            let _entered = self.span.enter();
            tracing::error!(
                "generation {} keeps failing ({} failed calls): rolling back",
                unfit.number,
                unfit.failed_calls()
            );
            if let Err(refusal) = self.go_back() {
                tracing::error!("cannot roll back: {refusal}");
            }
        }
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
