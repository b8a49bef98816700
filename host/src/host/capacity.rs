//! How large the engine of a host is to be.

use super::doors::ReadyDoor;
use super::{Bound, Host};
use crate::address::Endpoint;
use crate::config::{HostConfig, ListenerConfig};
use crate::engine::Capacity;

/// What an engine needs for these services. Reads their handlers. Blocks.
pub fn capacity(config: &HostConfig) -> Capacity {
    let limits = &config.server_limits;
    let services = config.services.iter().map(|it| &it.serve);
    let places = services.map(|it| it.handler.memories(&it.trust));
    Capacity {
        max_connections: limits.max_connections,
        max_datagram_sessions: sessions(config.services.iter().flat_map(|it| &it.listen)),
        places_each: places.max().unwrap_or(1),
        max_memory_bytes: limits.max_guest_memory_bytes,
        max_warm_bytes: limits.max_warm_memory_bytes,
    }
}

/// How many senders of datagrams may have a session at these listeners.
fn sessions<'a>(listeners: impl Iterator<Item = &'a ListenerConfig>) -> usize {
    let datagrams = listeners.filter(|it| matches!(it.uri, Endpoint::Udp(_)));
    datagrams.map(|it| it.datagrams.max_sessions).sum()
}

impl Bound {
    /// How many senders of datagrams may have a session.
    pub(super) fn datagram_sessions(&self) -> usize {
        let doors = self.doors();
        sessions(doors.map(|ReadyDoor { config, .. }| config))
    }
}

impl Host {
    /// Tells the engine how many connections there may be with another configuration.
    pub(super) fn expect(&self, next: &HostConfig) {
        let datagrams = sessions(next.services.iter().flat_map(|it| &it.listen));
        self.engine
            .expect(next.server_limits.max_connections, datagrams);
    }
}
