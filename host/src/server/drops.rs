//! Datagrams that came to nothing.

use crate::limits::DROP_WARNING_TIME;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Counts datagrams that came to nothing, in or out.
#[derive(Debug, Default)]
pub struct Drops {
    /// From a source port that is never answered.
    pub unanswered_port: AtomicU64,
    /// From a sender that may not be served.
    pub turned_away: AtomicU64,
    /// From a new sender, when there was no place for another one.
    pub no_place: AtomicU64,
    /// From a sender of whom too many waited.
    pub waiting: AtomicU64,
    /// To a sender that would have been sent too much for what it had sent.
    pub amplification: AtomicU64,
    /// Longer than a datagram can be.
    pub too_long: AtomicU64,
    /// To a sender, and the kernel could not send it.
    pub unsent: AtomicU64,
    /// When the operator was last told that there was no place.
    warned: Mutex<Option<Instant>>,
}

impl Drops {
    /// Counts a new sender's datagram for which there is no place, and tells the operator, but not each time.
    pub fn no_place(&self, listener: &str, limit: &str) {
        let dropped = self.no_place.fetch_add(1, Ordering::Relaxed) + 1;
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| last.elapsed() >= DROP_WARNING_TIME) {
            *warned = Some(Instant::now());
            tracing::warn!(
                listener,
                dropped,
                "datagrams of new senders are dropped: {limit}"
            );
        }
    }

    /// Logs the counts, if there is anything to tell.
    pub fn log(&self) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (unanswered_port, no_place) = (count(&self.unanswered_port), count(&self.no_place));
        let turned_away = count(&self.turned_away);
        let (waiting, amplification) = (count(&self.waiting), count(&self.amplification));
        let (too_long, unsent) = (count(&self.too_long), count(&self.unsent));
        if unanswered_port + turned_away + no_place + waiting + amplification + too_long + unsent
            > 0
        {
            tracing::info!(
                unanswered_port,
                turned_away,
                no_place,
                waiting,
                amplification,
                too_long,
                unsent,
                "dropped datagrams"
            );
        }
    }
}
