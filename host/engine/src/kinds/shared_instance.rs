//! Sessions that share one instance: a chat room, a store.
//!
//! One lock guards the instance, so callbacks run one at a time. If it fails, its sessions end, and
//! the next session gets a new instance.

use super::converse::Converse;
use super::instance::{Instance, Template};
use super::kept::Kept;
use super::shared_lock::{Locked, SharedLock};
use bytes::Bytes;
use connection::handle::{ConnectionHandle, Lost};
use connection::handler::{CallError, SessionError};
use connection::limits::{Limit, RESTART_BACK_OFF};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use wasmtime::component::ResourceAny;

/// The instance that all sessions of a handler share.
pub struct Shared {
    template: Arc<Template<Converse>>,
    state: SharedLock<State>,
}

struct State {
    instance: Kept<Converse>,
    /// Counts instances. Sessions of an earlier one are gone.
    generation: u64,
    /// The connections of its sessions, by id.
    members: HashMap<u64, Arc<ConnectionHandle>>,
    born: Instant,
    /// Consecutive instances that failed soon after their start.
    failures: u32,
    /// When the next may start.
    not_before: Instant,
}

impl Shared {
    pub fn new(template: Arc<Template<Converse>>) -> Self {
        let now = Instant::now();
        Shared {
            template,
            state: SharedLock::new(State {
                instance: Kept::none(),
                generation: 0,
                members: HashMap::new(),
                born: now,
                failures: 0,
                not_before: now,
            }),
        }
    }

    async fn lock(&self, handle: &ConnectionHandle) -> Locked<'_, State> {
        let mut state = self.state.lock(handle.peer().transport).await;
        if state.instance.is_none() && !state.members.is_empty() {
            state.bury("a call was abandoned");
        }
        state
    }

    /// Opens a session in the instance, which starts if there is none. Returns its generation.
    pub async fn open(
        &self,
        handle: &Arc<ConnectionHandle>,
        saved: Option<&Bytes>,
    ) -> Result<(u64, ResourceAny), SessionError> {
        let mut state = self.lock(handle).await;
        while state.instance.is_none() && Instant::now() < state.not_before {
            let not_before = state.not_before;
            drop(state);
            sleep_until(not_before).await;
            state = self.lock(handle).await;
        }
        if state.instance.is_none() {
            state.born = Instant::now();
            let share = &self.template.shares.streams;
            let made = Instance::new(&self.template, share, handle.span()).await;
            let made = made.inspect_err(|error| state.bury(&error.to_string()))?;
            state.instance = Kept::new(made);
        }
        state.members.insert(handle.id(), handle.clone());
        let opened = state.call(handle, async |it| it.open(handle, saved).await);
        let opened = opened.await;
        if opened.is_err() {
            state.members.remove(&handle.id());
        }
        Ok((state.generation, opened?))
    }

    /// Calls the instance for one of its sessions, if it is still the one of this generation.
    pub async fn call<T>(
        &self,
        handle: &ConnectionHandle,
        generation: u64,
        call: impl AsyncFnOnce(&mut Instance<Converse>) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let mut state = self.lock(handle).await;
        if state.generation != generation {
            return Err(CallError::Gone.into());
        }
        state.call(handle, call).await
    }

    /// Drops a session.
    pub async fn close(&self, handle: &ConnectionHandle, generation: u64, session: ResourceAny) {
        let mut state = self.lock(handle).await;
        if state.generation == generation {
            state.members.remove(&handle.id());
            let close = async |it: &mut Instance<Converse>| it.close(session).await;
            // The instance's end is logged by this, and nobody waits for the session's.
            let _ = state.call(handle, close).await;
        }
    }
}

impl State {
    /// Calls the instance. If this ends it, all its sessions end.
    async fn call<T>(
        &mut self,
        handle: &ConnectionHandle,
        call: impl AsyncFnOnce(&mut Instance<Converse>) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let call = async |instance: &mut Instance<Converse>| {
            instance.guest().log.speak_for(handle.span());
            call(instance).await
        };
        let called = self.instance.call(call).await;
        if let Err(SessionError::Call(error)) = &called {
            self.bury(&error.to_string());
        }
        called
    }

    /// Ends the sessions of a failed instance, and delays the next one after repeated failures.
    fn bury(&mut self, reason: &str) {
        let (first, longest, settled) = RESTART_BACK_OFF;
        self.failures = if self.born.elapsed() > settled {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let wait = match self.failures {
            0 | 1 => Duration::ZERO,
            failures => longest.min(first * 2u32.saturating_pow(failures - 2)),
        };
        if !wait.is_zero() {
            Limit::RestartBackOff.reached();
        }
        self.not_before = Instant::now() + wait;
        self.generation += 1;
        for (_, handle) in self.members.drain() {
            handle.lose(Lost::Instance(reason.to_owned()));
        }
        tracing::warn!(
            "the shared instance is gone: {reason}; the next starts in {wait:?} at the earliest"
        );
    }
}
