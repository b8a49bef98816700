//! What a tap has seen and nobody has read yet: a queue with a limit. A connection never waits for
//! it; what does not fit is counted and dropped.

use bytes::Bytes;
use connection::handle::{ConnectionHandle, Seen, Watcher};
use connection::limits::{MAX_TAP_PIECE_BYTES, MAX_TAP_QUEUE_BYTES, TAP_ENTRY_BYTES};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;
use tokio::sync::Notify;

/// A queue of what happens on connections.
#[derive(Debug, Default)]
pub struct Tap {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<TapEntry>,
    /// Connections that were open before and have not been shown yet, each with its service. All
    /// of them at once could fill the queue.
    silent: HashMap<u64, String>,
    /// What the entries count as.
    bytes: usize,
    /// Those that did not fit since the last that did.
    missing: u64,
    /// Those that did not fit in all.
    dropped: u64,
}

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapEntry {
    /// When.
    pub at: SystemTime,
    /// The id of the connection; 0 for what is about no single one.
    pub connection: u64,
    /// What.
    pub what: Tapped,
}

/// What happened on a connection that is tapped. Texts and bytes are those of clients and guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tapped {
    /// The tap sees this connection from here on.
    Begun {
        /// Its service.
        service: String,
        /// Its peer; empty over a Unix socket.
        peer: String,
        /// The URI of its listener.
        listener: String,
        /// Whether nothing has been sent before.
        is_fresh: bool,
    },
    /// The client has sent this.
    FromClient(Bytes),
    /// The handler has sent this.
    ToClient(Bytes),
    /// The client sends no more.
    Finished,
    /// The connection has ended.
    Closed,
    /// This many entries are missing here, of any connection.
    Dropped(u64),
}

impl Tap {
    /// The next entries, in order. Waits until there are some.
    pub async fn next(&self) -> Vec<TapEntry> {
        loop {
            let filled = self.filled.notified();
            let entries = self.take();
            if !entries.is_empty() {
                return entries;
            }
            filled.await;
        }
    }

    /// How many entries were dropped in all.
    pub fn dropped(&self) -> u64 {
        self.queue.lock().dropped
    }

    fn take(&self) -> Vec<TapEntry> {
        let mut queue = self.queue.lock();
        queue.mark_dropped();
        queue.bytes = 0;
        std::mem::take(&mut queue.entries).into()
    }
}

impl Queue {
    /// Says where entries are missing.
    fn mark_dropped(&mut self) {
        let missing = std::mem::take(&mut self.missing);
        if missing > 0 {
            self.entries.push_back(TapEntry {
                at: SystemTime::now(),
                connection: 0,
                what: Tapped::Dropped(missing),
            });
        }
    }

    fn push(&mut self, connection: u64, bytes: usize, what: impl FnOnce() -> Tapped) {
        let bytes = bytes + TAP_ENTRY_BYTES;
        if self.bytes + bytes > MAX_TAP_QUEUE_BYTES {
            self.missing += 1;
            self.dropped += 1;
            return;
        }
        self.mark_dropped();
        self.bytes += bytes;
        self.entries.push_back(TapEntry {
            at: SystemTime::now(),
            connection,
            what: what(),
        });
    }
}

impl Watcher for Tap {
    fn see(&self, connection: &ConnectionHandle, seen: Seen<'_>) {
        let id = connection.id();
        let mut queue = self.queue.lock();
        if let Some(service) = queue.silent.remove(&id) {
            if seen == Seen::Closed {
                return;
            }
            queue.push(id, 0, || begun(connection, service, false));
        }
        // A long piece needs room for itself only.
        let mut pieces = |bytes: &[u8], what: fn(Bytes) -> Tapped| {
            for piece in bytes.chunks(MAX_TAP_PIECE_BYTES) {
                queue.push(id, piece.len(), || what(Bytes::copy_from_slice(piece)));
            }
        };
        match seen {
            Seen::FromClient(bytes) => pieces(bytes, Tapped::FromClient),
            Seen::ToClient(bytes) => pieces(bytes, Tapped::ToClient),
            Seen::Finished => queue.push(id, 0, || Tapped::Finished),
            Seen::Closed => queue.push(id, 0, || Tapped::Closed),
            Seen::Begun {
                service,
                is_fresh: true,
            } => queue.push(id, 0, || begun(connection, service.to_owned(), true)),
            Seen::Begun { service, .. } => {
                queue.silent.insert(id, service.to_owned());
            }
        }
        drop(queue);
        self.filled.notify_one();
    }
}

fn begun(connection: &ConnectionHandle, service: String, is_fresh: bool) -> Tapped {
    let peer = connection.peer();
    Tapped::Begun {
        service,
        peer: peer.peer.clone(),
        listener: peer.listener.to_string(),
        is_fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connection::handle::Peer;
    use tracing::Span;

    fn connection() -> ConnectionHandle {
        ConnectionHandle::new(7, Peer::unconnected(), 0, Span::none())
    }

    #[tokio::test]
    async fn a_full_tap_drops_what_comes_next_and_says_how_much() {
        let (tap, connection) = (Tap::default(), connection());
        let piece = [b'x'; MAX_TAP_PIECE_BYTES];
        let fits = MAX_TAP_QUEUE_BYTES / (MAX_TAP_PIECE_BYTES + TAP_ENTRY_BYTES);
        for _ in 0..fits + 5 {
            tap.see(&connection, Seen::FromClient(&piece));
        }
        let entries = tap.next().await;
        assert_eq!(entries.len(), fits + 1);
        assert_eq!(entries[fits].what, Tapped::Dropped(5));
        tap.see(&connection, Seen::Closed);
        let entries = tap.next().await;
        assert_eq!((entries.len(), &entries[0].what), (1, &Tapped::Closed));
        assert_eq!((entries[0].connection, tap.dropped()), (7, 5));
    }

    #[tokio::test]
    async fn a_connection_that_was_open_before_is_shown_when_it_speaks() {
        let (tap, connection) = (Tap::default(), connection());
        let begun = |is_fresh| Seen::Begun {
            service: "main",
            is_fresh,
        };
        tap.see(&connection, begun(false));
        tap.see(&connection, Seen::Closed);
        tap.see(&connection, begun(false));
        tap.see(&connection, Seen::ToClient(b"x"));
        let entries = tap.next().await;
        assert_eq!(entries.len(), 2);
        assert!(matches!(
            entries[0].what,
            Tapped::Begun {
                is_fresh: false,
                ..
            }
        ));
    }

    #[tokio::test]
    async fn many_small_entries_fill_a_tap_as_well() {
        let (tap, connection) = (Tap::default(), connection());
        for _ in 0..MAX_TAP_QUEUE_BYTES {
            tap.see(&connection, Seen::Finished);
        }
        let kept = tap.next().await.len();
        assert_eq!(kept - 1, MAX_TAP_QUEUE_BYTES / TAP_ENTRY_BYTES);
    }

    #[tokio::test]
    async fn a_long_message_is_cut_into_pieces_in_order() {
        let (tap, connection) = (Tap::default(), connection());
        let long: Vec<u8> = (0..3 * MAX_TAP_PIECE_BYTES - 1)
            .map(|at| at as u8)
            .collect();
        tap.see(&connection, Seen::ToClient(&long));
        let pieces = tap.next().await.into_iter().map(|it| match it.what {
            Tapped::ToClient(bytes) => bytes,
            other => panic!("{other:?}"),
        });
        let pieces: Vec<_> = pieces.collect();
        assert_eq!((pieces.len(), pieces.concat()), (3, long));
    }
}
