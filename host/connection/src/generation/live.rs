//! The connections that a generation serves.

use super::{Generation, Generations, Moves, Stay};
use crate::handle::{ConnectionHandle, Notice, Traffic};
use crate::handler::Handler;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The connections of one generation, by id.
#[derive(Debug, Default)]
pub struct Live(Mutex<HashMap<u64, Registered>>);

#[derive(Debug)]
struct Registered {
    handle: Arc<ConnectionHandle>,
    stage: Stage,
    /// The bytes of a program's connection at the last sweep: only sessions mark that bytes move.
    moved_bytes: u64,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No session has started: it starts with whatever generation is current then.
    New,
    /// It has a session, which decides whether it moves.
    Session,
    /// A program serves it.
    Program,
}

impl Live {
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Adds the traffic of each connection so far.
    pub fn add_to(&self, connections: &mut HashMap<u64, Traffic>) {
        let live = self.0.lock();
        connections.extend(live.iter().map(|(id, it)| (*id, it.handle.traffic())));
    }

    /// The ids of all.
    pub fn ids(&self) -> Vec<u64> {
        self.0.lock().keys().copied().collect()
    }

    /// Some of them, by id, and how far they are.
    pub fn some(&self, ids: &[u64]) -> Vec<(Arc<ConnectionHandle>, Stage)> {
        let live = self.0.lock();
        let found = ids.iter().filter_map(|id| live.get(id));
        found.map(|it| (it.handle.clone(), it.stage)).collect()
    }

    /// Gives all sessions a notice.
    pub fn notify(&self, notice: Notice) {
        for it in self.0.lock().values() {
            it.handle.notify(notice);
        }
    }

    /// Notifies the idle ones. See [`ConnectionHandle::sweep`].
    pub fn sweep(&self, now: Duration) {
        for it in self.0.lock().values_mut() {
            if it.stage == Stage::Program {
                let traffic = it.handle.traffic();
                let bytes = traffic.received_bytes + traffic.sent_bytes;
                if std::mem::replace(&mut it.moved_bytes, bytes) != bytes {
                    it.handle.touch();
                }
            }
            it.handle.sweep(now);
        }
    }

    /// Notes all connections as open at a swap; `stay` is why none of them moves.
    pub fn ask(&self, moves: &Moves, stay: Option<Stay>) {
        for (id, it) in &*self.0.lock() {
            match (stay, it.stage) {
                (_, Stage::Program) => moves.note(Err(Stay::Program)),
                (Some(why), _) => moves.note(Err(why)),
                (None, Stage::New) => moves.note(Ok(())),
                (None, Stage::Session) => moves.ask(*id),
            }
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

    /// Notes how far the connection is.
    pub fn set_stage(&self, stage: Stage) {
        if let Some(it) = self.generation.live.0.lock().get_mut(&self.handle.id()) {
            it.stage = stage;
        }
    }
}

impl<H> Drop for ConnectionGuard<H> {
    fn drop(&mut self) {
        let id = self.handle.id();
        // One that moves is registered with the other already.
        if self.handle.generation() == self.generation.number {
            let lasted = self.handle.since().elapsed().as_millis();
            let lasted = u64::try_from(lasted).unwrap_or(u64::MAX);
            self.generation.lasted.record(lasted);
        }
        self.generation.live.0.lock().remove(&id);
        self.generation.moves.lock().forget(id);
    }
}

impl<H: Handler> Generations<H> {
    /// Registers a connection that `generation` will serve.
    pub fn guard(
        &self,
        generation: Arc<Generation<H>>,
        handle: &Arc<ConnectionHandle>,
    ) -> ConnectionGuard<H> {
        let registered = Registered {
            handle: handle.clone(),
            stage: Stage::New,
            moved_bytes: 0,
        };
        generation.live.0.lock().insert(handle.id(), registered);
        handle.note_generation(generation.number);
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
