//! The shares of the pool that a service takes slots from.

use super::slots::{Permit, Pool, Share};
use connection::handle::Transport;
use std::sync::Arc;

/// The shares of a service. UDP senders may be forged, so they do not take what streams need.
#[derive(Clone, Debug)]
pub struct Shares {
    pub streams: Arc<Share>,
    datagrams: Arc<Share>,
}

impl Shares {
    /// The shares of a new service.
    pub fn new(pool: &Arc<Pool>) -> Self {
        Shares {
            streams: pool.share(false),
            datagrams: pool.share(false),
        }
    }

    /// The share for a connection with this transport.
    pub fn of(&self, transport: Transport) -> &Arc<Share> {
        match transport {
            Transport::Udp => &self.datagrams,
            _ => &self.streams,
        }
    }

    /// Whether these slots were taken for a UDP sender.
    pub fn are_datagrams(&self, slots: &Permit) -> bool {
        Arc::ptr_eq(&slots.share, &self.datagrams)
    }
}
