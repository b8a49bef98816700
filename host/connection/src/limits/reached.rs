//! Counts how often each limit was reached, for the whole process. `status` and the metrics show
//! the counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counted limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    MaxConnections,
    MaxConnectionsPerIp,
    MaxConnectionsPerUid,
    MaxNewConnectionsPerSecond,
    MaxNewConnectionsPerSecondPerIp,
    MaxMessagesPerSecond,
    MaxMessagesPerSecondPerIp,
    MaxBytesPerSecond,
    MaxBytesPerSecondPerIp,
    MaxMessage,
    MaxUnsent,
    HighWater,
    IdleTimeout,
    HandshakeTimeout,
    ProxyHeader,
    WebSocketRequest,
    PeerTimeout,
    CallTimeout,
    MaxMemory,
    MaxGuestMemory,
    MaxKeyvalue,
    Outgoing,
    OpenFiles,
    Slots,
    Component,
    CallbackOutput,
    HandedBytes,
    SavedBytes,
    Handles,
    TableElements,
    RandomBytes,
    Timers,
    RestartBackOff,
    LogLine,
    LogRate,
    HandlerLogRate,
    ConnectionLog,
    LogDropped,
    DrainTimeout,
    AcceptBackOff,
    UdpMaxSessions,
    UdpWaiting,
    UdpAmplification,
    UdpDatagram,
    ControlClients,
    ControlRequest,
    MetricsClients,
}

/// The name of each limit: that of its option, if it has one.
const NAMES: [(Limit, &str); 47] = [
    (Limit::MaxConnections, "max-connections"),
    (Limit::MaxConnectionsPerIp, "max-connections-per-ip"),
    (Limit::MaxConnectionsPerUid, "max-connections-per-uid"),
    (
        Limit::MaxNewConnectionsPerSecond,
        "max-new-connections-per-second",
    ),
    (
        Limit::MaxNewConnectionsPerSecondPerIp,
        "max-new-connections-per-second-per-ip",
    ),
    (Limit::MaxMessagesPerSecond, "max-messages-per-second"),
    (
        Limit::MaxMessagesPerSecondPerIp,
        "max-messages-per-second-per-ip",
    ),
    (Limit::MaxBytesPerSecond, "max-bytes-per-second"),
    (Limit::MaxBytesPerSecondPerIp, "max-bytes-per-second-per-ip"),
    (Limit::MaxMessage, "max-message"),
    (Limit::MaxUnsent, "max-unsent"),
    (Limit::HighWater, "high-water"),
    (Limit::IdleTimeout, "idle-timeout"),
    (Limit::HandshakeTimeout, "handshake-timeout"),
    (Limit::ProxyHeader, "proxy-header"),
    (Limit::WebSocketRequest, "websocket-request"),
    (Limit::PeerTimeout, "peer-timeout"),
    (Limit::CallTimeout, "call-timeout"),
    (Limit::MaxMemory, "max-memory"),
    (Limit::MaxGuestMemory, "max-guest-memory"),
    (Limit::MaxKeyvalue, "max-keyvalue"),
    (Limit::Outgoing, "outgoing"),
    (Limit::OpenFiles, "open-files"),
    (Limit::Slots, "places"),
    (Limit::Component, "component"),
    (Limit::CallbackOutput, "callback-output"),
    (Limit::HandedBytes, "handed-bytes"),
    (Limit::SavedBytes, "saved-bytes"),
    (Limit::Handles, "handles"),
    (Limit::TableElements, "table-elements"),
    (Limit::RandomBytes, "random-bytes"),
    (Limit::Timers, "timers"),
    (Limit::RestartBackOff, "restart-back-off"),
    (Limit::LogLine, "log-line"),
    (Limit::LogRate, "log-rate"),
    (Limit::HandlerLogRate, "handler-log-rate"),
    (Limit::ConnectionLog, "connection-log"),
    (Limit::LogDropped, "log-dropped"),
    (Limit::DrainTimeout, "drain-timeout"),
    (Limit::AcceptBackOff, "accept-back-off"),
    (Limit::UdpMaxSessions, "udp-max-sessions"),
    (Limit::UdpWaiting, "udp-waiting"),
    (Limit::UdpAmplification, "udp-amplification"),
    (Limit::UdpDatagram, "udp-datagram"),
    (Limit::ControlClients, "control-clients"),
    (Limit::ControlRequest, "control-request"),
    (Limit::MetricsClients, "metrics-clients"),
];

static TIMES: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];

impl Limit {
    /// Counts one time.
    pub fn reached(self) {
        self.reached_times(1);
    }

    /// Counts several times.
    pub fn reached_times(self, times: u64) {
        TIMES[self as usize].fetch_add(times, Ordering::Relaxed);
    }

    /// How often it was reached since the process started.
    pub fn times(self) -> u64 {
        TIMES[self as usize].load(Ordering::Relaxed)
    }

    /// The name and count of each limit since the start of the process.
    pub fn all() -> impl Iterator<Item = (&'static str, u64)> {
        let times = TIMES.iter().map(|times| times.load(Ordering::Relaxed));
        NAMES.iter().map(|(_, name)| *name).zip(times)
    }
}

#[cfg(test)]
mod tests;
