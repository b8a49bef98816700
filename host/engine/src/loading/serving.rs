//! A loaded handler behind the traits of the network side.

use super::source::HandlerSource;
use crate::guest::profiler::VersionId;
use crate::guest::state::GuestSettings;
use crate::kinds::conversation::ConversationSession;
use crate::kinds::converse::Converse;
use crate::kinds::instance::Template;
use crate::kinds::isolation::Isolation;
use crate::kinds::program::{ProgramRun, Run};
use crate::kinds::responder::{Responder, ResponderSession, Stage};
use crate::kinds::shared_instance::Shared;
use crate::scheduling::call_meter::CallFigures;
use bytes::Bytes;
use connection::clock::Clock;
use connection::handle::ConnectionHandle;
use connection::handler::{Event, Handler, Service, Session, SessionError};
use keyvalue::Store;
use std::sync::Arc;

/// The instance templates of a handler, by kind.
#[derive(Clone)]
pub enum Templates {
    /// The stages in order, one if it is no pipeline.
    Responder(Vec<Stage>),
    Conversation(Arc<Template<Converse>>),
    Program(Arc<Template<Run>>),
}

impl Templates {
    /// The same with another key-value store and clock.
    pub fn with(&self, store: &Store, clock: &Clock) -> Self {
        match self {
            Templates::Responder(stages) => {
                let stages = stages.iter().map(|stage| stage.with(store, clock));
                Templates::Responder(stages.collect())
            }
            Templates::Conversation(template) => {
                Templates::Conversation(template.with(store, clock))
            }
            Templates::Program(template) => Templates::Program(template.with(store, clock)),
        }
    }
}

/// A handler with its isolation: what a server serves.
pub struct Serving {
    /// Its source, to be read again.
    pub source: HandlerSource,
    templates: Templates,
    isolation: Isolation,
    kind: Kind,
}

enum Kind {
    Responder(Arc<Responder>),
    OwnConversation(Arc<Template<Converse>>),
    SharedConversation(Arc<Shared>),
    Program(Arc<Template<Run>>),
}

impl Serving {
    pub(crate) fn new(source: HandlerSource, templates: Templates, isolation: Isolation) -> Self {
        let kind = match &templates {
            Templates::Responder(stages) => {
                Kind::Responder(Arc::new(Responder::new(stages, isolation)))
            }
            Templates::Conversation(template) if isolation == Isolation::Shared => {
                Kind::SharedConversation(Arc::new(Shared::new(template.clone())))
            }
            Templates::Conversation(template) => Kind::OwnConversation(template.clone()),
            Templates::Program(template) => Kind::Program(template.clone()),
        };
        Serving {
            source,
            templates,
            isolation,
            kind,
        }
    }
}

impl Serving {
    /// What the calls of this version have taken.
    pub fn call_figures(&self) -> CallFigures {
        let settings = self.settings();
        settings.map_or_else(CallFigures::default, |it| it.meter.figures())
    }

    /// Whether samples of this version are its samples.
    pub fn is_version(&self, version: VersionId) -> bool {
        self.settings().is_some_and(|it| it.version == version)
    }

    fn settings(&self) -> Option<&GuestSettings> {
        match &self.templates {
            // All stages have the same.
            Templates::Responder(stages) => stages.first().map(|it| &*it.template.settings),
            Templates::Conversation(template) => Some(&template.settings),
            Templates::Program(template) => Some(&template.settings),
        }
    }
}

impl Handler for Serving {
    type Session = AnySession;
    type Program = ProgramRun;

    fn renewed(&self) -> Self {
        Serving::new(self.source.clone(), self.templates.clone(), self.isolation)
    }

    fn serve(&self, handle: &Arc<ConnectionHandle>) -> Service<AnySession, ProgramRun> {
        Service::Session(match &self.kind {
            Kind::Responder(responder) => AnySession::Responder(responder.session(handle)),
            Kind::OwnConversation(template) => {
                let session = ConversationSession::own(template.clone(), handle.clone());
                AnySession::Conversation(session)
            }
            Kind::SharedConversation(shared) => {
                let session = ConversationSession::shared(shared.clone(), handle.clone());
                AnySession::Conversation(session)
            }
            Kind::Program(template) => {
                return Service::Program(ProgramRun::new(template.clone(), handle.clone()));
            }
        })
    }

    fn converses(&self) -> bool {
        matches!(
            self.kind,
            Kind::OwnConversation(_) | Kind::SharedConversation(_)
        )
    }

    fn is_shared(&self) -> bool {
        self.isolation == Isolation::Shared
    }
}

/// A session of any kind of handler.
pub enum AnySession {
    /// A responder's session.
    Responder(ResponderSession),
    /// A conversation's session.
    Conversation(ConversationSession),
}

impl Session for AnySession {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        match self {
            AnySession::Responder(session) => session.tell(event).await,
            AnySession::Conversation(session) => session.tell(event).await,
        }
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        match self {
            AnySession::Responder(session) => session.save().await,
            AnySession::Conversation(session) => session.save().await,
        }
    }

    async fn end(self) {
        match self {
            AnySession::Responder(session) => session.end().await,
            AnySession::Conversation(session) => session.end().await,
        }
    }
}
