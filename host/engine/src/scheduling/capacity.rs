//! The capacity of an engine.

use crate::MAX_MEMORIES;

/// Places beyond the open connections, to try out handlers and move connections between generations
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
    /// Places per connection: one for each memory of each of its instances.
    pub places_each: usize,
    /// Memory of all instances together, in bytes; `None` for no limit.
    pub max_memory_bytes: Option<usize>,
    /// Memory that free places may keep resident, in bytes.
    pub max_warm_bytes: usize,
}

impl Capacity {
    /// This many connections with one ordinary instance each, and no memory limit.
    pub fn of(max_connections: usize) -> Self {
        Capacity {
            max_connections,
            max_datagram_sessions: 0,
            standing_instances: 0,
            places_each: 1,
            max_memory_bytes: None,
            // As much as its places keep.
            max_warm_bytes: usize::MAX,
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
