//! The capacity that the engine of a host needs.

use super::{Bound, Host};
use address::Endpoint;
use config::{HostConfig, ListenerConfig};
use engine::{Capacity, Isolation};

/// Shared instances that a service keeps: of the current and of the previous generation.
const STANDING_INSTANCES: usize = 2;

/// The engine capacity for these services. Reads their handlers. Blocks.
pub fn capacity(config: &HostConfig) -> Capacity {
    let limits = &config.server_limits;
    let services = config.services.iter().map(|it| &it.serve);
    let slots = services.map(|it| it.handler.memories(&it.trust));
    Capacity {
        max_connections: limits.max_connections,
        max_datagram_sessions: sessions(config.services.iter().flat_map(|it| &it.listen)),
        standing_instances: standing_instances(config),
        slots_each: slots.max().unwrap_or(1),
        max_memory_bytes: limits.max_guest_memory_bytes,
        max_warm_bytes: limits.max_warm_memory_bytes,
        wipe: config.wipe,
    }
}

/// The instances that exist without clients.
fn standing_instances(config: &HostConfig) -> usize {
    let services = config.services.iter();
    let shared = services.filter(|it| it.serve.isolation == Isolation::Shared);
    shared.count() * STANDING_INSTANCES
}

/// The most UDP sessions at these listeners.
fn sessions<'a>(listeners: impl Iterator<Item = &'a ListenerConfig>) -> usize {
    let datagrams = listeners.filter(|it| matches!(it.uri, Endpoint::Udp(_)));
    datagrams.map(|it| it.datagrams.max_sessions).sum()
}

impl Bound {
    /// The most UDP sessions.
    pub(super) fn datagram_sessions(&self) -> usize {
        sessions(self.configs())
    }
}

impl Host {
    /// Tells the engine how many connections another configuration allows.
    pub(super) fn expect(&self, next: &HostConfig, bound: &Bound) {
        self.engine.expect(&Capacity {
            max_datagram_sessions: bound.datagram_sessions(),
            standing_instances: standing_instances(next),
            ..Capacity::of(next.server_limits.max_connections)
        });
    }
}
