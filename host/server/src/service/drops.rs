//! Datagrams that came to nothing.

use super::ration::Ration;
use connection::limits::{Limit, MAX_NO_PLACE_LINES_PER_SECOND};
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// More in a second than a service, or an address, may have.
    pub rate: AtomicU64,
    /// To a sender that would have been sent too much for what it had sent.
    pub amplification: AtomicU64,
    /// Longer than a datagram can be.
    pub too_long: AtomicU64,
    /// To a sender, and the kernel could not send it.
    pub unsent: AtomicU64,
    /// What the operator is told of it.
    lines: Ration<MAX_NO_PLACE_LINES_PER_SECOND>,
}

impl Drops {
    /// Counts a new sender's datagram for which there is no place, and tells the operator, but not each time.
    pub fn no_place(&self, listener: &str, limit: Limit, why: &str) {
        limit.reached();
        let dropped = self.no_place.fetch_add(1, Ordering::Relaxed) + 1;
        if self.lines.take().is_some() {
            tracing::warn!(
                listener,
                dropped,
                "datagrams of new senders are dropped: {why}"
            );
        }
    }

    /// The counts, each with its reason.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counters = [
            ("unanswered-port", &self.unanswered_port),
            ("turned-away", &self.turned_away),
            ("no-place", &self.no_place),
            ("waiting", &self.waiting),
            ("rate", &self.rate),
            ("amplification", &self.amplification),
            ("too-long", &self.too_long),
            ("unsent", &self.unsent),
        ];
        let counters = counters.into_iter();
        counters.map(|(reason, counter)| (reason, counter.load(Ordering::Relaxed)))
    }

    /// Logs the counts, if there is anything to tell.
    pub fn log(&self) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (unanswered_port, no_place) = (count(&self.unanswered_port), count(&self.no_place));
        let turned_away = count(&self.turned_away);
        let rate = count(&self.rate);
        let (waiting, amplification) = (count(&self.waiting), count(&self.amplification));
        let (too_long, unsent) = (count(&self.too_long), count(&self.unsent));
        if self.counts().any(|(_, count)| count > 0) {
            tracing::info!(
                unanswered_port,
                turned_away,
                no_place,
                waiting,
                rate,
                amplification,
                too_long,
                unsent,
                "dropped datagrams"
            );
        }
    }
}
