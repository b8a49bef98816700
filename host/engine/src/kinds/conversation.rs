//! Handlers of the world `conversation-handler`: sessions, in instances of their own or in a shared
//! one.

use super::converse::Converse;
use super::instance::{Instance, Template};
use super::kept::Kept;
use super::shared_instance::Shared;
use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Event, Session, SessionError};
use std::sync::Arc;
use wasmtime::component::ResourceAny;

/// A session of one connection.
pub struct ConversationSession {
    handle: Arc<ConnectionHandle>,
    instance: SessionInstance,
    /// The session in the instance.
    open: Option<ResourceAny>,
}

/// The instance of a session.
enum SessionInstance {
    /// Boxed: sessions of a shared instance need no room for one.
    Own(Arc<Template<Converse>>, Box<Kept<Converse>>),
    /// The shared one, and its generation when the session opened.
    Shared(Arc<Shared>, u64),
}

impl ConversationSession {
    /// A session in an instance of its own.
    pub fn own(template: Arc<Template<Converse>>, handle: Arc<ConnectionHandle>) -> Self {
        Self::new(
            handle,
            SessionInstance::Own(template, Box::new(Kept::none())),
        )
    }

    /// A session in a shared instance.
    pub fn shared(shared: Arc<Shared>, handle: Arc<ConnectionHandle>) -> Self {
        Self::new(handle, SessionInstance::Shared(shared, 0))
    }

    fn new(handle: Arc<ConnectionHandle>, instance: SessionInstance) -> Self {
        ConversationSession {
            handle,
            instance,
            open: None,
        }
    }

    /// Opens the session, and starts its instance if there is none.
    async fn open(&mut self, saved: Option<&Bytes>) -> Result<(), SessionError> {
        let handle = &self.handle;
        let opened = match &mut self.instance {
            SessionInstance::Own(template, own) => {
                let share = template.shares.of(handle.peer().transport);
                let mut instance = Instance::new(template, share, handle.span()).await?;
                instance.show_memory_of(handle);
                **own = Kept::new(instance);
                own.call(async |it| it.open(handle, saved).await).await?
            }
            SessionInstance::Shared(shared, generation) => {
                let opened;
                (*generation, opened) = shared.open(handle, saved).await?;
                opened
            }
        };
        self.open = Some(opened);
        Ok(())
    }

    async fn call<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Instance<Converse>, ResourceAny) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let session = self.open.ok_or(CallError::Gone)?;
        let call = async |instance: &mut Instance<Converse>| call(instance, session).await;
        match &mut self.instance {
            SessionInstance::Own(_, own) => own.call(call).await,
            SessionInstance::Shared(shared, generation) => {
                shared.call(&self.handle, *generation, call).await
            }
        }
    }
}

impl Session for ConversationSession {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        if let Event::Open(saved) = &event {
            // Boxed, so that messages do not pay for its size.
            Box::pin(self.open(saved.as_ref())).await?;
        } else if let (SessionInstance::Own(_, own), Some(session)) =
            (&mut self.instance, self.open)
        {
            let mut own = own.lend()?;
            let told = own.instance()?.callback(session, &event).await;
            own.note(&told);
            told?;
        } else {
            let callback = async |it: &mut Instance<Converse>, session: ResourceAny| {
                it.callback(session, &event).await
            };
            self.call(callback).await?;
        }
        // What it sends is in the handle, like what others send to its connection.
        Ok(None)
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        self.call(async |instance, session| instance.save(session).await)
            .await
    }

    async fn end(self) {
        let Some(session) = self.open else {
            return;
        };
        match self.instance {
            SessionInstance::Own(_, mut own) => {
                if !own.is_none()
                    && let Err(error) = own.call(async |it| it.close(session).await).await
                {
                    let _entered = self.handle.span().enter();
                    tracing::warn!("while its session was dropped: {error}");
                }
            }
            SessionInstance::Shared(shared, generation) => {
                shared.close(&self.handle, generation, session).await;
            }
        }
    }
}
