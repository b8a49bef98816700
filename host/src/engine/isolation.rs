//! Which messages share an instance.

use super::instance::{Instance, Template};
use super::load::LoadedHandler;
use crate::handler::{CallError, Handler, Responder};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What is kept apart from what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each connection has an instance of its own: what one does can't be seen in another.
    #[default]
    Connection,
    /// One instance serves all connections, one message at a time. If it traps, the connection whose
    /// message it was is closed and a fresh instance serves the next message.
    Shared,
    /// Each message has an instance of its own: nothing at all is remembered.
    Message,
}

/// A loaded handler with its isolation: what a server serves.
pub struct Isolated {
    handler: Arc<LoadedHandler>,
    isolation: Isolation,
    shared: SharedInstance,
}

/// The instance of [`Isolation::Shared`], once it is made. The lock is fair: messages are answered in
/// the order of arrival.
type SharedInstance = Arc<Mutex<Option<Instance>>>;

impl Isolated {
    pub fn new(handler: LoadedHandler, isolation: Isolation) -> Self {
        Isolated {
            handler: Arc::new(handler),
            isolation,
            shared: SharedInstance::default(),
        }
    }
}

impl Handler for Isolated {
    type Responder = Guarded;

    fn responder(&self) -> Guarded {
        Guarded {
            handler: self.handler.clone(),
            instance: match self.isolation {
                Isolation::Connection => Place::Own(None),
                Isolation::Shared => Place::Shared(self.shared.clone()),
                Isolation::Message => Place::Fresh,
            },
        }
    }
}

/// The responder of one connection.
pub struct Guarded {
    handler: Arc<LoadedHandler>,
    instance: Place,
}

/// Where a connection finds its instance.
enum Place {
    Own(Option<Instance>),
    Shared(SharedInstance),
    Fresh,
}

impl Responder for Guarded {
    async fn open(&mut self) -> Result<(), CallError> {
        if let Place::Own(instance) = &mut self.instance {
            *instance = Some(Instance::new(&self.handler.template).await?);
        }
        Ok(())
    }

    async fn respond(&mut self, message: Bytes) -> Result<Bytes, CallError> {
        match &mut self.instance {
            Place::Own(instance) => respond_in(instance, &self.handler.template, message).await,
            Place::Shared(shared) => {
                respond_in(&mut *shared.lock().await, &self.handler.template, message).await
            }
            Place::Fresh => self.handler.call(message).await,
        }
    }
}

/// Calls the instance in `place`, which is made if there is none. It is put back only after a call that
/// ended well: one that failed, or was given up half-way, leaves an instance nobody may use again.
async fn respond_in(
    place: &mut Option<Instance>,
    template: &Template,
    message: Bytes,
) -> Result<Bytes, CallError> {
    let mut instance = match place.take() {
        Some(instance) => instance,
        None => Instance::new(template).await?,
    };
    let reply = instance.respond(message).await?;
    *place = Some(instance);
    Ok(reply)
}
