//! Handlers of the world `conversation-handler`: sessions with their own instance.

use super::instance::{Exports, Instance, Template};
use crate::guest::contract::bindings::echo_host::handler::types::Failure;
use crate::guest::contract::bindings::exports::echo_host::handler::conversation;
use crate::guest::pending::Connection;
use crate::guest::state::Guest;
use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Event, Session, SessionError};
use connection::limits::{MAX_HANDED_BYTES, MAX_SEND_BYTES};
use std::sync::Arc;
use wasmtime::component::{Instance as WasmInstance, InstancePre, ResourceAny};
use wasmtime::{Result, Store};

/// The export `conversation`.
pub struct Converse(conversation::Guest);

impl Exports for Converse {
    type Indices = conversation::GuestIndices;

    /// Conversations send large arguments.
    const MAX_ARGUMENT_BYTES: usize = MAX_SEND_BYTES;

    fn indices(pre: &InstancePre<Guest>) -> Result<conversation::GuestIndices> {
        conversation::GuestIndices::new(pre)
    }

    fn load(
        indices: &conversation::GuestIndices,
        store: &mut Store<Guest>,
        wasm: &WasmInstance,
    ) -> Result<Self> {
        indices.load(store, wasm).map(Converse)
    }
}

impl Instance<Converse> {
    /// Opens a session for a connection, with the `saved` state of another generation, if any.
    pub async fn open(
        &mut self,
        handle: &Arc<ConnectionHandle>,
        saved: Option<&Bytes>,
    ) -> Result<ResourceAny, SessionError> {
        let connection = Connection(handle.clone());
        let opened = self
            .call(async |Converse(guest), store| {
                let connection = store.data_mut().table.push(connection)?;
                let saved = saved.map(|bytes| &bytes[..]);
                guest.session().call_open(store, connection, saved).await
            })
            .await;
        self.settle(opened)
    }

    /// Calls a session with an event.
    pub async fn callback(&mut self, it: ResourceAny, event: &Event) -> Result<(), SessionError> {
        let told = self
            .call(async |Converse(guest), store| {
                let session = guest.session();
                match event {
                    Event::Open(_) | Event::Move => Ok(Ok(())),
                    Event::Message(message) => session.call_on_message(store, it, message).await,
                    Event::Eof => session.call_on_eof(store, it).await,
                    Event::Writable => session.call_on_writable(store, it).await,
                    Event::Timer(id) => session.call_on_timer(store, it, *id).await,
                    Event::Shutdown => session.call_on_shutdown(store, it).await,
                }
            })
            .await;
        self.settle(told)
    }

    /// The state for the next generation. Sends during this call are committed.
    pub async fn save(&mut self, it: ResourceAny) -> Result<Option<Bytes>, SessionError> {
        let saved = self
            .call_for(MAX_HANDED_BYTES, async |Converse(guest), store| {
                Ok(Ok(guest.session().call_save(store, it).await?))
            })
            .await;
        Ok(self.settle(saved)?.map(Bytes::from))
    }

    /// Drops a session. Sends of its destructor are committed.
    pub async fn close(&mut self, session: ResourceAny) -> Result<(), CallError> {
        let dropped = self.call(async |_, store| session.resource_drop_async(store).await);
        let dropped = dropped.await;
        match dropped {
            Ok(()) => self.guest().pending.commit(),
            Err(_) => self.guest().pending.discard(),
        }
        dropped
    }

    /// Commits the orders of a successful callback, and discards those of a failed one.
    fn settle<T>(
        &mut self,
        told: Result<Result<T, Failure>, CallError>,
    ) -> Result<T, SessionError> {
        let result = match told {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Protocol(reason))) => Err(SessionError::Protocol(reason.into())),
            Ok(Err(Failure::Refused(reason))) => Err(SessionError::Refused(reason.into())),
            Ok(Err(Failure::Internal(reason))) => Err(SessionError::Internal(reason.into())),
            Err(error) => Err(SessionError::Call(error)),
        };
        match result {
            Ok(_) => self.guest().pending.commit(),
            Err(_) => self.guest().pending.discard(),
        }
        result
    }
}

/// A session with its own instance.
pub struct OwnSession {
    template: Arc<Template<Converse>>,
    handle: Arc<ConnectionHandle>,
    open: Option<(Instance<Converse>, ResourceAny)>,
}

impl OwnSession {
    pub fn new(template: Arc<Template<Converse>>, handle: Arc<ConnectionHandle>) -> Self {
        OwnSession {
            template,
            handle,
            open: None,
        }
    }
}

impl OwnSession {
    /// Calls the instance, and keeps it only if the call did not kill it.
    async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Instance<Converse>, ResourceAny) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let Some((mut instance, session)) = self.open.take() else {
            return Err(CallError::Gone.into());
        };
        let called = call(&mut instance, session).await;
        if !matches!(called, Err(SessionError::Call(_))) {
            self.open = Some((instance, session));
        }
        called
    }
}

impl Session for OwnSession {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        if let Event::Open(saved) = &event {
            let (template, handle) = (&self.template, &self.handle);
            let share = template.shares.of(handle.peer().transport);
            let mut instance = Instance::new(template, share, handle.span()).await?;
            let session = instance.open(&self.handle, saved.as_ref()).await?;
            self.open = Some((instance, session));
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
        if let Some((mut instance, session)) = self.open
            && let Err(error) = instance.close(session).await
        {
            let _entered = self.handle.span().enter();
            tracing::warn!("while its session was dropped: {error}");
        }
    }
}
