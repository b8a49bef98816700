//! One sender of datagrams, from its first datagram to the end of its session.

use super::Served;
use super::drops::Drops;
use crate::datagram::{Allowance, DatagramSocket, Route};
use bytes::Bytes;
use connection::generation::MovingSession;
use connection::handler::{Handler, Service, SessionError};
use connection::limits::{DatagramLimits, Limit};
use connection::outbox::{Outbox, Peer, Traffic, Transport};
use connection::task::{self, ConnectionError, Ending, Inbox, Return};
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
    /// Serves it until its session ends, and counts how that went.
    pub async fn serve<H: Handler>(self, served: &Served<H>) {
        let span = tracing::error_span!(parent: &served.span, "connection", id = self.id, peer = %self.route.peer);
        span.in_scope(|| tracing::debug!("sends datagrams"));
        served.ends.begin();
        let (traffic, result) = self.converse(served, &span).await;
        span.in_scope(|| served.ends.note(traffic, result));
    }

    async fn converse<H: Handler>(
        self,
        served: &Served<H>,
        span: &Span,
    ) -> (Traffic, Result<Ending, ConnectionError>) {
        let generation = served.generations.current();
        let mut terms = generation.made_from.terms.clone();
        terms.limits.idle_timeout = Some(self.limits.idle_timeout);
        let limit_bytes = terms.unsent_limit_bytes();
        let outbox = Outbox::new(self.id, self.peer(), limit_bytes, span.clone());
        let outbox = Arc::new(outbox);
        let Service::Session(session) = generation.made_from.handler.serve(&outbox) else {
            // The configuration refuses programs where there are datagrams.
            let why = "a program reads a stream, and datagrams are none".into();
            return (Traffic::default(), Err(SessionError::Refused(why).into()));
        };
        let seat = served.generations.seat(generation, &outbox);
        let session = MovingSession::new(served.generations.clone(), session, seat);
        let factor = self.limits.amplification;
        let way = WayBack {
            socket: self.socket,
            route: self.route,
            allowance: factor.map(|factor| Allowance::new(factor, &self.route)),
            complained: false,
            drops: served.house.drops.clone(),
            span: span.clone(),
        };
        let ended = task::serve_datagrams(&self.inbox, way, session, outbox.clone(), &terms).await;
        outbox.retire();
        (outbox.traffic(), ended)
    }

    fn peer(&self) -> Peer {
        let mut local = self.socket.local_address();
        if let Some(ip) = self.route.local {
            local = SocketAddr::new(ip, local.port());
        }
        Peer {
            transport: Transport::Udp,
            peer: self.route.peer.to_string(),
            local: local.to_string(),
            listener: self.listener.clone(),
            tls: None,
        }
    }
}

/// The way back to a sender, which is not taken for whom it says it is.
struct WayBack {
    socket: Arc<DatagramSocket>,
    route: Route,
    allowance: Option<Allowance>,
    /// Whether it was said that the allowance is too small.
    complained: bool,
    drops: Arc<Drops>,
    span: Span,
}

impl Return for WayBack {
    fn received(&mut self, datagrams: usize, bytes: usize) {
        if let Some(allowance) = &mut self.allowance {
            allowance.earn(datagrams, bytes);
        }
    }

    fn admits(&mut self, bytes: usize) -> bool {
        let limit = self.route.max_datagram_bytes();
        if bytes > limit {
            self.drops.too_long.fetch_add(1, Ordering::Relaxed);
            Limit::UdpDatagram.reached();
            self.span.in_scope(|| {
                tracing::warn!("dropped {bytes} bytes: a datagram carries at most {limit}");
            });
            return false;
        }
        let admitted = (self.allowance.as_mut()).is_none_or(|allowance| allowance.spend(bytes));
        if !admitted {
            self.drops.amplification.fetch_add(1, Ordering::Relaxed);
            Limit::UdpAmplification.reached();
            if !std::mem::replace(&mut self.complained, true) {
                self.span.in_scope(|| {
                    tracing::warn!(
                        "dropped {bytes} bytes: too much for what the sender has sent, whose address may be \
                         forged (--udp-amplification)"
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
