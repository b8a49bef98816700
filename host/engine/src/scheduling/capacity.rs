//! The capacity of an engine.

use super::wiping::Wipe;
use crate::MAX_MEMORIES;

/// Slots beyond the open connections, to try out handlers and move connections between generations
/// while all others are taken.
const SPARE_CONNECTIONS: usize = MAX_MEMORIES as usize;

/// The resources of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Open connections.
    pub max_connections: usize,
    /// UDP sessions.
    pub max_datagram_sessions: usize,
    /// Shared instances, which stay without connections.
    pub standing_instances: usize,
    /// Slots per connection: one for each memory of each of its instances.
    pub slots_each: usize,
    /// Memory of all instances together, in bytes; `None` for no limit.
    pub max_memory_bytes: Option<usize>,
    /// Memory that free slots may keep resident, in bytes.
    pub max_warm_bytes: usize,
    /// How slots are wiped for the next instance.
    pub wipe: Wipe,
}

impl Capacity {
    /// This many connections with one ordinary instance each, and no memory limit.
    pub fn of(max_connections: usize) -> Self {
        Capacity {
            max_connections,
            max_datagram_sessions: 0,
            standing_instances: 0,
            slots_each: 1,
            max_memory_bytes: None,
            // As much as its slots keep.
            max_warm_bytes: usize::MAX,
            wipe: Wipe::Whole,
        }
    }

    /// Includes handlers that are tried out and connections that move while all others are open. A
    /// shared instance counts once, although its connections need no other: it exists before and
    /// after them.
    pub(crate) fn all_connections(&self) -> usize {
        let open = self
            .max_connections
            .saturating_add(self.max_datagram_sessions);
        open.saturating_add(self.standing_instances)
            .saturating_add(SPARE_CONNECTIONS)
    }
}
