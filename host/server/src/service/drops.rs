//! Counters of dropped datagrams.

use connection::limits::{Limit, MAX_NO_PERMIT_LINES_PER_SECOND};
use connection::rates::LogRateLimiter;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts dropped datagrams, in both directions. Where a limit is the only reason, the limit
/// counts.
#[derive(Debug, Default)]
pub struct Drops {
    /// From a source port that is never answered.
    pub unanswered_port: AtomicU64,
    /// From an address that is not allowed.
    pub turned_away: AtomicU64,
    /// From a new sender beyond the session limit.
    pub no_permit: AtomicU64,
    /// Beyond the rate of a service or an address.
    pub rate: AtomicU64,
    /// To a sender, because the kernel could not send it.
    pub unsent: AtomicU64,
    /// Limits log lines about drops.
    lines: LogRateLimiter<MAX_NO_PERMIT_LINES_PER_SECOND>,
}

impl Drops {
    /// Counts a datagram of a new sender beyond a limit, and logs it at a limited rate.
    pub fn no_permit(&self, listener: &str, limit: Limit, why: &str) {
        limit.reached();
        let dropped = self.no_permit.fetch_add(1, Ordering::Relaxed) + 1;
        if self.lines.admit().is_ok() {
            tracing::warn!(
                listener,
                dropped,
                "dropping datagrams of new senders: {why}"
            );
        }
    }

    /// The counts by reason.
    pub fn counts(&self) -> [(&'static str, u64); 8] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("unanswered-port", count(&self.unanswered_port)),
            ("turned-away", count(&self.turned_away)),
            ("no-place", count(&self.no_permit)),
            ("waiting", Limit::UdpWaiting.times()),
            ("rate", count(&self.rate)),
            ("amplification", Limit::UdpAmplification.times()),
            ("too-long", Limit::UdpDatagram.times()),
            ("unsent", count(&self.unsent)),
        ]
    }

    /// Logs the counts, if any is not zero.
    pub fn log(&self) {
        let counts = self.counts().map(|(_, count)| count);
        if counts.iter().all(|count| *count == 0) {
            return;
        }
        let [
            unanswered_port,
            turned_away,
            no_permit,
            waiting,
            rate,
            amplification,
            too_long,
            unsent,
        ] = counts;
        tracing::info!(
            unanswered_port,
            turned_away,
            no_permit,
            waiting,
            rate,
            amplification,
            too_long,
            unsent,
            "dropped datagrams"
        );
    }
}
