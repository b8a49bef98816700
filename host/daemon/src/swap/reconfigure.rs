//! Changes how a service is served, in two steps: what can fail, and what can't.

use super::prepare::{is_unchanged, prepare};
use super::{BeginError, Setup, Swapped, Swapper, check_imports};
use crate::config::ServeConfig;
use connection::generation::Candidate;
use engine::Serving;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// Another configuration that is ready to take effect. Nobody else can swap while it is there.
pub struct Prepared {
    setup: Arc<Setup>,
    /// The version to serve from now on, if it is not just the one that is served.
    candidate: Option<Candidate<Serving>>,
    /// Whether anything at all is to change.
    changes: bool,
    /// Whether a file needs something else to be served than before.
    trusts_otherwise: bool,
    _turn: OwnedMutexGuard<()>,
}

impl Swapper {
    /// Makes another configuration ready, and the handler that it names, without changing anything. The
    /// configuration has been checked.
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
            && source.files() == current.made_from.files
            && is_unchanged(source, &current.made_from.hash).await;
        // What is served already is tried again only if there is something new that it must answer.
        let candidate = match is_same && setup.config.swap.probes == before.config.swap.probes {
            true => None,
            false => Some(prepare(&self.engine, &setup, source).await?),
        };
        let candidate = candidate.filter(|_| !is_same);
        if let Some(candidate) = &candidate {
            let allowed = &setup.config.swap.allowed_imports;
            check_imports(candidate, &current, allowed)?;
        }
        Ok(Prepared {
            trusts_otherwise: setup.config.trust != before.config.trust,
            changes: candidate.is_some() || setup.config != before.config,
            candidate,
            setup,
            _turn: turn,
        })
    }

    /// Lets what was prepared take effect: `None` if it changes nothing.
    pub fn commit(&self, prepared: Prepared) -> Option<Swapped> {
        let Prepared {
            setup,
            candidate,
            changes,
            trusts_otherwise,
            _turn,
        } = prepared;
        self.generations.set_rules(setup.rules());
        self.setup.store(setup);
        let swapped = match candidate {
            None => Swapped::Unchanged(self.generations.current()),
            Some(candidate) => self.span.in_scope(|| self.replace(candidate)),
        };
        if trusts_otherwise {
            self.generations.forget_previous();
        }
        changes.then_some(swapped)
    }
}
