//! A session that may go on in another generation.

use super::{Generations, Move, Seat};
use crate::handler::{Event, Handler, Service, Session, SessionError};
use crate::limits::{Limit, MAX_SAVED_BYTES};
use bytes::Bytes;
use std::sync::Arc;

/// The session of one connection, whichever generation serves it.
pub struct MovingSession<H: Handler> {
    generations: Arc<Generations<H>>,
    session: H::Session,
    // Declared last, so dropped last: the generation is there for as long as its session.
    seat: Seat<H>,
}

impl<H: Handler> MovingSession<H> {
    /// A session of the generation in which the connection has its seat.
    pub fn new(generations: Arc<Generations<H>>, session: H::Session, seat: Seat<H>) -> Self {
        MovingSession {
            generations,
            session,
            seat,
        }
    }

    /// Begins in the current generation, even if the connection came before it was: nothing has been said.
    fn begin(&mut self) {
        let current = self.generations.current();
        let here = self.seat.generation();
        if here.number != current.number
            && current.continues(here)
            && let Service::Session(session) = current.made_from.handler.serve(self.seat.outbox())
        {
            self.session = session;
            self.seat = self.generations.seat(current, self.seat.outbox());
        }
    }

    /// Goes on in the current generation, if this session may and can. Otherwise it stays where it is,
    /// as if there had been no swap.
    async fn go_on(&mut self) -> Result<(), SessionError> {
        let here = self.seat.generation().clone();
        let current = self.generations.current();
        let converses = here.made_from.terms.converses;
        let may = match self.generations.rules.load().on_swap {
            Move::NewConnections => false,
            Move::NextMessage => !converses,
            Move::Migrate => true,
        };
        if here.number == current.number || !may {
            return Ok(());
        }
        if !current.continues(&here) {
            self.stays("it frames messages otherwise");
            return Ok(());
        }
        let saved = match converses {
            true => match self.save().await? {
                Some(saved) if saved.len() > MAX_SAVED_BYTES => {
                    self.cannot_move(saved.len());
                    return Ok(());
                }
                Some(saved) => Some(saved),
                None => {
                    self.stays("it saved nothing");
                    return Ok(());
                }
            },
            false => None,
        };
        let Service::Session(mut next) = current.made_from.handler.serve(self.seat.outbox()) else {
            return Ok(());
        };
        let opened = next.tell(Event::Open(saved)).await;
        self.generations.note(&current, &opened);
        if let Err(error) = opened {
            next.end().await;
            self.stays(&error.to_string());
            return Ok(());
        }
        let seat = self.generations.seat(current, self.seat.outbox());
        let left = std::mem::replace(&mut self.session, next);
        left.end().await;
        self.seat = seat;
        Ok(())
    }

    fn cannot_move(&self, saved_bytes: usize) {
        Limit::SavedBytes.reached();
        let number = self.seat.generation().number;
        let _entered = self.seat.outbox().span().enter();
        tracing::warn!(
            "stays with generation {number}: it saved {saved_bytes} bytes, more than the limit of {MAX_SAVED_BYTES}"
        );
    }

    fn stays(&self, why: &str) {
        let number = self.seat.generation().number;
        let _entered = self.seat.outbox().span().enter();
        tracing::debug!("stays with generation {number}: {why}");
    }
}

impl<H: Handler> Session for MovingSession<H> {
    async fn tell(&mut self, event: Event) -> Result<(), SessionError> {
        match event {
            // Boxed, so that those who stay do not pay for its size.
            Event::Move => return Box::pin(self.go_on()).await,
            Event::Open(_) => self.begin(),
            _ => {}
        }
        let told = self.session.tell(event).await;
        self.generations.note(self.seat.generation(), &told);
        told
    }

    async fn save(&mut self) -> Result<Option<Bytes>, SessionError> {
        let saved = self.session.save().await;
        self.generations.note(self.seat.generation(), &saved);
        saved
    }

    async fn end(self) {
        self.session.end().await;
    }
}
