//! Counters of connections and how they ended, and log lines about clients that were not served.

use crate::admission::{NotAdmitted, ProxyError};
use connection::handle::Traffic;
use connection::handler::SessionError;
use connection::limits::{Limit, MAX_ACCESS_LINES_PER_SECOND, MAX_CONNECTION_LINES_PER_SECOND};
use connection::rates::LogRateLimiter;
use connection::task::ConnectionError;
use parking_lot::Mutex;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts connections and how they ended.
#[derive(Default)]
pub struct CloseStats {
    /// The total that these counts are part of.
    whole: Option<Arc<CloseStats>>,
    connections: AtomicU64,
    framing: AtomicU64,
    protocol: AtomicU64,
    refused: AtomicU64,
    internal: AtomicU64,
    calls: AtomicU64,
    lost: AtomicU64,
    turned_away: AtomicU64,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    messages: AtomicU64,
    /// The traffic reported last.
    told: Mutex<Traffic>,
    /// What is logged about it.
    lines: LogRateLimiter<MAX_CONNECTION_LINES_PER_SECOND>,
    /// What is logged about normal ends.
    normal_lines: LogRateLimiter<MAX_ACCESS_LINES_PER_SECOND>,
    /// Whether normal ends are logged at level info.
    pub(super) logs_connections: bool,
}

/// Totals of all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// All connections, with the open ones.
    pub connections: u64,
    /// Connections ended by a failed call.
    pub failed_calls: u64,
    /// Clients that were not served.
    pub turned_away: u64,
    /// Their traffic.
    pub traffic: Traffic,
}

impl CloseStats {
    pub(super) fn new(logs_connections: bool) -> Self {
        CloseStats {
            logs_connections,
            ..CloseStats::default()
        }
    }

    /// Counts that also add to `whole`.
    pub(super) fn within(whole: &Arc<CloseStats>) -> Self {
        CloseStats {
            whole: Some(whole.clone()),
            logs_connections: whole.logs_connections,
            ..CloseStats::default()
        }
    }

    /// The counts so far, with the traffic of `live` connections. `live` is called last, so that
    /// none counts twice. A connection that is just ending may be in neither; reported traffic
    /// never decreases.
    pub fn totals(&self, live: impl FnOnce() -> Traffic) -> Totals {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ended = Traffic {
            received_bytes: count(&self.received_bytes),
            sent_bytes: count(&self.sent_bytes),
            messages: count(&self.messages),
        };
        let all: Traffic = [ended, live()].into_iter().sum();
        let mut told = self.told.lock();
        *told = Traffic {
            received_bytes: told.received_bytes.max(all.received_bytes),
            sent_bytes: told.sent_bytes.max(all.sent_bytes),
            messages: told.messages.max(all.messages),
        };
        Totals {
            connections: count(&self.connections),
            failed_calls: count(&self.calls),
            turned_away: count(&self.turned_away),
            traffic: *told,
        }
    }

    /// Counts a new connection.
    pub fn begin(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.begin();
        }
    }

    /// Logs and counts a client refused on accept.
    pub fn note_turned_away(&self, client: SocketAddr, listener: &str) {
        self.count_turned_away();
        tracing::debug!(%client, listener, "not served: address not allowed (--allow, --deny)");
    }

    /// Logs and counts a client that was not admitted.
    pub fn note_not_admitted(&self, why: &NotAdmitted) {
        if let NotAdmitted::Page = why {
            return tracing::debug!("not a WebSocket: {why}");
        }
        self.count_turned_away();
        match why {
            NotAdmitted::TooSlow(_) => Limit::HandshakeTimeout.reached(),
            NotAdmitted::Proxy(ProxyError::TooLong) => Limit::ProxyHeader.reached(),
            NotAdmitted::Answered(why) if why.starts_with("431 ") => {
                Limit::WebSocketRequest.reached()
            }
            _ => {}
        }
        match why {
            NotAdmitted::Denied(_) => tracing::debug!("not served: {why}"),
            NotAdmitted::Io(error) | NotAdmitted::Tls(error) if is_departure(error) => {
                tracing::debug!("the client left: {error}");
            }
            _ if self.may_log() => tracing::info!("not served: {why}"),
            _ => {}
        }
    }

    /// Whether another line about a connection may be logged. First logs how many lines were
    /// dropped.
    pub(super) fn may_log(&self) -> bool {
        admits(&self.lines)
    }

    /// The same for a connection that ended normally.
    pub(super) fn may_log_normal_end(&self) -> bool {
        admits(&self.normal_lines)
    }

    /// Counts a client that was turned away.
    pub fn count_turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.count_turned_away();
        }
    }

    pub(super) fn count(&self, traffic: Traffic, error: Option<&ConnectionError>) {
        for (counter, by) in [
            (&self.received_bytes, traffic.received_bytes),
            (&self.sent_bytes, traffic.sent_bytes),
            (&self.messages, traffic.messages),
        ] {
            counter.fetch_add(by, Ordering::Relaxed);
        }
        if let Some(counter) = error.and_then(|error| self.counter(error)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(whole) = &self.whole {
            whole.count(traffic, error);
        }
    }

    /// The counter of an error that concerns the handler or its clients.
    pub(super) fn counter(&self, error: &ConnectionError) -> Option<&AtomicU64> {
        match error {
            ConnectionError::Framing(_) => Some(&self.framing),
            ConnectionError::Session(SessionError::Protocol(_)) => Some(&self.protocol),
            ConnectionError::Session(SessionError::Refused(_)) => Some(&self.refused),
            ConnectionError::Session(SessionError::Internal(_)) => Some(&self.internal),
            ConnectionError::Session(SessionError::Call(_)) => Some(&self.calls),
            ConnectionError::Lost(_) => Some(&self.lost),
            ConnectionError::Idle(_)
            | ConnectionError::Silent
            | ConnectionError::StartTls(_)
            | ConnectionError::Io(_)
            | ConnectionError::Cut => None,
        }
    }

    /// Logs the counts.
    pub fn log(&self) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        tracing::info!(
            connections = count(&self.connections),
            broken_framing = count(&self.framing),
            broken_protocol = count(&self.protocol),
            refused = count(&self.refused),
            failures = count(&self.internal),
            failed_calls = count(&self.calls),
            lost = count(&self.lost),
            turned_away = count(&self.turned_away),
            "served"
        );
    }
}

fn admits<const PER_SECOND: u32>(lines: &LogRateLimiter<PER_SECOND>) -> bool {
    match lines.admit() {
        Err(_) => {
            Limit::ConnectionLog.reached();
            return false;
        }
        Ok(0) => {}
        Ok(left_out) => tracing::warn!(
            "{left_out} lines about connections dropped: more than {PER_SECOND} a second"
        ),
    }
    true
}

/// Whether an error only means that the client disconnected, which is normal.
pub(super) fn is_departure(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
            | io::ErrorKind::ConnectionAborted
            // Many TLS clients close without `close_notify`.
            | io::ErrorKind::UnexpectedEof
    )
}
