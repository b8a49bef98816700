//! The idle timeout: notices connections without traffic.
//!
//! A connection only marks that bytes moved. A sweep each second compares, so that a connection
//! needs neither a clock nor a timer.

use super::{ConnectionHandle, Transport};
use crate::limits::IDLE_SWEEP;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The time between two sweeps.
const SWEEP_MS: u64 = IDLE_SWEEP.as_millis() as u64;

/// Whether and since when a connection has been without traffic.
#[derive(Debug)]
pub struct Quiet {
    /// Whether bytes have moved since the last sweep.
    moved: AtomicBool,
    /// The first sweep after bytes moved last, in milliseconds. Only used by sweeps.
    since_ms: AtomicU64,
    /// The idle timeout in milliseconds; 0 for none.
    limit_ms: AtomicU64,
    /// Whether half the timeout has passed. Only used by sweeps.
    is_half: AtomicBool,
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sweep {
    /// Bytes have moved, or not for long enough.
    #[default]
    Moved,
    /// No byte has moved for half the timeout, or the next sweep may be the last. Found once.
    Quiet,
    /// No byte has moved for the whole timeout.
    Idle,
}

impl Quiet {
    pub fn new() -> Self {
        Quiet {
            moved: AtomicBool::new(true),
            since_ms: AtomicU64::new(0),
            limit_ms: AtomicU64::new(0),
            is_half: AtomicBool::new(false),
        }
    }

    /// Changes the idle timeout.
    pub fn set_limit(&self, limit: Option<Duration>) {
        let limit_ms = limit.map_or(0, |limit| limit.as_millis().clamp(1, u64::MAX.into()));
        self.limit_ms.store(limit_ms as u64, Ordering::Relaxed);
    }

    /// The idle timeout; `Duration::MAX` for none.
    pub fn limit(&self) -> Duration {
        match self.limit_ms.load(Ordering::Relaxed) {
            0 => Duration::MAX,
            limit_ms => Duration::from_millis(limit_ms),
        }
    }

    /// Bytes have moved.
    #[inline]
    pub fn touch(&self) {
        if !self.moved.load(Ordering::Relaxed) {
            self.moved.store(true, Ordering::Relaxed);
        }
    }

    /// Whether bytes have moved since the last sweep.
    #[inline]
    pub fn has_moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }

    /// How long no byte has moved, to a second: none if some have since the last sweep.
    pub fn lasted(&self, now: Duration) -> Duration {
        if self.has_moved() {
            return Duration::ZERO;
        }
        now.saturating_sub(Duration::from_millis(self.since_ms.load(Ordering::Relaxed)))
    }

    /// Looks for traffic. `now` is the time since any fixed moment. Never early: it counts from the
    /// first sweep that saw no traffic before it.
    pub fn sweep(&self, now: Duration) -> Sweep {
        let now_ms = now.as_millis() as u64;
        let has_moved = self.moved.load(Ordering::Relaxed);
        if has_moved {
            self.moved.store(false, Ordering::Relaxed);
            self.since_ms.store(now_ms, Ordering::Relaxed);
            self.is_half.store(false, Ordering::Relaxed);
        }
        let limit_ms = self.limit_ms.load(Ordering::Relaxed);
        if limit_ms == 0 {
            return Sweep::Moved;
        }
        let quiet_ms = now_ms - self.since_ms.load(Ordering::Relaxed);
        if !has_moved && quiet_ms >= limit_ms {
            return Sweep::Idle;
        }
        // Sweeps are not quite regular: the next one may be the last.
        let is_half = quiet_ms >= limit_ms / 2 || quiet_ms + SWEEP_MS * 3 / 2 >= limit_ms;
        if is_half && !self.is_half.load(Ordering::Relaxed) {
            self.is_half.store(true, Ordering::Relaxed);
            return Sweep::Quiet;
        }
        Sweep::Moved
    }
}

impl ConnectionHandle {
    /// Ends the connection if no byte moves for this long, or never.
    pub fn set_idle_timeout(&self, limit: Option<Duration>) {
        self.quiet.set_limit(limit);
    }

    /// The idle timeout; `Duration::MAX` for none.
    pub fn idle_timeout(&self) -> Duration {
        self.quiet.limit()
    }

    /// How long no byte has moved, to a second. `now` is that of the sweeps.
    pub fn quiet_for(&self, now: Duration) -> Duration {
        self.quiet.lasted(now)
    }

    /// Marks that bytes moved.
    #[inline]
    pub fn touch(&self) {
        self.quiet.touch();
    }

    /// Whether bytes have moved since the last sweep.
    #[inline]
    pub fn has_moved(&self) -> bool {
        self.quiet.has_moved()
    }

    /// Notifies the connection if it has been idle for its timeout, and a WebSocket once after half
    /// of it, so that it asks whether its client is still there. To be called each second, with
    /// the time since a fixed moment.
    pub fn sweep(&self, now: Duration) {
        match self.quiet.sweep(now) {
            found @ Sweep::Idle => self.order(|orders| orders.sweep = found),
            found @ Sweep::Quiet
                if matches!(self.peer.transport, Transport::Ws | Transport::Wss) =>
            {
                self.order(|orders| orders.sweep = found);
            }
            Sweep::Quiet | Sweep::Moved => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_idle_after_the_whole_timeout_without_traffic() {
        let quiet = Quiet::new();
        let sweep = |seconds| quiet.sweep(Duration::from_secs(seconds)) == Sweep::Idle;
        assert!(!sweep(100) && !sweep(1000));
        quiet.set_limit(Some(Duration::from_secs(2)));
        quiet.touch();
        assert!(!sweep(1001) && !sweep(1002));
        quiet.touch();
        assert!(!sweep(1003) && !sweep(1004));
        assert!(sweep(1005) && sweep(1006));
        assert_eq!(quiet.lasted(Duration::from_secs(1006)).as_secs(), 3);
        quiet.set_limit(None);
        assert!(!sweep(2000));
        quiet.touch();
        assert!(quiet.lasted(Duration::from_secs(2001)).is_zero());
    }

    #[test]
    fn half_the_timeout_is_noticed_once_and_before_the_whole() {
        let quiet = Quiet::new();
        let sweep = |seconds| quiet.sweep(Duration::from_secs(seconds));
        quiet.set_limit(Some(Duration::from_secs(4)));
        let found: Vec<_> = (0..6).map(sweep).collect();
        use Sweep::{Idle, Moved, Quiet as Half};
        assert_eq!(found, [Moved, Moved, Half, Moved, Idle, Idle]);
        quiet.touch();
        let found: Vec<_> = (6..11).map(sweep).collect();
        assert_eq!(found, [Moved, Moved, Half, Moved, Idle]);
        quiet.set_limit(Some(Duration::from_secs(1)));
        quiet.touch();
        assert_eq!((sweep(11), sweep(12)), (Half, Idle));
    }
}
