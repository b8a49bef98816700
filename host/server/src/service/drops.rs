//! Counters of dropped datagrams.

use super::ration::Ration;
use connection::limits::{Limit, MAX_NO_PLACE_LINES_PER_SECOND};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts dropped datagrams, in both directions.
#[derive(Debug, Default)]
pub struct Drops {
    /// From a source port that is never answered.
    pub unanswered_port: AtomicU64,
    /// From an address that is not allowed.
    pub turned_away: AtomicU64,
    /// From a new sender beyond the session limit.
    pub no_place: AtomicU64,
    /// From a sender whose queue was full.
    pub waiting: AtomicU64,
    /// Above the rate of a service or an address.
    pub rate: AtomicU64,
    /// To a sender, above the amplification limit.
    pub amplification: AtomicU64,
    /// Replies longer than a datagram.
    pub too_long: AtomicU64,
    /// Replies that the kernel could not send.
    pub unsent: AtomicU64,
    /// The rate limit of log lines.
    lines: Ration<MAX_NO_PLACE_LINES_PER_SECOND>,
}

impl Drops {
    /// Counts a datagram of a new sender beyond a limit, and logs it at a limited rate.
    pub fn no_place(&self, listener: &str, limit: Limit, why: &str) {
        limit.reached();
        let dropped = self.no_place.fetch_add(1, Ordering::Relaxed) + 1;
        if self.lines.take().is_some() {
            tracing::warn!(
                listener,
                dropped,
                "dropping datagrams of new senders: {why}"
            );
        }
    }

    /// The counts by reason.
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

    /// Logs the counts, if any is not zero.
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
