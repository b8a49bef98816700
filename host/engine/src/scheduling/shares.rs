//! Which part of the pool's places a connection takes its own from.

use super::places::{Permit, Pool, Share};
use connection::outbox::Transport;
use std::sync::Arc;

/// What a service has of the pool. Senders of datagrams may be forged, so they do not take what streams need.
#[derive(Clone, Debug)]
pub struct Shares {
    pub streams: Arc<Share>,
    datagrams: Arc<Share>,
}

impl Shares {
    /// Those of another service.
    pub fn new(pool: &Arc<Pool>) -> Self {
        Shares {
            streams: pool.share(false),
            datagrams: pool.share(false),
        }
    }

    /// The one that a connection's places come from.
    pub fn of(&self, transport: Transport) -> &Arc<Share> {
        match transport {
            Transport::Udp => &self.datagrams,
            Transport::Tcp | Transport::Tls | Transport::Unix | Transport::Stdio => &self.streams,
        }
    }

    /// Whether these places were taken for a sender of datagrams.
    pub fn are_datagrams(&self, places: &Permit) -> bool {
        Arc::ptr_eq(&places.share, &self.datagrams)
    }
}
