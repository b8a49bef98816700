//! The slots of a shared instance.

use super::instance::{Exports, Template};
use crate::scheduling::slots::Permit;
use connection::handler::CallError;
use tokio::sync::OnceCell;

/// The slots of a responder's shared instance, or of all stages of a pipeline. Taken at once with
/// the first message, and kept: a handler that holds some and waits for more would starve its
/// neighbours, and a failed instance is replaced without waiting.
pub struct SharedSlots {
    wanted: usize,
    taken: OnceCell<Permit>,
}

impl SharedSlots {
    /// This many slots, not taken yet.
    pub fn new(wanted: usize) -> Self {
        SharedSlots {
            wanted,
            taken: OnceCell::new(),
        }
    }

    /// The slots of one instance of each stage.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// The slots of one instance, as soon as there are enough for all, within the call timeout.
    /// Taken from the share of streams, because all connections use them.
    pub async fn lend<E: Exports>(&self, template: &Template<E>) -> Result<Permit, CallError> {
        let take = || template.take(&template.shares.streams, self.wanted);
        let taken = self.taken.get_or_try_init(take).await?;
        Ok(taken.lend())
    }
}
