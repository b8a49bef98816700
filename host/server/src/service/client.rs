//! One client of a server, from accept to end.

use super::ServedService;
use super::cap::{Cap, ConnectionPermits};
use super::quota::QuotaPermit;
use crate::admission::{Admission, Admitted};
use crate::listener::Accepted;
use crate::stream::Stream;
use connection::generation::{Generation, MigratingSession};
use connection::handle::ConnectionHandle;
use connection::handler::{Handler, Service};
use connection::rates::Throttle;
use connection::task::{self, CloseReason, ConnectionError, ConnectionSettings};
use std::sync::Arc;
use tracing::Span;

/// An accepted client.
pub struct Client {
    pub id: u64,
    pub accepted: Accepted,
    /// The admission rules of its listener.
    pub admission: Arc<Admission>,
    /// The connection limit of its listener.
    pub cap: Arc<Cap>,
    /// Its permit as a client address, unless a proxy forwards it.
    pub share: Option<QuotaPermit>,
}

impl Client {
    /// Admits and serves the client until both sides are finished, and counts the result. If the
    /// listener closed before there was a permit, the client still waits for one: the kernel has
    /// already connected it.
    pub async fn serve<H: Handler>(
        self,
        served: &ServedService<H>,
        place: Option<ConnectionPermits>,
    ) {
        let _place = match place {
            Some(place) => place,
            None => served.place(&self.cap, &self.admission.listener).await,
        };
        let id = self.id;
        let Some((admitted, _share)) = self.enter(served).await else {
            return;
        };
        served.stats.begin();
        let address = admitted
            .client
            .map(|client| served.state.address_rates.of(client));
        let throttle = Throttle::new(served.rates.clone(), address);
        let generation = served.generations.current();
        let mut connected = Connected::new(id, admitted, &generation, &served.span);
        let ended = connected.converse(served, generation, throttle).await;
        let Connected { stream, handle, .. } = connected;
        let is_stdio = matches!(stream, Stream::Stdio(_));
        drop(stream);
        handle.retire();
        let failure = (handle.span()).in_scope(|| served.stats.note(handle.traffic(), ended));
        if is_stdio {
            let failed = &served.state.stdio_failed;
            *failed.lock() = failure;
        }
    }

    /// Admits the client if it is allowed. If a proxy forwards it, takes a permit for the real
    /// address.
    async fn enter<H: Handler>(
        self,
        served: &ServedService<H>,
    ) -> Option<(Admitted, Option<QuotaPermit>)> {
        let Accepted { stream, client } = self.accepted;
        match self.admission.admit(stream, client).await {
            Ok(admitted) => match (self.share, admitted.client) {
                (None, Some(client)) => {
                    let share = served.state.share(client, &self.admission.listener);
                    if share.is_none() {
                        served.stats.count_turned_away();
                    }
                    share.map(|share| (admitted, Some(share)))
                }
                (share, _) => Some((admitted, share)),
            },
            Err(why) => {
                let (id, peer) = (self.id, client.map(tracing::field::display));
                let span = tracing::error_span!(parent: &served.span, "connection", id, peer);
                span.in_scope(|| served.stats.note_not_admitted(&why));
                None
            }
        }
    }
}

/// An admitted client and everything needed to serve it. Passed by reference: an async function
/// stores a by-value argument twice, and that adds up in the size of a task.
struct Connected {
    stream: Stream,
    handle: Arc<ConnectionHandle>,
    settings: ConnectionSettings,
}

impl Connected {
    fn new<H: Handler>(id: u64, admitted: Admitted, by: &Generation<H>, parent: &Span) -> Self {
        let Admitted { stream, peer, .. } = admitted;
        let span = tracing::error_span!(parent: parent, "connection", id, peer = %peer.peer);
        span.in_scope(|| tracing::debug!("connected"));
        let settings = by.made_from.settings.clone();
        let handle = ConnectionHandle::new(id, peer, settings.unsent_limit_bytes(), span);
        Connected {
            stream,
            handle: Arc::new(handle),
            settings,
        }
    }

    /// Serves it, starting with this generation.
    async fn converse<H: Handler>(
        &mut self,
        served: &ServedService<H>,
        generation: Arc<Generation<H>>,
        throttle: Throttle,
    ) -> Result<CloseReason, ConnectionError> {
        let Connected {
            stream,
            handle,
            settings,
        } = self;
        let service = generation.made_from.handler.serve(handle);
        let guard = served.generations.guard(generation, handle);
        let ended = match service {
            Service::Session(session) => {
                let session = MigratingSession::new(served.generations.clone(), session, guard);
                task::serve(stream, session, handle.clone(), settings, Some(throttle)).await
            }
            Service::Program(program) => {
                // Boxed, so that tasks of sessions stay small.
                let program =
                    task::serve_program(stream, program, handle, settings, Some(throttle));
                let ended = Box::pin(program).await;
                drop(guard);
                ended
            }
        };
        if let Ok(CloseReason::Reset) = ended {
            stream.reset();
        }
        ended
    }
}
