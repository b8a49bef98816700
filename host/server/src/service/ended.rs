//! The end of a connection: counted, and logged in one line.

use super::CloseStats;
use super::close_stats::is_departure;
use connection::handle::{ConnectionHandle, Lost, Traffic};
use connection::handler::{CallError, SessionError};
use connection::limits::Limit;
use connection::task::{CloseReason, ConnectionError};
use framing::FramingError;
use std::io;
use std::sync::Arc;

/// A connection that is served. If it is dropped before it ends, it was cut.
pub struct OpenConnection<'a> {
    stats: &'a CloseStats,
    handle: Arc<ConnectionHandle>,
    /// Whether a proxy checks the host's health.
    is_check: bool,
    ended: bool,
}

impl<'a> OpenConnection<'a> {
    /// Counts a new connection.
    pub fn begin(stats: &'a CloseStats, handle: Arc<ConnectionHandle>, is_check: bool) -> Self {
        stats.begin();
        OpenConnection {
            stats,
            handle,
            is_check,
            ended: false,
        }
    }

    /// Logs and counts how it ended. Returns the I/O error, unless the client just disconnected.
    pub fn end(mut self, result: Result<CloseReason, ConnectionError>) -> Option<io::Error> {
        self.ended = true;
        self.note(&result);
        match result {
            Err(ConnectionError::Io(error)) if !is_departure(&error) => Some(error),
            _ => None,
        }
    }

    fn note(&self, result: &Result<CloseReason, ConnectionError>) {
        let Traffic {
            received_bytes,
            sent_bytes,
            messages,
        } = self.handle.traffic();
        let error = result.as_ref().err();
        self.stats.count(self.handle.traffic(), error);
        if let Some(limit) = error.and_then(limit) {
            limit.reached();
        }
        let duration_ms = self.handle.since().elapsed().as_millis() as u64;
        let generation = self.handle.generation();
        let listener = &self.handle.peer().listener;
        let (end, why) = (name(result), why(result));
        let _entered = self.handle.span().enter();
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    received_bytes, sent_bytes, messages, duration_ms, generation, %listener, end,
                    "closed{why}"
                )
            };
        }
        let is_check = received_bytes == 0 && (sent_bytes == 0 || self.is_check);
        if let Some(error) = error
            && end != "left"
        {
            match self.stats.counter(error) {
                _ if !self.stats.may_log() => {}
                Some(_) => log!(warn),
                None => log!(info),
            }
        } else if is_check || !self.stats.logs_connections {
            log!(debug);
        } else if tracing::enabled!(tracing::Level::INFO) && self.stats.may_log_normal_end() {
            // Lines that nobody sees take nothing from the limit.
            log!(info);
        }
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.handle.retire();
            self.note(&Err(ConnectionError::Cut));
        }
    }
}

/// How a connection ended, in one word.
fn name(result: &Result<CloseReason, ConnectionError>) -> &'static str {
    match result {
        Ok(CloseReason::Finished) => "finished",
        Ok(CloseReason::CutOff) => "left",
        Ok(CloseReason::Reset) => "reset",
        Err(error) => match error {
            ConnectionError::Io(error) if is_departure(error) => "left",
            ConnectionError::Io(_) => "io",
            ConnectionError::Framing(_) => "framing",
            ConnectionError::Session(SessionError::Protocol(_)) => "protocol",
            ConnectionError::Session(SessionError::Refused(_)) => "refused",
            ConnectionError::Session(SessionError::Internal(_)) => "failed",
            ConnectionError::Session(SessionError::Call(_)) => "call",
            ConnectionError::Lost(_) => "lost",
            ConnectionError::Idle(_) => "idle",
            ConnectionError::Silent => "silent",
            ConnectionError::StartTls(_) => "tls",
            ConnectionError::Cut => "cut",
        },
    }
}

fn why(result: &Result<CloseReason, ConnectionError>) -> String {
    match result {
        Ok(CloseReason::Finished | CloseReason::Reset) => String::new(),
        Ok(CloseReason::CutOff) => ": the client left without closing its TLS or WebSocket".into(),
        Err(ConnectionError::Io(error)) if is_departure(error) => {
            format!(": the client left: {error}")
        }
        Err(error) => format!(": {error}"),
    }
}

/// The limit that ended a connection, if any.
fn limit(error: &ConnectionError) -> Option<Limit> {
    match error {
        ConnectionError::Framing(FramingError::TooLong { .. }) => Some(Limit::MaxMessage),
        ConnectionError::Session(SessionError::Call(CallError::Timeout(_))) => {
            Some(Limit::CallTimeout)
        }
        ConnectionError::Session(SessionError::Call(CallError::Memory { .. })) => {
            Some(Limit::MaxMemory)
        }
        ConnectionError::Lost(Lost::SlowReader { .. }) => Some(Limit::MaxUnsent),
        ConnectionError::Lost(Lost::TooManyTimers { .. }) => Some(Limit::Timers),
        ConnectionError::Silent => Some(Limit::PeerTimeout),
        ConnectionError::Idle(_) => Some(Limit::IdleTimeout),
        _ => None,
    }
}
