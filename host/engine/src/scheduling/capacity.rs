//! How much an engine has room for.

use crate::MAX_MEMORIES;

/// Connections that there are places for beyond those that may be open: a handler can be tried out, and connections
/// move to another generation, while all places are taken.
const SPARE_CONNECTIONS: usize = MAX_MEMORIES as usize;

/// What an engine may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Connections at once.
    pub max_connections: usize,
    /// Sessions of senders of datagrams at once.
    pub max_datagram_sessions: usize,
    /// Instances that a service's connections share, which stay when the connections have left.
    pub standing_instances: usize,
    /// What a connection takes of places: one for each memory of each of its instances.
    pub places_each: usize,
    /// What all of them together may have of memory, in bytes; `None` for any amount.
    pub max_memory_bytes: Option<usize>,
    /// What the places of instances that are gone may keep of memory, in bytes.
    pub max_warm_bytes: usize,
}

impl Capacity {
    /// So many connections with an ordinary instance each, and as much memory as there is.
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

    /// With those that are tried out or moved while all others are open. A standing instance counts as one, though
    /// those who share it need no other: it is there before and after them.
    pub(crate) fn all_connections(&self) -> usize {
        let open = self
            .max_connections
            .saturating_add(self.max_datagram_sessions);
        open.saturating_add(self.standing_instances)
            .saturating_add(SPARE_CONNECTIONS)
    }
}
