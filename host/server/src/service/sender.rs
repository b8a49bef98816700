//! One UDP sender, from its first datagram to the end of its session.

use super::ServedService;
use super::drops::Drops;
use super::ended::OpenConnection;
use crate::datagram::{Allowance, DatagramSocket, Route};
use bytes::Bytes;
use connection::generation::{Generation, MigratingSession};
use connection::handle::{ConnectionHandle, Peer, Transport};
use connection::handler::{Handler, Service, SessionError};
use connection::limits::{DatagramLimits, Limit};
use connection::task::{self, CloseReason, ConnectionError, ConnectionSettings, Inbox, ReplySink};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tracing::Span;

/// A sender whose first datagram is in its inbox.
pub struct Sender {
    pub id: u64,
    pub socket: Arc<DatagramSocket>,
    pub route: Route,
    pub inbox: Arc<Inbox>,
    pub limits: DatagramLimits,
    pub listener: Arc<str>,
}

impl Sender {
    /// Serves the sender until its session ends, and counts the result.
    pub async fn serve<H: Handler>(self, served: &ServedService<H>) {
        let span = tracing::error_span!(parent: &served.span, "connection", id = self.id, peer = %self.route.peer);
        span.in_scope(|| tracing::debug!("sends datagrams"));
        let generation = served.generations.current();
        let mut settings = generation.made_from.settings.clone();
        settings.limits.idle_timeout = Some(self.limits.idle_timeout);
        let limit_bytes = settings.unsent_limit_bytes();
        let handle = ConnectionHandle::new(self.id, self.peer(), limit_bytes, span);
        let handle = Arc::new(handle);
        let open = OpenConnection::begin(&served.stats, handle.clone(), false);
        let ended = self.converse(served, generation, &handle, &settings).await;
        handle.retire();
        open.end(ended);
    }

    async fn converse<H: Handler>(
        self,
        served: &ServedService<H>,
        generation: Arc<Generation<H>>,
        handle: &Arc<ConnectionHandle>,
        settings: &ConnectionSettings,
    ) -> Result<CloseReason, ConnectionError> {
        let Service::Session(session) = generation.made_from.handler.serve(handle) else {
            // The configuration refuses programs on UDP listeners.
            let why = "a program reads a stream and cannot serve datagrams".into();
            return Err(SessionError::Refused(why).into());
        };
        let guard = served.generations.guard(generation, handle);
        served.welcome_watchers(handle);
        let session = MigratingSession::new(served.generations.clone(), session, guard);
        let factor = self.limits.amplification;
        let way = ReplySender {
            socket: self.socket,
            route: self.route,
            allowance: factor.map(|factor| Allowance::new(factor, &self.route)),
            complained: false,
            drops: served.state.drops.clone(),
            span: handle.span().clone(),
        };
        task::serve_datagrams(&self.inbox, way, session, handle.clone(), settings).await
    }

    fn peer(&self) -> Peer {
        let mut local = self.socket.local_address();
        if let Some(ip) = self.route.local {
            local = SocketAddr::new(ip, local.port());
        }
        let (peer, local) = (self.route.peer.to_string(), local.to_string());
        Peer::new(Transport::Udp, peer, local, self.listener.clone())
    }
}

/// Sends replies to a sender, whose address may be forged.
struct ReplySender {
    socket: Arc<DatagramSocket>,
    route: Route,
    allowance: Option<Allowance>,
    /// Whether the amplification limit was logged.
    complained: bool,
    drops: Arc<Drops>,
    span: Span,
}

impl ReplySink for ReplySender {
    fn received(&mut self, datagrams: usize, bytes: usize) {
        if let Some(allowance) = &mut self.allowance {
            allowance.earn(datagrams, bytes);
        }
    }

    fn admits(&mut self, bytes: usize) -> bool {
        let limit = self.route.max_datagram_bytes();
        if bytes > limit {
            Limit::UdpDatagram.reached();
            self.span.in_scope(|| {
                tracing::warn!(
                    "dropped a reply of {bytes} bytes: a datagram carries at most {limit}"
                );
            });
            return false;
        }
        let admitted = (self.allowance.as_mut()).is_none_or(|allowance| allowance.spend(bytes));
        if !admitted {
            Limit::UdpAmplification.reached();
            if !std::mem::replace(&mut self.complained, true) {
                self.span.in_scope(|| {
                    tracing::warn!(
                        "dropped a reply of {bytes} bytes: amplification limit reached \
                         (--udp-amplification)"
                    );
                });
            }
        }
        admitted
    }

    fn send(&self, datagrams: &[Bytes]) -> io::Result<usize> {
        let sent = self.socket.send(&self.route, datagrams);
        if let Err(error) = &sent
            && error.kind() != io::ErrorKind::WouldBlock
        {
            self.drops.unsent.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }

    async fn writable(&self) {
        self.socket.writable().await;
    }
}
