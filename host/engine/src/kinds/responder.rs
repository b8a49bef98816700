//! Handlers of the worlds `responder` and `framed-responder`, alone or as the stages of a pipeline:
//! the reply of each is the message of the next.

use super::instance::{Exports, Instance, Template};
use super::isolation::Isolation;
use super::kept::Kept;
use super::shared_lock::SharedLock;
use super::shared_slots::SharedSlots;
use crate::guest::contract::RESPOND;
use crate::guest::state::Guest;
use bytes::Bytes;
use connection::clock::Clock;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Event, Session, SessionError};
use connection::limits::MAX_HANDED_BYTES;
use std::pin::pin;
use std::sync::Arc;
use wasmtime::component::{ComponentExportIndex, Instance as WasmInstance, InstancePre, TypedFunc};
use wasmtime::{Result, Store, error::Context as _};

/// The export `respond`.
pub struct Respond(TypedFunc<(Bytes,), (Bytes,)>);

impl Exports for Respond {
    type Indices = ComponentExportIndex;

    fn indices(pre: &InstancePre<Guest>) -> Result<ComponentExportIndex> {
        pre.component()
            .get_export_index(None, RESPOND)
            .context("`respond` is not exported")
    }

    fn load(
        index: &ComponentExportIndex,
        store: &mut Store<Guest>,
        wasm: &WasmInstance,
    ) -> Result<Self> {
        wasm.get_typed_func(store, index).map(Respond)
    }
}

impl Instance<Respond> {
    /// Computes the reply to one message.
    pub async fn respond(&mut self, message: Bytes) -> Result<Bytes, SessionError> {
        let called = {
            let (running, Respond(respond), store) =
                self.begin(MAX_HANDED_BYTES, Some(message.len()));
            let call = pin!(respond.call_async(store, (message,)));
            running.poll(call).await
        };
        let (reply,) = self.end(called)?;
        Ok(reply)
    }
}

/// A stage of a pipeline, in its own sandbox. A responder alone is the only stage.
#[derive(Clone)]
pub struct Stage {
    pub template: Arc<Template<Respond>>,
    /// The longest message that it declares, if it is not alone.
    pub max_message_bytes: usize,
}

impl Stage {
    /// A responder that is not part of a pipeline. Its messages are limited by the framing.
    pub fn alone(template: Arc<Template<Respond>>) -> Self {
        Stage {
            template,
            max_message_bytes: usize::MAX,
        }
    }

    /// The same with another key-value store and clock.
    pub fn with(&self, store: &keyvalue::Store, clock: &Clock) -> Self {
        Stage {
            template: self.template.with(store, clock),
            max_message_bytes: self.max_message_bytes,
        }
    }
}

/// The stages in order, and the instances that their connections share.
pub struct Responder {
    isolation: Isolation,
    /// Shared instances are `None` until the first message.
    stages: Vec<(Stage, SharedLock<Kept<Respond>>)>,
    // Declared last, so dropped last: its slots are free when no instance is left.
    slots: SharedSlots,
}

impl Responder {
    pub fn new(stages: &[Stage], isolation: Isolation) -> Self {
        let stages = stages.iter().cloned();
        let stages = stages.map(|stage| (stage, SharedLock::new(Kept::none())));
        let stages: Vec<_> = stages.collect();
        Responder {
            isolation,
            slots: SharedSlots::new(stages.iter().map(|(it, _)| it.template.memories).sum()),
            stages,
        }
    }

    /// The session of a new connection.
    pub fn session(self: &Arc<Self>, handle: &Arc<ConnectionHandle>) -> ResponderSession {
        ResponderSession {
            responder: self.clone(),
            own: Vec::new(),
            handle: handle.clone(),
        }
    }
}

/// Answers the messages of one connection.
pub struct ResponderSession {
    responder: Arc<Responder>,
    /// The connection's own instances by stage, with [`Isolation::Connection`].
    own: Vec<Kept<Respond>>,
    handle: Arc<ConnectionHandle>,
}

impl Session for ResponderSession {
    /// The reply of the last stage, if any. An empty reply drops the message, except that to an
    /// empty datagram, whose echo is an empty datagram.
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        let mut passing = match event {
            Event::Message(message) => message,
            Event::Open(_) if self.responder.isolation == Isolation::Connection => {
                // Boxed, so that messages do not pay for its size.
                Box::pin(self.open()).await?;
                return Ok(None);
            }
            _ => return Ok(None),
        };
        for index in 0..self.responder.stages.len() {
            let limit = self.responder.stages[index].0.max_message_bytes;
            if passing.len() > limit {
                return Err(too_long(index, limit, passing.len()));
            }
            let was_empty = passing.is_empty();
            passing = if let Some(own) = self.own.get_mut(index) {
                let mut own = own.lend()?;
                let replied = own.instance()?.respond(passing).await;
                own.note(&replied);
                replied?
            } else {
                self.respond_elsewhere(index, passing).await?
            };
            if passing.is_empty() && !was_empty {
                return Ok(None);
            }
        }
        Ok(Some(passing))
    }

    /// Responders keep no state between messages.
    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {}
}

impl ResponderSession {
    /// Starts the connection's own instances. Takes all their slots at once: connections that hold
    /// some and wait for more would deadlock.
    async fn open(&mut self) -> Result<(), CallError> {
        let Some((first, _)) = self.responder.stages.first() else {
            return Ok(());
        };
        let share = first.template.shares.of(self.handle.peer().transport);
        let wanted = self.responder.slots.wanted();
        let mut slots = first.template.take(share, wanted).await?;
        for (Stage { template, .. }, _) in &self.responder.stages {
            let own = slots.split(template.memories);
            let mut instance = Instance::in_slots(template, own, self.handle.span()).await?;
            instance.show_memory_of(&self.handle);
            self.own.push(Kept::new(instance));
        }
        Ok(())
    }

    /// The reply of one stage, in an instance that is not the connection's own.
    async fn respond_elsewhere(
        &mut self,
        index: usize,
        message: Bytes,
    ) -> Result<Bytes, SessionError> {
        let Responder {
            isolation, stages, ..
        } = &*self.responder;
        let (Stage { template, .. }, shared) = &stages[index];
        let (transport, span) = (self.handle.peer().transport, self.handle.span());
        match isolation {
            Isolation::Connection => Err(CallError::Gone.into()),
            Isolation::Shared => {
                let mut shared = shared.lock(transport).await;
                if shared.is_none() {
                    let slots = self.responder.slots.lend(template).await?;
                    *shared = Kept::new(Instance::in_slots(template, slots, span).await?);
                }
                let mut shared = shared.lend()?;
                let instance = shared.instance()?;
                instance.guest().log.speak_for(span);
                let replied = instance.respond(message).await;
                shared.note(&replied);
                replied
            }
            Isolation::Message => {
                let share = template.shares.of(transport);
                let mut fresh = Instance::new(template, share, span).await?;
                fresh.respond(message).await
            }
        }
    }
}

fn too_long(index: usize, limit: usize, given: usize) -> SessionError {
    let stage = index + 1;
    let reason =
        format!("stage {stage} of the pipeline takes at most {limit} bytes and was given {given}");
    SessionError::Internal(reason.into())
}
