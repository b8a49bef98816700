//! A session that can move to another generation.

use super::{ConnectionGuard, Generations, SwapPolicy};
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
            && current.continues(here)
            && let Service::Session(session) = current.made_from.handler.serve(self.guard.handle())
        {
            self.session = session;
            self.guard = self.generations.guard(current, self.guard.handle());
        }
    }

    /// Moves to the current generation, if this session may and can. Otherwise it stays, as if
    /// there were no swap.
    async fn go_on(&mut self) -> Result<(), SessionError> {
        let here = self.guard.generation().clone();
        let current = self.generations.current();
        let converses = here.made_from.settings.converses;
        let may = match self.generations.rules.load().on_swap {
            SwapPolicy::NewConnections => false,
            SwapPolicy::NextMessage => !converses,
            SwapPolicy::Migrate => true,
        };
        if here.number == current.number || !may {
            return Ok(());
        }
        if !current.continues(&here) {
            self.stays("its framing is different");
            return Ok(());
        }
        let saved = if converses {
            match self.save().await? {
                Some(saved) if saved.len() > MAX_SAVED_BYTES => {
                    self.cannot_move(saved.len());
                    return Ok(());
                }
                Some(saved) => Some(saved),
                None => {
                    self.stays("the handler saved no state");
                    return Ok(());
                }
            }
        } else {
            None
        };
        let Service::Session(mut next) = current.made_from.handler.serve(self.guard.handle())
        else {
            return Ok(());
        };
        let opened = next.tell(Event::Open(saved)).await;
        self.generations.note(&current, &opened);
        if let Err(error) = opened {
            next.end().await;
            self.stays(&error.to_string());
            return Ok(());
        }
        let guard = self.generations.guard(current, self.guard.handle());
        let left = std::mem::replace(&mut self.session, next);
        left.end().await;
        self.guard = guard;
        Ok(())
    }

    fn cannot_move(&self, saved_bytes: usize) {
        Limit::SavedBytes.reached();
        let number = self.guard.generation().number;
        let _entered = self.guard.handle().span().enter();
        tracing::warn!(
            "stays with generation {number}: the saved state has {saved_bytes} bytes, more than \
             the limit of {MAX_SAVED_BYTES}"
        );
    }

    fn stays(&self, why: &str) {
        let number = self.guard.generation().number;
        let _entered = self.guard.handle().span().enter();
        tracing::debug!("stays with generation {number}: {why}");
    }
}

impl<H: Handler> Session for MigratingSession<H> {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            // Boxed, so that sessions that stay do not pay for its size.
            Event::Move => return Box::pin(self.go_on()).await,
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
