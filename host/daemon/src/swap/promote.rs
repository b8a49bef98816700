//! Makes a version current: a new one, or one that was current before.

use super::{Refusal, Swapped, Swapper};
use connection::generation::{Candidate, End, Replacement};
use connection::limits::MOVE_REPORT_TIME;
use engine::Serving;
use std::sync::Arc;
use tokio::time::sleep;
use tracing::Instrument;

impl Swapper {
    pub(super) fn replace(&self, candidate: Candidate<Serving>) -> Swapped {
        let replacement = self.generations.swap(candidate);
        let Replacement {
            current, replaced, ..
        } = &replacement;
        tracing::info!(
            sha256 = %current.made_from.hash,
            "generation {} replaces generation {}: {}",
            current.number, replaced.number, current.made_from.name
        );
        self.replaced(replacement)
    }

    /// Makes an earlier or later version current again: the previous one, or that of this
    /// generation.
    pub async fn go_to(&self, generation: Option<u64>) -> Result<Swapped, Refusal> {
        let _turn = self.turn.lock().await;
        let current = self.generations.current();
        if generation == Some(current.number) {
            return Ok(Swapped::Unchanged(current));
        }
        self.span.in_scope(|| self.promote(generation, End::Left))
    }

    /// Called while holding the turn.
    fn promote(&self, generation: Option<u64>, end: End) -> Result<Swapped, Refusal> {
        let promoted = self.generations.go_to(generation, end);
        let replacement = promoted.ok_or_else(|| match generation {
            None => Refusal::NothingBefore,
            Some(number) => Refusal::NotKept {
                number,
                kept: self.generations.history().1,
            },
        })?;
        let Replacement {
            current, replaced, ..
        } = &replacement;
        let (new, old) = (current.number, replaced.number);
        match end {
            End::Unfit { .. } => {
                tracing::error!("generation {new} replaces generation {old}, which was {end}");
            }
            _ => {
                tracing::info!("generation {new} replaces generation {old}, chosen by the operator")
            }
        }
        Ok(self.replaced(replacement))
    }

    fn replaced(&self, replacement: Replacement<Serving>) -> Swapped {
        let Replacement {
            current,
            replaced,
            moves,
        } = replacement;
        let number = replaced.number;
        let (new, followed) = (current.number, moves.clone());
        let report = async move {
            let outcome = followed.settled(MOVE_REPORT_TIME).await;
            tracing::info!("generation {new}: {outcome}");
        };
        tokio::spawn(report.instrument(self.span.clone()));
        if let Some(limit) = self.setup.load().config.swap.drain_timeout {
            let generations = self.generations.clone();
            let replaced = Arc::downgrade(&replaced);
            tokio::spawn(async move {
                sleep(limit).await;
                // Unless it is gone, or current again.
                if let Some(replaced) = replaced.upgrade()
                    && generations.current().number != number
                    // If it was current again meanwhile, its time began anew.
                    && replaced.age() >= limit
                {
                    replaced.stop();
                }
            });
        }
        Swapped::Replaced {
            current,
            replaced: number,
            moves,
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
            let end = End::Unfit {
                failed_calls: unfit.failed_calls(),
                within: unfit.age(),
            };
            if let Err(refusal) = self.promote(None, end) {
                tracing::error!("cannot roll back: {refusal}");
            }
        }
    }
}
