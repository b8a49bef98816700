//! One client of a server, from the moment it was accepted to its end.

use super::Served;
use super::quota::Share;
use crate::admission::{Admission, Admitted};
use crate::connection::{self, ConnectionError, Ending};
use crate::generation::MovingSession;
use crate::handler::{Handler, Service};
use crate::listener::Accepted;
use crate::outbox::{Outbox, Traffic};
use std::sync::Arc;
use tracing::Span;

/// A client that was accepted.
pub struct Client {
    pub id: u64,
    pub accepted: Accepted,
    /// What it has to go through.
    pub admission: Arc<Admission>,
    /// Its share of the places, unless a proxy speaks for it.
    pub share: Option<Share>,
}

impl Client {
    /// Lets it in and serves it until both sides are done with each other, and counts how that went.
    pub async fn serve<H: Handler>(self, served: &Served<H>) {
        let Client {
            id,
            accepted: Accepted { stream, client },
            admission,
            share,
        } = self;
        match admission.admit(stream, client).await {
            Ok(admitted) => {
                let _share = match (share, admitted.client) {
                    (None, Some(client)) => match served.house.share(client, &admission.listener) {
                        None => return served.ends.count_turned_away(),
                        share => share,
                    },
                    (share, _) => share,
                };
                let peer = &admitted.peer.peer;
                let span = tracing::error_span!(parent: &served.span, "connection", id, %peer);
                served.ends.begin();
                let (traffic, result) = converse(id, admitted, served, &span).await;
                span.in_scope(|| served.ends.note(traffic, result));
            }
            Err(why) => {
                let peer = client.map(tracing::field::display);
                let span = tracing::error_span!(parent: &served.span, "connection", id, peer);
                span.in_scope(|| served.ends.note_not_admitted(&why));
            }
        }
    }
}

async fn converse<H: Handler>(
    id: u64,
    admitted: Admitted,
    served: &Served<H>,
    span: &Span,
) -> (Traffic, Result<Ending, ConnectionError>) {
    let Admitted {
        mut stream, peer, ..
    } = admitted;
    span.in_scope(|| tracing::debug!("connected"));
    let generation = served.generations.current();
    let terms = generation.made_from.terms.clone();
    let limit_bytes = terms.unsent_limit_bytes();
    let outbox = Arc::new(Outbox::new(id, peer, limit_bytes, span.clone()));
    let service = generation.made_from.handler.serve(&outbox);
    let seat = served.generations.seat(generation, &outbox);
    let ended = match service {
        Service::Session(session) => {
            let session = MovingSession::new(served.generations.clone(), session, seat);
            connection::serve(&mut stream, session, outbox.clone(), &terms).await
        }
        Service::Program(program) => {
            // Boxed, so that the tasks of those who talk to a session are not as large.
            let program = connection::serve_program(&mut stream, program, &outbox, &terms);
            let ended = Box::pin(program).await;
            drop(seat);
            ended
        }
    };
    if let Ok(Ending::Reset) = ended {
        stream.reset();
    }
    drop(stream);
    outbox.retire();
    (outbox.traffic(), ended)
}
