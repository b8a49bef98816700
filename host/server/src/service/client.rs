//! One client of a server, from the moment it was accepted to its end.

use super::Served;
use super::cap::{Cap, Place};
use super::quota::Share;
use crate::admission::{Admission, Admitted};
use crate::listener::Accepted;
use crate::stream::Stream;
use connection::generation::{Generation, MovingSession};
use connection::handler::{Handler, Service};
use connection::outbox::Outbox;
use connection::rates::Throttle;
use connection::task::{self, ConnectionError, Ending, Terms};
use std::sync::{Arc, PoisonError};
use tracing::Span;

/// A client that was accepted.
pub struct Client {
    pub id: u64,
    pub accepted: Accepted,
    /// What it has to go through.
    pub admission: Arc<Admission>,
    /// Among whose connections it counts.
    pub cap: Arc<Cap>,
    /// Its share of the places, unless a proxy speaks for it.
    pub share: Option<Share>,
}

impl Client {
    /// Lets it in and serves it until both sides are done with each other, and counts how that went. It still has to
    /// wait for a place if its door was closed before there was one: the kernel has told it that it is connected.
    pub async fn serve<H: Handler>(self, served: &Served<H>, place: Option<Place>) {
        let _place = match place {
            Some(place) => place,
            None => served.place(&self.cap, &self.admission.listener).await,
        };
        let id = self.id;
        let Some((admitted, _share)) = self.enter(served).await else {
            return;
        };
        served.ends.begin();
        let address = admitted
            .client
            .map(|client| served.house.address_rates.of(client));
        let throttle = Throttle::new(served.rates.clone(), address);
        let generation = served.generations.current();
        let mut connected = Connected::new(id, admitted, &generation, &served.span);
        let ended = connected.converse(served, generation, throttle).await;
        let Connected { stream, outbox, .. } = connected;
        let is_stdio = matches!(stream, Stream::Stdio(_));
        drop(stream);
        outbox.retire();
        let failure = (outbox.span()).in_scope(|| served.ends.note(outbox.traffic(), ended));
        if is_stdio {
            let failed = &served.house.stdio_failed;
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        }
    }

    /// Lets it in, if it may be served, and if a proxy speaks for it, may have another share of the places.
    async fn enter<H: Handler>(self, served: &Served<H>) -> Option<(Admitted, Option<Share>)> {
        let Accepted { stream, client } = self.accepted;
        match self.admission.admit(stream, client).await {
            Ok(admitted) => match (self.share, admitted.client) {
                (None, Some(client)) => {
                    let share = served.house.share(client, &self.admission.listener);
                    if share.is_none() {
                        served.ends.count_turned_away();
                    }
                    share.map(|share| (admitted, Some(share)))
                }
                (share, _) => Some((admitted, share)),
            },
            Err(why) => {
                let (id, peer) = (self.id, client.map(tracing::field::display));
                let span = tracing::error_span!(parent: &served.span, "connection", id, peer);
                span.in_scope(|| served.ends.note_not_admitted(&why));
                None
            }
        }
    }
}

/// A client that was let in, and what serving it needs from beginning to end. Handed on by reference: an asynchronous
/// function that takes something by value has room for it twice, and a task is as large as all of them together.
struct Connected {
    stream: Stream,
    outbox: Arc<Outbox>,
    terms: Terms,
}

impl Connected {
    fn new<H: Handler>(id: u64, admitted: Admitted, by: &Generation<H>, parent: &Span) -> Self {
        let Admitted { stream, peer, .. } = admitted;
        let span = tracing::error_span!(parent: parent, "connection", id, peer = %peer.peer);
        span.in_scope(|| tracing::debug!("connected"));
        let terms = by.made_from.terms.clone();
        let outbox = Outbox::new(id, peer, terms.unsent_limit_bytes(), span);
        Connected {
            stream,
            outbox: Arc::new(outbox),
            terms,
        }
    }

    /// Serves it, beginning with this generation.
    async fn converse<H: Handler>(
        &mut self,
        served: &Served<H>,
        generation: Arc<Generation<H>>,
        throttle: Throttle,
    ) -> Result<Ending, ConnectionError> {
        let Connected {
            stream,
            outbox,
            terms,
        } = self;
        let service = generation.made_from.handler.serve(outbox);
        let seat = served.generations.seat(generation, outbox);
        let ended = match service {
            Service::Session(session) => {
                let session = MovingSession::new(served.generations.clone(), session, seat);
                task::serve(stream, session, outbox.clone(), terms, Some(throttle)).await
            }
            Service::Program(program) => {
                // Boxed, so that the tasks of those who talk to a session are not as large.
                let program = task::serve_program(stream, program, outbox, terms, Some(throttle));
                let ended = Box::pin(program).await;
                drop(seat);
                ended
            }
        };
        if let Ok(Ending::Reset) = ended {
            stream.reset();
        }
        ended
    }
}
