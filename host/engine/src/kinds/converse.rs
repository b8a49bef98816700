//! The export `conversation`, and its calls.

use super::instance::{Exports, Instance};
use crate::guest::contract::SECURING;
use crate::guest::contract::bindings::echo_host::handler::types::Failure;
use crate::guest::contract::bindings::exports::echo_host::handler::conversation;
use crate::guest::pending::Connection;
use crate::guest::state::Guest;
use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Event, SessionError};
use connection::limits::{MAX_HANDED_BYTES, MAX_SEND_BYTES};
use std::pin::pin;
use std::sync::Arc;
use wasmtime::component::{
    ComponentExportIndex, Instance as WasmInstance, InstancePre, ResourceAny, TypedFunc,
};
use wasmtime::{Result, Store};

/// The export `conversation`, and those that a conversation may have besides.
pub struct Converse {
    guest: conversation::Guest,
    on_secured: Option<OnSecured>,
}

/// `on-secured` of the interface `securing`.
type OnSecured = TypedFunc<(ResourceAny,), (Told,)>;

/// What a callback returns.
type Told = std::result::Result<(), Failure>;

/// Where the exports are in a component.
#[derive(Clone)]
pub struct Indices {
    guest: conversation::GuestIndices,
    on_secured: Option<ComponentExportIndex>,
}

impl Exports for Converse {
    type Indices = Indices;

    /// Conversations send large arguments.
    const MAX_ARGUMENT_BYTES: usize = MAX_SEND_BYTES;

    fn indices(pre: &InstancePre<Guest>) -> Result<Indices> {
        let component = pre.component();
        let securing = component.get_export_index(None, SECURING);
        let on_secured = |it| component.get_export_index(Some(&it), "on-secured");
        Ok(Indices {
            guest: conversation::GuestIndices::new(pre)?,
            on_secured: securing.and_then(on_secured),
        })
    }

    fn load(indices: &Indices, store: &mut Store<Guest>, wasm: &WasmInstance) -> Result<Self> {
        let on_secured = indices.on_secured.as_ref();
        let on_secured = on_secured.map(|index| wasm.get_typed_func(&mut *store, index));
        Ok(Converse {
            on_secured: on_secured.transpose()?,
            guest: indices.guest.load(store, wasm)?,
        })
    }
}

impl Converse {
    /// Tells a session that its connection is secured, if the handler wants to know.
    async fn secured(&self, store: &mut Store<Guest>, it: ResourceAny) -> Result<Told> {
        match &self.on_secured {
            Some(on_secured) => Ok(on_secured.call_async(store, (it,)).await?.0),
            None => Ok(Ok(())),
        }
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
            .call(async |Converse { guest, .. }, store| {
                let connection = store.data_mut().table.push(connection)?;
                let saved = saved.map(|bytes| &bytes[..]);
                guest.session().call_open(store, connection, saved).await
            })
            .await;
        self.settle(opened)
    }

    /// Calls a session with an event.
    pub async fn callback(&mut self, it: ResourceAny, event: &Event) -> Result<(), SessionError> {
        let called = {
            let message_bytes = match event {
                Event::Message(message) => Some(message.len()),
                _ => None,
            };
            let (running, converse, store) =
                self.begin(Converse::MAX_ARGUMENT_BYTES, message_bytes);
            let session = converse.guest.session();
            let call = pin!(async {
                match event {
                    Event::Open(_) | Event::Move => Ok(Ok(())),
                    Event::Message(message) => session.call_on_message(store, it, message).await,
                    Event::Eof => session.call_on_eof(store, it).await,
                    Event::Writable => session.call_on_writable(store, it).await,
                    Event::Timer(id) => session.call_on_timer(store, it, *id).await,
                    Event::Shutdown => session.call_on_shutdown(store, it).await,
                    // Boxed, so that messages do not pay for its size.
                    Event::Secured => Box::pin(converse.secured(store, it)).await,
                }
            });
            running.poll(call).await
        };
        let told = self.end(called);
        self.settle(told)
    }

    /// The state for the next generation. Sends during this call are committed.
    pub async fn save(&mut self, it: ResourceAny) -> Result<Option<Bytes>, SessionError> {
        let saved = self
            .call_for(MAX_HANDED_BYTES, async |Converse { guest, .. }, store| {
                Ok(Ok(guest.session().call_save(store, it).await?))
            })
            .await;
        Ok(self.settle(saved)?.map(Bytes::from))
    }

    /// Drops a session. Sends of its destructor are committed.
    pub async fn close(&mut self, session: ResourceAny) -> Result<(), SessionError> {
        let dropped = self.call(async |_, store| session.resource_drop_async(store).await);
        let dropped = dropped.await;
        match dropped {
            Ok(()) => self.guest().pending.commit(),
            Err(_) => self.guest().pending.discard(),
        }
        Ok(dropped?)
    }

    /// Commits the orders of a successful callback, and discards those of a failed one.
    fn settle<T>(
        &mut self,
        told: Result<Result<T, Failure>, CallError>,
    ) -> Result<T, SessionError> {
        let result = match told {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(reported(failure)),
            Err(error) => Err(SessionError::Call(error)),
        };
        match result {
            Ok(_) => self.guest().pending.commit(),
            Err(_) => self.guest().pending.discard(),
        }
        result
    }
}

/// The failure that a guest has returned.
fn reported(failure: Failure) -> SessionError {
    let Failure { kind, reason } = failure;
    match kind.as_str() {
        "protocol" => SessionError::Protocol(reason.into()),
        "refused" => SessionError::Refused(reason.into()),
        "internal" => SessionError::Internal(reason.into()),
        _ => SessionError::Internal(format!("{kind}: {reason}").into()),
    }
}
