//! Changes the configuration of a service in two steps: one that can fail, and one that cannot.

use super::prepare::{is_unchanged, prepare};
use super::{BeginError, Setup, Swapped, Swapper, check_imports};
use config::ServeConfig;
use connection::generation::Candidate;
use engine::Serving;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// A configuration that is ready to take effect. Blocks other swaps while it exists.
pub struct Prepared {
    setup: Arc<Setup>,
    /// The new version, if it changes.
    candidate: Option<Candidate<Serving>>,
    /// Whether anything changes.
    changes: bool,
    /// Whether grants, limits or anything else that versions are loaded with changed.
    loads_otherwise: bool,
    _turn: OwnedMutexGuard<()>,
}

impl Swapper {
    /// Prepares a configuration and its handler without changing anything. The configuration must
    /// be valid.
    pub async fn prepare(&self, config: ServeConfig) -> Result<Prepared, BeginError> {
        let turn = self.turn.clone().lock_owned().await;
        let before = self.setup.load_full();
        let setup = Setup::new(config, Some(&before))?;
        let current = self.generations.current();
        let served_alike = ServeConfig {
            swap: before.config.swap.clone(),
            ..setup.config.clone()
        } == before.config;
        let source = &setup.config.handler;
        let is_same = served_alike
            && *source == current.made_from.handler.source
            && is_unchanged(source, &current.made_from.hash).await;
        // The current version is probed again only if the probes changed.
        let candidate = if is_same && setup.config.swap.probes == before.config.swap.probes {
            None
        } else {
            Some(prepare(&self.engine, &setup, source).await?)
        };
        let candidate = candidate.filter(|_| !is_same);
        if let Some(candidate) = &candidate {
            let allowed = &setup.config.swap.allowed_imports;
            check_imports(candidate, &current, allowed)?;
        }
        Ok(Prepared {
            loads_otherwise: ServeConfig {
                handler: before.config.handler.clone(),
                swap: before.config.swap.clone(),
                ..setup.config.clone()
            } != before.config,
            changes: candidate.is_some() || setup.config != before.config,
            candidate,
            setup,
            _turn: turn,
        })
    }

    /// Applies the prepared configuration: `None` if nothing changes.
    pub fn commit(&self, prepared: Prepared) -> Option<Swapped> {
        let Prepared {
            setup,
            candidate,
            changes,
            loads_otherwise,
            _turn,
        } = prepared;
        self.generations.set_rules(setup.rules());
        self.setup.store(setup);
        let swapped = match candidate {
            None => Swapped::Unchanged(self.generations.current()),
            Some(candidate) => self.span.in_scope(|| self.replace(candidate)),
        };
        // A rollback must not bring back what was revoked.
        if loads_otherwise {
            self.generations.forget_others();
        }
        changes.then_some(swapped)
    }
}
