//! Handlers of the worlds `responder` and `framed-responder`.

use super::instance::{Exports, Instance, Template};
use super::isolation::Isolation;
use super::shared_lock::SharedLock;
use super::shared_places::SharedPlaces;
use crate::guest::contract::RESPOND;
use crate::guest::state::Guest;
use crate::scheduling::places::Permit;
use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Event, Session, SessionError};
use connection::limits::MAX_HANDED_BYTES;
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
    pub async fn respond(&mut self, message: Bytes) -> Result<Bytes, CallError> {
        self.call_for(MAX_HANDED_BYTES, async |Respond(respond), store| {
            let (reply,) = respond.call_async(store, (message,)).await?;
            Ok(reply)
        })
        .await
    }
}

/// A responder, and the state its connections share.
pub struct Responder {
    template: Arc<Template<Respond>>,
    isolation: Isolation,
    shared: Arc<SharedInstance>,
}

/// The instance of [`Isolation::Shared`].
struct SharedInstance {
    /// `None` until the first message.
    instance: SharedLock<Option<Instance<Respond>>>,
    // Declared last, so dropped last: places are free when no instance is left.
    places: Arc<SharedPlaces>,
}

impl Responder {
    pub fn new(template: Arc<Template<Respond>>, isolation: Isolation) -> Self {
        let places = SharedPlaces::new(template.memories);
        Self::in_places(template, isolation, &places)
    }

    /// A responder whose shared instance uses these places.
    pub fn in_places(
        template: Arc<Template<Respond>>,
        isolation: Isolation,
        places: &Arc<SharedPlaces>,
    ) -> Self {
        let shared = SharedInstance {
            instance: SharedLock::default(),
            places: places.clone(),
        };
        Responder {
            template,
            isolation,
            shared: Arc::new(shared),
        }
    }

    /// The session of a new connection.
    pub fn session(&self, handle: &Arc<ConnectionHandle>) -> ResponderSession {
        ResponderSession {
            template: self.template.clone(),
            instance: match self.isolation {
                Isolation::Connection => Place::Own(None),
                Isolation::Shared => Place::Shared(self.shared.clone()),
                Isolation::Message => Place::Fresh,
            },
            handle: handle.clone(),
        }
    }
}

/// Answers the messages of one connection.
pub struct ResponderSession {
    template: Arc<Template<Respond>>,
    instance: Place,
    handle: Arc<ConnectionHandle>,
}

/// The instance of a connection.
enum Place {
    Own(Option<Instance<Respond>>),
    Shared(Arc<SharedInstance>),
    Fresh,
}

impl Session for ResponderSession {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            Event::Open(_) => self.open().await?,
            Event::Message(message) => {
                if let Some(reply) = self.answer(message).await? {
                    self.handle.send(reply);
                }
            }
            Event::Eof | Event::Writable | Event::Timer(_) | Event::Move | Event::Shutdown => {}
        }
        Ok(())
    }

    /// A responder keeps no state between messages.
    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {}
}

impl ResponderSession {
    /// Starts the connection's own instance, if it has one.
    async fn open(&mut self) -> Result<(), CallError> {
        match self.places() {
            0 => Ok(()),
            places => {
                let places = self.take(places).await?;
                self.open_in(places).await
            }
        }
    }

    /// Takes places of its service.
    pub async fn take(&mut self, places: usize) -> Result<Permit, CallError> {
        let share = self.template.shares.of(self.handle.peer().transport);
        self.template.take(share, places).await
    }

    /// The places of its own instance.
    pub fn places(&self) -> usize {
        match self.instance {
            Place::Own(_) => self.template.memories,
            Place::Shared(_) | Place::Fresh => 0,
        }
    }

    /// Starts the connection's own instance in these places.
    pub async fn open_in(&mut self, places: Permit) -> Result<(), CallError> {
        if let Place::Own(instance) = &mut self.instance {
            let made = Instance::in_places(&self.template, places, self.handle.span());
            *instance = Some(made.await?);
        }
        Ok(())
    }

    /// The reply to one message. An empty reply is none, except to an empty datagram, whose echo is
    /// an empty datagram.
    pub async fn answer(&mut self, message: Bytes) -> Result<Option<Bytes>, CallError> {
        let was_empty = message.is_empty();
        let reply = self.respond(message).await?;
        Ok((was_empty || !reply.is_empty()).then_some(reply))
    }

    async fn respond(&mut self, message: Bytes) -> Result<Bytes, CallError> {
        let ResponderSession {
            template, handle, ..
        } = self;
        let span = handle.span();
        let transport = handle.peer().transport;
        let share = template.shares.of(transport);
        let make = async || Instance::new(template, share, span).await;
        match &mut self.instance {
            Place::Own(instance) => respond_in(instance, make, message).await,
            Place::Shared(shared) => {
                let mut instance = shared.instance.lock(transport).await;
                if let Some(instance) = &mut *instance {
                    instance.guest().log.speak_for(span);
                }
                let make = async || {
                    let places = shared.places.lend(template).await?;
                    Instance::in_places(template, places, span).await
                };
                respond_in(&mut instance, make, message).await
            }
            Place::Fresh => respond_in(&mut None, make, message).await,
        }
    }
}

/// Calls the instance in `place`, which starts if there is none. It is put back only after a
/// successful call: after a failed or cancelled one it must not be used again.
async fn respond_in(
    place: &mut Option<Instance<Respond>>,
    make: impl AsyncFnOnce() -> Result<Instance<Respond>, CallError>,
    message: Bytes,
) -> Result<Bytes, CallError> {
    let mut instance = match place.take() {
        Some(instance) => instance,
        None => make().await?,
    };
    let reply = instance.respond(message).await?;
    *place = Some(instance);
    Ok(reply)
}
