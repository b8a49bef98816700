//! A session that can move to another generation.

use super::{ConnectionGuard, Generation, Generations, Moves, Stage, Stay};
use crate::handler::{Event, Handler, Service, Session, SessionError};
use crate::limits::{Limit, MAX_SAVED_BYTES};
use bytes::Bytes;
use std::sync::Arc;

/// The session of one connection, whichever generation serves it.
pub struct MigratingSession<H: Handler> {
    generations: Arc<Generations<H>>,
    session: H::Session,
    // Declared last, so dropped last: the generation must outlive its session.
    guard: ConnectionGuard<H>,
}

impl<H: Handler> MigratingSession<H> {
    /// A session of the generation that the connection is registered with.
    pub fn new(
        generations: Arc<Generations<H>>,
        session: H::Session,
        guard: ConnectionGuard<H>,
    ) -> Self {
        MigratingSession {
            generations,
            session,
            guard,
        }
    }

    /// Starts in the current generation, even if the connection is older: no message was handled
    /// yet.
    fn begin(&mut self) {
        let current = self.generations.current();
        let here = self.guard.generation();
        if here.number != current.number
            && current.refuses(here).is_none()
            && let Service::Session(session) = current.made_from.handler.serve(self.guard.handle())
        {
            self.session = session;
            self.settle_in(current);
        } else {
            self.guard.set_stage(Stage::Session);
        }
    }

    /// Registers the connection with the current generation, whose limits hold from now on.
    fn settle_in(&mut self, current: Arc<Generation<H>>) {
        let settings = &current.made_from.settings;
        let handle = self.guard.handle();
        handle.set_limits(settings.limits, settings.unsent_limit_bytes());
        self.guard = self.generations.guard(current, self.guard.handle());
        self.guard.set_stage(Stage::Session);
    }

    /// Moves to the current generation, if this session may and can. Otherwise it stays, as if
    /// there were no swap.
    async fn go_on(&mut self) -> Result<(), SessionError> {
        let here = self.guard.generation().clone();
        let current = self.generations.current();
        if here.number == current.number {
            return Ok(());
        }
        // Another swap may come while the session saves and opens.
        let moves = here.moves();
        if let Err(why) = self.move_to(&current, &moves).await? {
            moves.decide(self.guard.handle().id(), Err(why));
            let _entered = self.guard.handle().span().enter();
            tracing::debug!("stays with generation {}: {}", here.number, why.reason(1));
        }
        Ok(())
    }

    async fn move_to(
        &mut self,
        current: &Arc<Generation<H>>,
        moves: &Moves,
    ) -> Result<Result<(), Stay>, SessionError> {
        let here = self.guard.generation();
        let converses = here.made_from.settings.converses;
        let policy = self.generations.rules.load().on_swap;
        if let Some(why) = policy.keeps(converses).or_else(|| current.refuses(here)) {
            return Ok(Err(why));
        }
        let saved = if converses {
            match self.save().await? {
                Some(saved) if saved.len() > MAX_SAVED_BYTES => {
                    self.saved_too_much(saved.len());
                    return Ok(Err(Stay::SavedTooMuch));
                }
                Some(saved) => Some(saved),
                None => return Ok(Err(Stay::SavedNothing)),
            }
        } else {
            None
        };
        let Service::Session(mut next) = current.made_from.handler.serve(self.guard.handle())
        else {
            return Ok(Err(Stay::Kind));
        };
        let opened = next.tell(Event::Open(saved)).await;
        self.generations.note(current, &opened);
        if let Err(error) = opened {
            next.end().await;
            let _entered = self.guard.handle().span().enter();
            tracing::debug!("the new version did not open the session: {error}");
            return Ok(Err(Stay::NotOpened));
        }
        let left = std::mem::replace(&mut self.session, next);
        left.end().await;
        moves.decide(self.guard.handle().id(), Ok(()));
        self.settle_in(current.clone());
        Ok(Ok(()))
    }

    fn saved_too_much(&self, saved_bytes: usize) {
        Limit::SavedBytes.reached();
        let number = self.guard.generation().number;
        let _entered = self.guard.handle().span().enter();
        tracing::warn!(
            "stays with generation {number}: the saved state has {saved_bytes} bytes, more than \
             the limit of {MAX_SAVED_BYTES}"
        );
    }
}

impl<H: Handler> Session for MigratingSession<H> {
    async fn tell(&mut self, event: Event) -> Result<Option<Bytes>, SessionError> {
        match event {
            // Boxed, so that sessions that stay do not pay for its size.
            Event::Move => return Box::pin(self.go_on()).await.map(|()| None),
            Event::Open(_) => self.begin(),
            _ => {}
        }
        let told = self.session.tell(event).await;
        self.generations.note(self.guard.generation(), &told);
        told
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        let saved = self.session.save().await;
        self.generations.note(self.guard.generation(), &saved);
        saved
    }

    async fn end(self) {
        self.session.end().await;
    }
}
