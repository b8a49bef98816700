//! A pipeline of responders: the reply of each is the message of the next.

use super::instance::Template;
use super::isolation::Isolation;
use super::responder::Respond;
use super::responder::{Responder, ResponderSession};
use super::shared_places::SharedPlaces;
use bytes::Bytes;
use connection::handle::ConnectionHandle;
use connection::handler::{CallError, Event, Session, SessionError};
use keyvalue::Store;
use std::sync::Arc;

/// The template of a stage.
#[derive(Clone)]
pub struct StageTemplate {
    pub template: Arc<Template<Respond>>,
    /// The longest message that it declares.
    pub max_message_bytes: usize,
}

impl StageTemplate {
    /// The same with another key-value store.
    pub fn with_store(&self, store: &Store) -> Self {
        StageTemplate {
            template: self.template.with_store(store),
            max_message_bytes: self.max_message_bytes,
        }
    }
}

/// The stages in order, each in its own sandbox.
pub struct Pipeline {
    stages: Vec<(Responder, usize)>,
}

impl Pipeline {
    pub fn new(stages: &[StageTemplate], isolation: Isolation) -> Self {
        let shared = SharedPlaces::new(stages.iter().map(|it| it.template.memories).sum());
        let stages = stages.iter().map(|stage| {
            let responder = Responder::in_places(stage.template.clone(), isolation, &shared);
            (responder, stage.max_message_bytes)
        });
        Pipeline {
            stages: stages.collect(),
        }
    }

    /// The session of a new connection.
    pub fn session(&self, handle: &Arc<ConnectionHandle>) -> PipelineSession {
        let stages = self.stages.iter();
        PipelineSession {
            stages: stages
                .map(|(responder, limit)| (responder.session(handle), *limit))
                .collect(),
            handle: handle.clone(),
        }
    }
}

/// Answers the messages of one connection.
pub struct PipelineSession {
    stages: Vec<(ResponderSession, usize)>,
    handle: Arc<ConnectionHandle>,
}

impl PipelineSession {
    /// Starts the connection's own instances. Takes all their places at once: connections that hold
    /// some and wait for more would deadlock.
    async fn open(&mut self) -> Result<(), CallError> {
        let wanted = self.stages.iter().map(|(stage, _)| stage.places()).sum();
        let Some((first, _)) = self.stages.first_mut().filter(|_| wanted > 0) else {
            return Ok(());
        };
        let mut places = first.take(wanted).await?;
        for (stage, _) in &mut self.stages {
            let own = places.split(stage.places());
            stage.open_in(own).await?;
        }
        Ok(())
    }

    /// The reply of the last stage, if any: an empty reply of a stage drops the message.
    async fn pass(&mut self, message: Bytes) -> Result<Option<Bytes>, SessionError> {
        let mut passing = message;
        for (index, (stage, limit)) in self.stages.iter_mut().enumerate() {
            if passing.len() > *limit {
                return Err(SessionError::Internal(
                    format!(
                        "stage {} of the pipeline takes at most {limit} bytes and was given {}",
                        index + 1,
                        passing.len()
                    )
                    .into(),
                ));
            }
            match stage.answer(passing).await? {
                Some(reply) => passing = reply,
                None => return Ok(None),
            }
        }
        Ok(Some(passing))
    }
}

impl Session for PipelineSession {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            Event::Open(_) => self.open().await?,
            Event::Message(message) => {
                if let Some(reply) = self.pass(message).await? {
                    self.handle.send(reply);
                }
            }
            Event::Eof | Event::Writable | Event::Timer(_) | Event::Move | Event::Shutdown => {}
        }
        Ok(())
    }

    /// Like responders, it keeps no state between messages.
    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {}
}
