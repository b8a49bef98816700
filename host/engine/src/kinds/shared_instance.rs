//! Sessions that share one instance: a chat room, a store.
//!
//! One lock guards the instance, so callbacks run one at a time. If it fails, its sessions end, and
//! the next session gets a new instance.

use super::conversation::Converse;
use super::instance::{Instance, Template};
use super::shared_lock::{Locked, SharedLock};
use bytes::Bytes;
use connection::handle::{ConnectionHandle, Lost};
use connection::handler::{CallError, Event, Session, SessionError};
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
    /// Taken during a call, so that a cancelled call leaves none.
    instance: Option<Instance<Converse>>,
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
                instance: None,
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

    async fn open(
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
        let mut instance = match state.instance.take() {
            Some(instance) => instance,
            None => {
                state.born = Instant::now();
                let share = &self.template.shares.streams;
                let made = Instance::new(&self.template, share, handle.span()).await;
                made.inspect_err(|error| state.bury(&error.to_string()))?
            }
        };
        state.members.insert(handle.id(), handle.clone());
        instance.guest().log.speak_for(handle.span());
        let opened = instance.open(handle, saved).await;
        state.put_back(instance, &opened);
        if opened.is_err() {
            state.members.remove(&handle.id());
        }
        Ok((state.generation, opened?))
    }

    /// Calls the instance for one of its sessions.
    async fn call<T>(
        &self,
        handle: &ConnectionHandle,
        open: (u64, ResourceAny),
        call: impl AsyncFnOnce(&mut Instance<Converse>, ResourceAny) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let (generation, session) = open;
        let mut state = self.lock(handle).await;
        let Some(mut instance) = state.take(generation) else {
            return Err(CallError::Gone.into());
        };
        instance.guest().log.speak_for(handle.span());
        let called = call(&mut instance, session).await;
        state.put_back(instance, &called);
        called
    }

    async fn close(&self, handle: &ConnectionHandle, open: (u64, ResourceAny)) {
        let (generation, session) = open;
        let mut state = self.lock(handle).await;
        let Some(mut instance) = state.take(generation) else {
            return;
        };
        instance.guest().log.speak_for(handle.span());
        let dropped = instance.close(session).await.map_err(SessionError::Call);
        state.members.remove(&handle.id());
        state.put_back(instance, &dropped);
    }
}

impl State {
    fn take(&mut self, generation: u64) -> Option<Instance<Converse>> {
        self.instance.take_if(|_| self.generation == generation)
    }

    /// Keeps the instance, unless the call has killed it.
    fn put_back<T>(&mut self, instance: Instance<Converse>, called: &Result<T, SessionError>) {
        match called {
            Err(SessionError::Call(error)) => self.bury(&error.to_string()),
            _ => self.instance = Some(instance),
        }
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

/// A session in the shared instance.
pub struct SharedSession {
    shared: Arc<Shared>,
    handle: Arc<ConnectionHandle>,
    open: Option<(u64, ResourceAny)>,
}

impl SharedSession {
    pub fn new(shared: Arc<Shared>, handle: Arc<ConnectionHandle>) -> Self {
        SharedSession {
            shared,
            handle,
            open: None,
        }
    }
}

impl SharedSession {
    async fn call<T>(
        &self,
        call: impl AsyncFnOnce(&mut Instance<Converse>, ResourceAny) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        match self.open {
            Some(open) => self.shared.call(&self.handle, open, call).await,
            None => Err(CallError::Gone.into()),
        }
    }
}

impl Session for SharedSession {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        if let Event::Open(saved) = &event {
            self.open = Some(self.shared.open(&self.handle, saved.as_ref()).await?);
            return Ok(());
        }
        self.call(async |instance, session| instance.callback(session, &event).await)
            .await
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        self.call(async |instance, session| instance.save(session).await)
            .await
    }

    async fn end(self) {
        if let Some(open) = self.open {
            self.shared.close(&self.handle, open).await;
        }
    }
}
