//! Swaps handlers under live traffic: a new version is read, compiled, linked, checked and probed before
//! it serves anybody, and one that turns out to be unfit is swapped back.

mod prepare;
mod refusal;

pub use prepare::{Probe, ProbeError};
pub use refusal::{LastRefusal, Refusal};

use crate::config::ServeConfig;
use crate::engine::{Engine, HandlerSource, Serving};
use crate::exchange::FileError;
use crate::generation::{Candidate, Generation, Generations, Replacement};
use prepare::{is_unchanged, prepare};
use refusal::Refusals;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// Makes generations, one at a time.
pub struct Swapper {
    engine: Arc<Engine>,
    config: Arc<ServeConfig>,
    probes: Arc<Vec<Probe>>,
    generations: Arc<Generations<Serving>>,
    /// Held by who swaps.
    turn: Mutex<()>,
    refusals: Refusals,
}

/// Why serving can't begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A file of probes is bad.
    #[error(transparent)]
    ProbeFile(#[from] FileError),
    /// The handler is not to be served.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What came of a request to swap.
#[derive(Clone)]
pub enum Swapped {
    /// Another generation is current.
    Replaced {
        /// The current one.
        current: Arc<Generation<Serving>>,
        /// The number of the one it replaced.
        replaced: u64,
    },
    /// What is served is just what was asked for.
    Unchanged(Arc<Generation<Serving>>),
}

impl Swapper {
    /// Prepares the first generation. The configuration has been checked.
    pub async fn begin(engine: Engine, config: ServeConfig) -> Result<Arc<Self>, BeginError> {
        let engine = Arc::new(engine);
        let probes = config.swap.probes.iter().map(|path| Probe::read(path));
        let probes = Arc::new(probes.collect::<Result<Vec<_>, _>>()?);
        let config = Arc::new(config);
        let first = prepare(&engine, &config, &probes, &config.handler).await?;
        Ok(Arc::new(Swapper {
            generations: Generations::new(first, config.swap.on_swap, config.swap.probation),
            engine,
            config,
            probes,
            turn: Mutex::default(),
            refusals: Refusals::default(),
        }))
    }

    /// What it makes.
    pub fn generations(&self) -> &Arc<Generations<Serving>> {
        &self.generations
    }

    /// How many swaps were refused, and the last of them.
    pub fn refusals(&self) -> (u64, Option<LastRefusal>) {
        self.refusals.get()
    }

    /// Swaps the handler for the one in `file`, or for what is now in the file of the current one. If
    /// anything is wrong with it the current one goes on serving.
    pub async fn swap(&self, file: Option<PathBuf>) -> Result<Swapped, Refusal> {
        let _turn = self.turn.lock().await;
        let file = file.or_else(|| self.generations.current().made_from.file.clone());
        let wanted = file.map_or(HandlerSource::BuiltInEcho, HandlerSource::File);
        let swapped = self.try_swap(&wanted).await;
        if let Err(refusal) = &swapped {
            tracing::error!("swap refused, the old handler serves on: {refusal}");
            if let Some(detail) = refusal.detail() {
                for line in detail.lines() {
                    tracing::error!("  {line}");
                }
            }
            self.refusals.note(&wanted, refusal);
        }
        swapped
    }

    async fn try_swap(&self, wanted: &HandlerSource) -> Result<Swapped, Refusal> {
        let current = self.generations.current();
        if is_unchanged(wanted, &current.made_from.hash).await {
            tracing::info!("{wanted} is what is served already");
            return Ok(Swapped::Unchanged(current));
        }
        let candidate = prepare(&self.engine, &self.config, &self.probes, wanted).await?;
        self.check_imports(&candidate, &current)?;
        let replacement = self.generations.swap(candidate);
        let Replacement { current, replaced } = &replacement;
        tracing::info!(
            sha256 = %current.made_from.hash,
            "generation {} replaces generation {}: {wanted}", current.number, replaced.number
        );
        Ok(self.replaced(replacement))
    }

    /// A new version may want no more than the old one did, unless the operator has allowed it.
    fn check_imports(
        &self,
        new: &Candidate<Serving>,
        old: &Generation<Serving>,
    ) -> Result<(), Refusal> {
        let allowed = |import: &&String| {
            let allowed = &self.config.swap.allowed_imports;
            old.made_from.imports.contains(import)
                || allowed.iter().any(|allowed| import.starts_with(allowed))
        };
        let more: Vec<_> = new
            .imports
            .iter()
            .filter(|it| !allowed(it))
            .cloned()
            .collect();
        match more.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Imports(more.join(", "))),
        }
    }

    /// Makes the generation before the current one current again.
    pub async fn roll_back(&self) -> Result<Swapped, Refusal> {
        let _turn = self.turn.lock().await;
        self.go_back()
    }

    /// For who has the turn.
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
        if let Some(limit) = self.config.swap.drain_timeout {
            let generations = self.generations.clone();
            let replaced = Arc::downgrade(&replaced);
            tokio::spawn(async move {
                sleep(limit).await;
                // Unless it is gone, or was made current again.
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

    /// Swaps back whenever a new generation turns out to be unfit. Runs until it is dropped.
    pub async fn watch_over(&self) {
        loop {
            let unfit = self.generations.unfit().await;
            let _turn = self.turn.lock().await;
            // Whoever had the turn before may have swapped it away.
            if self.generations.current().number != unfit.number {
                continue;
            }
            tracing::error!(
                "generation {} fails again and again ({} failed calls): rolling back",
                unfit.number,
                unfit.failed_calls()
            );
            if let Err(refusal) = self.go_back() {
                tracing::error!("cannot roll back: {refusal}");
            }
        }
    }
}
