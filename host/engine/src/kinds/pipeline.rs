//! Responders one behind the other: the reply of each is the message of the next.

use super::instance::Template;
use super::isolation::Isolation;
use super::responder::Respond;
use super::responder::{Responder, ResponderSession};
use super::shared_places::SharedPlaces;
use bytes::Bytes;
use connection::handler::{CallError, Event, Session, SessionError};
use connection::outbox::Outbox;
use keyvalue::Store;
use std::sync::Arc;

/// What the instances of one stage are made from, and what it takes.
#[derive(Clone)]
pub struct StageTemplate {
    pub template: Arc<Template<Respond>>,
    /// The longest message it has declared that it takes.
    pub max_message_bytes: usize,
}

impl StageTemplate {
    /// The same for instances that keep things in `store`.
    pub fn with_store(&self, store: &Store) -> Self {
        StageTemplate {
            template: self.template.with_store(store),
            max_message_bytes: self.max_message_bytes,
        }
    }
}

/// Stages in their order, each in a sandbox of its own.
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
    pub fn session(&self, outbox: &Arc<Outbox>) -> PipelineSession {
        let stages = self.stages.iter();
        PipelineSession {
            stages: stages
                .map(|(responder, limit)| (responder.session(outbox), *limit))
                .collect(),
            outbox: outbox.clone(),
        }
    }
}

/// Answers the messages of one connection.
pub struct PipelineSession {
    stages: Vec<(ResponderSession, usize)>,
    outbox: Arc<Outbox>,
}

impl PipelineSession {
    /// Makes the instances that the connection is to have for itself. Their places are taken at once: connections that
    /// each have some and wait for more would wait for each other.
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

    /// What comes out at the end, if anything does: a stage that answers nothing has taken the message out.
    async fn pass(&mut self, message: Bytes) -> Result<Option<Bytes>, SessionError> {
        let mut passing = message;
        for (index, (stage, limit)) in self.stages.iter_mut().enumerate() {
            if passing.len() > *limit {
                return Err(SessionError::Internal(
                    format!(
                        "stage {} of the pipeline takes {limit} bytes, and was to be given {}",
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
                    self.outbox.send(reply);
                }
            }
            Event::Eof | Event::Writable | Event::Timer(_) | Event::Move | Event::Shutdown => {}
        }
        Ok(())
    }

    /// Like responders, it remembers nothing between two messages.
    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        Ok(None)
    }

    async fn end(self) {}
}
