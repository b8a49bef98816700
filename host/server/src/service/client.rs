//! One client of a server, from accept to end.

use super::ServedService;
use super::cap::{Cap, ConnectionPermits};
use super::ended::OpenConnection;
use super::quota::QuotaPermit;
use crate::admission::{Admission, Admitted, NotAdmitted};
use crate::listener::Accepted;
use crate::stream::{LaterTls, Stream};
use connection::generation::{Generation, MigratingSession, Stage};
use connection::handle::ConnectionHandle;
use connection::handler::{Handler, Service};
use connection::rates::Throttle;
use connection::task::{
    self, CloseReason, ConnectionError, ConnectionSettings, WebSocketStart, WebSocketStream,
};
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
    /// Whether another worker accepted it.
    pub is_moved: bool,
}

impl Client {
    /// Admits and serves the client until both sides are finished, and counts the result. If the
    /// listener closed before there was a permit, the client still waits for one: the kernel has
    /// already connected it.
    pub async fn serve<H: Handler>(
        self,
        served: &ServedService<H>,
        permits: Option<ConnectionPermits>,
    ) {
        let _permits = match permits {
            Some(permits) => permits,
            None => served.permits(&self.cap, &self.admission.listener).await,
        };
        let (id, admission) = (self.id, self.admission.clone());
        let Some((admitted, _share)) = self.enter(served).await else {
            return;
        };
        let address = admitted
            .client
            .map(|client| served.state.address_rates.of(client));
        let throttle = Throttle::new(served.rates.clone(), address);
        let generation = served.generations.current();
        let is_check = admitted.is_check;
        let mut connected = Connected::new(id, admitted, &generation, &served.span);
        let open = OpenConnection::begin(&served.stats, connected.handle.clone(), is_check);
        let ended = connected.converse(served, generation, throttle, &admission);
        let ended = ended.await;
        let Connected { stream, handle, .. } = connected;
        let is_stdio = matches!(stream, Stream::Stdio(_));
        drop(stream);
        handle.retire();
        let failure = open.end(ended);
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
        let stream = if self.is_moved {
            stream.moved_here()
        } else {
            Ok(stream)
        };
        let admitted = match stream {
            Ok(stream) => self.admission.admit(stream, client).await,
            Err(error) => Err(NotAdmitted::Io(error)),
        };
        match admitted {
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
    websocket: Option<Box<WebSocketStart>>,
    handle: Arc<ConnectionHandle>,
    settings: ConnectionSettings,
}

impl Connected {
    fn new<H: Handler>(id: u64, admitted: Admitted, by: &Generation<H>, parent: &Span) -> Self {
        let Admitted {
            stream,
            peer,
            websocket,
            ..
        } = admitted;
        let span = tracing::error_span!(parent: parent, "connection", id, peer = %peer.peer);
        span.in_scope(|| tracing::debug!("connected"));
        let settings = by.made_from.settings.clone();
        let handle = ConnectionHandle::new(id, peer, settings.unsent_limit_bytes(), span);
        Connected {
            stream,
            websocket,
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
        admission: &Admission,
    ) -> Result<CloseReason, ConnectionError> {
        let Connected {
            stream,
            websocket,
            handle,
            settings,
        } = self;
        let service = generation.made_from.handler.serve(handle);
        let guard = served.generations.guard(generation, handle);
        served.welcome_watchers(handle);
        let ended = match service {
            Service::Session(session) => {
                let session = MigratingSession::new(served.generations.clone(), session, guard);
                let later_tls = LaterTls(admission.later_tls());
                let (handle, throttle) = (handle.clone(), Some(throttle));
                match websocket.take() {
                    None => {
                        task::serve(stream, session, handle, settings, throttle, later_tls).await
                    }
                    Some(start) => {
                        // Boxed, so that tasks of other connections stay small.
                        let serving = task::serve_websocket(
                            stream, *start, session, handle, settings, throttle,
                        );
                        Box::pin(serving).await
                    }
                }
            }
            Service::Program(program) => {
                guard.set_stage(Stage::Program);
                // Boxed, so that tasks of sessions stay small.
                let throttle = Some(throttle);
                let ended = match websocket.take() {
                    None => {
                        let serving =
                            task::serve_program(stream, program, handle, settings, throttle);
                        Box::pin(serving).await
                    }
                    Some(start) => {
                        let payloads = &mut WebSocketStream::new(&mut *stream, *start);
                        let serving =
                            task::serve_program(payloads, program, handle, settings, throttle);
                        Box::pin(serving).await
                    }
                };
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
