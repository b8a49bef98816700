//! Sessions that share one instance: a chat room, a store.
//!
//! The instance is guarded by one lock, so its callbacks run one at a time. When it fails it takes its sessions along, and the next session gets a fresh one.

use super::conversation::Converse;
use super::instance::{Instance, Template};
use super::shared_lock::{Locked, SharedLock};
use bytes::Bytes;
use connection::handler::{CallError, Event, Session, SessionError};
use connection::limits::{Limit, RESTART_BACK_OFF};
use connection::outbox::{Lost, Outbox};
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
    /// Taken out while it is called, so that a call which is given up half-way leaves none.
    instance: Option<Instance<Converse>>,
    /// Which instance this is. Sessions of an earlier one are gone.
    generation: u64,
    /// The connections whose sessions it holds, by id.
    members: HashMap<u64, Arc<Outbox>>,
    born: Instant,
    /// How many instances in a row died soon.
    failures: u32,
    /// When the next may be made.
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

    async fn lock(&self, outbox: &Outbox) -> Locked<'_, State> {
        let mut state = self.state.lock(outbox.peer().transport).await;
        if state.instance.is_none() && !state.members.is_empty() {
            state.bury("a call to it was given up");
        }
        state
    }

    async fn open(
        &self,
        outbox: &Arc<Outbox>,
        saved: Option<&Bytes>,
    ) -> Result<(u64, ResourceAny), SessionError> {
        let mut state = self.lock(outbox).await;
        while state.instance.is_none() && Instant::now() < state.not_before {
            let not_before = state.not_before;
            drop(state);
            sleep_until(not_before).await;
            state = self.lock(outbox).await;
        }
        let mut instance = match state.instance.take() {
            Some(instance) => instance,
            None => {
                state.born = Instant::now();
                let share = &self.template.shares.streams;
                let made = Instance::new(&self.template, share, outbox.span()).await;
                made.inspect_err(|error| state.bury(&error.to_string()))?
            }
        };
        state.members.insert(outbox.id(), outbox.clone());
        instance.guest().log.speak_for(outbox.span());
        let opened = instance.open(outbox, saved).await;
        state.put_back(instance, &opened);
        if opened.is_err() {
            state.members.remove(&outbox.id());
        }
        Ok((state.generation, opened?))
    }

    /// Calls the instance for one of its sessions.
    async fn call<T>(
        &self,
        outbox: &Outbox,
        open: (u64, ResourceAny),
        call: impl AsyncFnOnce(&mut Instance<Converse>, ResourceAny) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let (generation, session) = open;
        let mut state = self.lock(outbox).await;
        let Some(mut instance) = state.take(generation) else {
            return Err(CallError::Gone.into());
        };
        instance.guest().log.speak_for(outbox.span());
        let called = call(&mut instance, session).await;
        state.put_back(instance, &called);
        called
    }

    async fn close(&self, outbox: &Outbox, open: (u64, ResourceAny)) {
        let (generation, session) = open;
        let mut state = self.lock(outbox).await;
        let Some(mut instance) = state.take(generation) else {
            return;
        };
        instance.guest().log.speak_for(outbox.span());
        let dropped = instance.close(session).await.map_err(SessionError::Call);
        state.members.remove(&outbox.id());
        state.put_back(instance, &dropped);
    }
}

impl State {
    fn take(&mut self, generation: u64) -> Option<Instance<Converse>> {
        self.instance.take_if(|_| self.generation == generation)
    }

    /// Keeps the instance, unless the call it comes from has killed it.
    fn put_back<T>(&mut self, instance: Instance<Converse>, called: &Result<T, SessionError>) {
        match called {
            Err(SessionError::Call(error)) => self.bury(&error.to_string()),
            _ => self.instance = Some(instance),
        }
    }

    /// Ends the sessions of an instance that is gone, and lets the next one wait if this happens again
    /// and again.
    fn bury(&mut self, reason: &str) {
        let (first, longest, settled) = RESTART_BACK_OFF;
        self.failures = match self.born.elapsed() > settled {
            true => 0,
            false => self.failures.saturating_add(1),
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
        for (_, outbox) in self.members.drain() {
            outbox.lose(Lost::Instance(reason.to_owned()));
        }
        tracing::warn!("the shared instance is gone: {reason}; the next may start in {wait:?}");
    }
}

/// A session in the shared instance.
pub struct SharedSession {
    shared: Arc<Shared>,
    outbox: Arc<Outbox>,
    open: Option<(u64, ResourceAny)>,
}

impl SharedSession {
    pub fn new(shared: Arc<Shared>, outbox: Arc<Outbox>) -> Self {
        SharedSession {
            shared,
            outbox,
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
            Some(open) => self.shared.call(&self.outbox, open, call).await,
            None => Err(CallError::Gone.into()),
        }
    }
}

impl Session for SharedSession {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        if let Event::Open(saved) = &event {
            self.open = Some(self.shared.open(&self.outbox, saved.as_ref()).await?);
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
            self.shared.close(&self.outbox, open).await;
        }
    }
}
