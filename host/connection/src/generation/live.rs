//! The connections that a generation serves.

use super::{Generation, Generations};
use crate::handle::{ConnectionHandle, Notice, Traffic};
use crate::handler::Handler;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// The connections of one generation, by id.
#[derive(Debug, Default)]
pub struct Live(Mutex<HashMap<u64, Arc<ConnectionHandle>>>);

impl Live {
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Adds the traffic of each connection so far.
    pub fn add_to(&self, connections: &mut HashMap<u64, Traffic>) {
        let live = self.0.lock();
        connections.extend(live.iter().map(|(id, it)| (*id, it.traffic())));
    }

    /// Gives all sessions a notice.
    pub fn notify(&self, notice: Notice) {
        for handle in self.0.lock().values() {
            handle.notify(notice);
        }
    }
}

/// A guard: registers a connection with the generation that serves it until it is dropped.
#[derive(Debug)]
pub struct ConnectionGuard<H> {
    generation: Arc<Generation<H>>,
    handle: Arc<ConnectionHandle>,
}

impl<H> ConnectionGuard<H> {
    /// The generation that serves the connection.
    pub fn generation(&self) -> &Arc<Generation<H>> {
        &self.generation
    }

    /// The connection.
    pub fn handle(&self) -> &Arc<ConnectionHandle> {
        &self.handle
    }
}

impl<H> Drop for ConnectionGuard<H> {
    fn drop(&mut self) {
        self.generation.live.0.lock().remove(&self.handle.id());
    }
}

impl<H: Handler> Generations<H> {
    /// Registers a connection that `generation` will serve.
    pub fn guard(
        &self,
        generation: Arc<Generation<H>>,
        handle: &Arc<ConnectionHandle>,
    ) -> ConnectionGuard<H> {
        generation.live.0.lock().insert(handle.id(), handle.clone());
        // A connection that arrives while the host starts to stop would miss the notice.
        if generation.made_from.settings.converses && self.is_stopping() {
            handle.notify(Notice::Stop);
        }
        ConnectionGuard {
            generation,
            handle: handle.clone(),
        }
    }
}
