//! A loaded handler behind the traits of the network side.

use super::conversation::{Converse, OwnSession};
use super::instance::Template;
use super::isolation::Isolation;
use super::pipeline::{Pipeline, PipelineSession, StageTemplate};
use super::program::{ProgramRun, Run};
use super::responder::{Respond, Responder, ResponderSession};
use super::shared_instance::{Shared, SharedSession};
use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{Event, Handler, Service, Session, SessionError};
use keyvalue::Store;
use std::sync::Arc;

/// The instance templates of a handler, by kind.
pub enum Templates {
    Responder(Arc<Template<Respond>>),
    Pipeline(Vec<StageTemplate>),
    Conversation(Arc<Template<Converse>>),
    Program(Arc<Template<Run>>),
}

impl Templates {
    /// The same with another key-value store.
    pub fn with_store(&self, store: &Store) -> Self {
        match self {
            Templates::Responder(template) => Templates::Responder(template.with_store(store)),
            Templates::Pipeline(stages) => {
                let stages = stages.iter().map(|stage| stage.with_store(store));
                Templates::Pipeline(stages.collect())
            }
            Templates::Conversation(template) => {
                Templates::Conversation(template.with_store(store))
            }
            Templates::Program(template) => Templates::Program(template.with_store(store)),
        }
    }
}

/// A handler with its isolation: what a server serves.
pub struct Serving(Kind);

enum Kind {
    Responder(Responder),
    Pipeline(Pipeline),
    OwnConversation(Arc<Template<Converse>>),
    SharedConversation(Arc<Shared>),
    Program(Arc<Template<Run>>),
}

impl Serving {
    pub(crate) fn new(templates: &Templates, isolation: Isolation) -> Self {
        Serving(match templates {
            Templates::Responder(template) => {
                Kind::Responder(Responder::new(template.clone(), isolation))
            }
            Templates::Pipeline(stages) => Kind::Pipeline(Pipeline::new(stages, isolation)),
            Templates::Conversation(template) if isolation == Isolation::Shared => {
                Kind::SharedConversation(Arc::new(Shared::new(template.clone())))
            }
            Templates::Conversation(template) => Kind::OwnConversation(template.clone()),
            Templates::Program(template) => Kind::Program(template.clone()),
        })
    }
}

impl Handler for Serving {
    type Session = AnySession;
    type Program = ProgramRun;

    fn serve(&self, handle: &Arc<ConnectionHandle>) -> Service<AnySession, ProgramRun> {
        Service::Session(match &self.0 {
            Kind::Responder(responder) => AnySession::Responder(responder.session(handle)),
            Kind::Pipeline(pipeline) => AnySession::Pipeline(pipeline.session(handle)),
            Kind::OwnConversation(template) => {
                let session = OwnSession::new(template.clone(), handle.clone());
                AnySession::Own(Box::new(session))
            }
            Kind::SharedConversation(shared) => {
                AnySession::Shared(SharedSession::new(shared.clone(), handle.clone()))
            }
            Kind::Program(template) => {
                return Service::Program(ProgramRun::new(template.clone(), handle.clone()));
            }
        })
    }

    fn converses(&self) -> bool {
        matches!(
            self.0,
            Kind::OwnConversation(_) | Kind::SharedConversation(_)
        )
    }
}

/// A session of any kind of handler.
pub enum AnySession {
    /// A responder's session.
    Responder(ResponderSession),
    /// A pipeline's session.
    Pipeline(PipelineSession),
    /// A conversation's session in its own instance. Boxed: the others are much smaller.
    Own(Box<OwnSession>),
    /// A conversation's session in the shared instance.
    Shared(SharedSession),
}

impl Session for AnySession {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        match self {
            AnySession::Responder(session) => session.tell(event).await,
            AnySession::Pipeline(session) => session.tell(event).await,
            AnySession::Own(session) => session.tell(event).await,
            AnySession::Shared(session) => session.tell(event).await,
        }
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        match self {
            AnySession::Responder(session) => session.save().await,
            AnySession::Pipeline(session) => session.save().await,
            AnySession::Own(session) => session.save().await,
            AnySession::Shared(session) => session.save().await,
        }
    }

    async fn end(self) {
        match self {
            AnySession::Responder(session) => session.end().await,
            AnySession::Pipeline(session) => session.end().await,
            AnySession::Own(session) => session.end().await,
            AnySession::Shared(session) => session.end().await,
        }
    }
}
