//! Counts of bytes and messages.

use super::ConnectionHandle;
use crate::sync::atomic::{AtomicU64, Ordering};
use std::iter::Sum;

/// Traffic of one or more connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes read from the client.
    pub received_bytes: u64,
    /// Bytes written to the client.
    pub sent_bytes: u64,
    /// Messages passed to the handler.
    pub messages: u64,
}

impl Sum for Traffic {
    fn sum<I: Iterator<Item = Traffic>>(all: I) -> Traffic {
        all.fold(Traffic::default(), |sum, one| Traffic {
            received_bytes: sum.received_bytes + one.received_bytes,
            sent_bytes: sum.sent_bytes + one.sent_bytes,
            messages: sum.messages + one.messages,
        })
    }
}

impl ConnectionHandle {
    /// Notes that bytes were written.
    #[inline]
    pub fn written(&self, bytes: usize) {
        self.discarded(bytes);
        self.note_sent(bytes);
    }

    /// Notes that bytes will never be written.
    #[inline]
    pub fn discarded(&self, bytes: usize) {
        self.unsent_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts written bytes that were not ordered here.
    #[inline]
    pub fn note_sent(&self, bytes: usize) {
        count(&self.sent_bytes, bytes as u64);
    }

    /// Counts received bytes.
    #[inline]
    pub fn note_received(&self, bytes: usize) {
        count(&self.received_bytes, bytes as u64);
    }

    /// Counts what came and is not for the handler: commands of telnet. Returns their bytes.
    #[inline]
    pub fn note_commands(&self) -> usize {
        let Some(telnet) = &self.peer.telnet else {
            return 0;
        };
        let bytes = telnet.take_command_bytes();
        if bytes > 0 {
            self.note_received(bytes);
            self.touch();
        }
        bytes
    }

    /// Counts a message passed to the handler.
    #[inline]
    pub fn note_message(&self) {
        count(&self.messages, 1);
    }

    /// Notes which generation serves the connection.
    pub fn note_generation(&self, number: u64) {
        self.generation.store(number, Ordering::Relaxed);
    }

    /// The number of the generation that serves the connection, or served it last.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// The traffic of the connection so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            received_bytes: self.received_bytes.load(Ordering::Relaxed),
            sent_bytes: self.sent_bytes.load(Ordering::Relaxed),
            messages: self.messages.load(Ordering::Relaxed),
        }
    }
}

/// Adds to a count that only the task of the connection changes: cheaper than an atomic addition.
#[inline]
fn count(counter: &AtomicU64, more: u64) {
    let before = counter.load(Ordering::Relaxed);
    counter.store(before + more, Ordering::Relaxed);
}
