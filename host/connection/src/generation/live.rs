//! The connections that a generation serves.

use super::{Generation, Generations, locked};
use crate::handler::Handler;
use crate::outbox::{Notice, Outbox, Traffic};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The connections of one generation, by id.
#[derive(Debug, Default)]
pub struct Live(Mutex<HashMap<u64, Arc<Outbox>>>);

impl Live {
    pub fn count(&self) -> usize {
        locked(&self.0).len()
    }

    /// Adds what has gone through each of them so far.
    pub fn add_to(&self, connections: &mut HashMap<u64, Traffic>) {
        let live = locked(&self.0);
        connections.extend(live.iter().map(|(id, it)| (*id, it.traffic())));
    }

    /// Tells all of them something.
    pub fn notify(&self, notice: Notice) {
        for outbox in locked(&self.0).values() {
            outbox.notify(notice);
        }
    }
}

/// A connection's place in the generation that serves it. It is given up when it is dropped.
#[derive(Debug)]
pub struct Seat<H> {
    generation: Arc<Generation<H>>,
    outbox: Arc<Outbox>,
}

impl<H> Seat<H> {
    /// The generation that serves the connection.
    pub fn generation(&self) -> &Arc<Generation<H>> {
        &self.generation
    }

    /// The connection.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }
}

impl<H> Drop for Seat<H> {
    fn drop(&mut self) {
        locked(&self.generation.live.0).remove(&self.outbox.id());
    }
}

impl<H: Handler> Generations<H> {
    /// Takes a connection in, which `generation` is going to serve.
    pub fn seat(&self, generation: Arc<Generation<H>>, outbox: &Arc<Outbox>) -> Seat<H> {
        locked(&generation.live.0).insert(outbox.id(), outbox.clone());
        // One that comes while the host begins to stop would hear of it too late.
        if generation.made_from.terms.converses && self.is_stopping() {
            outbox.notify(Notice::Stop);
        }
        Seat {
            generation,
            outbox: outbox.clone(),
        }
    }
}
