//! The places of instances that all connections share.

use super::instance::{Exports, Template};
use crate::scheduling::places::Permit;
use connection::handler::CallError;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What the shared instance of a responder takes, or those of all stages of a pipeline. It is taken
/// at once, for the first message, and kept: a handler that holds some of its places and waits for
/// more would starve its neighbours, and an instance that fails is replaced without waiting.
pub struct SharedPlaces {
    wanted: usize,
    taken: OnceCell<Permit>,
}

impl SharedPlaces {
    /// So many of them, none of which is taken yet.
    pub fn new(wanted: usize) -> Arc<Self> {
        Arc::new(SharedPlaces {
            wanted,
            taken: OnceCell::new(),
        })
    }

    /// The places of one of the instances, as soon as there are enough for all and within the call
    /// timeout. They belong to everybody, so they come from the share of streams.
    pub async fn lend<E: Exports>(&self, template: &Template<E>) -> Result<Permit, CallError> {
        let take = || template.take(&template.shares.streams, self.wanted);
        let taken = self.taken.get_or_try_init(take).await?;
        Ok(taken.lend())
    }
}
