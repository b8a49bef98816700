//! The places of a shared instance.

use super::instance::{Exports, Template};
use crate::scheduling::places::Permit;
use connection::handler::CallError;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The places of a responder's shared instance, or of all stages of a pipeline. Taken at once with
/// the first message, and kept: a handler that holds some and waits for more would starve its
/// neighbours, and a failed instance is replaced without waiting.
pub struct SharedPlaces {
    wanted: usize,
    taken: OnceCell<Permit>,
}

impl SharedPlaces {
    /// This many places, not taken yet.
    pub fn new(wanted: usize) -> Arc<Self> {
        Arc::new(SharedPlaces {
            wanted,
            taken: OnceCell::new(),
        })
    }

    /// The places of one instance, as soon as there are enough for all, within the call timeout.
    /// Taken from the share of streams, because all connections use them.
    pub async fn lend<E: Exports>(&self, template: &Template<E>) -> Result<Permit, CallError> {
        let take = || template.take(&template.shares.streams, self.wanted);
        let taken = self.taken.get_or_try_init(take).await?;
        Ok(taken.lend())
    }
}
