//! The status of a host, as JSON. Names of members are part of the protocol.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The status of a host. Counts are since its start; names of figures end in their unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The process id of the host.
    pub pid: u32,
    /// The version of the host.
    pub version: String,
    /// When it started, in seconds since 1970-01-01T00:00:00Z.
    pub started_unix_seconds: u64,
    /// The services.
    pub services: Vec<ServiceStatus>,
    /// The listeners.
    pub listeners: Vec<ListenerStatus>,
    /// The generations by service, the current one first.
    pub generations: Vec<GenerationStatus>,
    /// Client connections.
    pub connections: ConnectionCounts,
    /// Places for instances.
    pub places: PlaceCounts,
    /// Bytes received from clients.
    pub received_bytes: u64,
    /// Bytes sent to clients.
    pub sent_bytes: u64,
    /// Messages passed to handlers.
    pub messages: u64,
    /// Clients that were not served.
    #[serde(default)]
    pub turned_away: u64,
    /// Calls that trapped, ran out of time or of memory.
    pub failed_calls: u64,
    /// How often each limit was reached, by name.
    #[serde(default)]
    pub limits_reached: BTreeMap<String, u64>,
    /// Dropped datagrams by reason.
    #[serde(default)]
    pub dropped_datagrams: BTreeMap<String, u64>,
    /// Swaps that were asked for and refused.
    pub refused_swaps: u64,
    /// The last of them.
    pub last_refusal: Option<RefusalStatus>,
    /// Refused reloads of the configuration.
    pub refused_reloads: u64,
    /// The last of them.
    pub last_refused_reload: Option<RefusedReload>,
}

/// The status of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its name: `main` without a configuration file.
    pub name: String,
    /// Its connections.
    pub connections: ConnectionCounts,
    /// Bytes received from them.
    pub received_bytes: u64,
    /// Bytes sent to them.
    pub sent_bytes: u64,
    /// Messages passed to its handlers.
    pub messages: u64,
    /// Clients that were not served.
    #[serde(default)]
    pub turned_away: u64,
    /// Calls that trapped, ran out of time or of memory.
    pub failed_calls: u64,
    /// Swaps that were asked for and refused.
    pub refused_swaps: u64,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// Its URI, such as `tcp://127.0.0.1:8888`.
    pub uri: String,
    /// Its service.
    pub service: String,
}

/// One loaded version of a handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationStatus {
    /// The service of the handler.
    pub service: String,
    /// Counts from 1 for each service.
    pub number: u64,
    /// Its state.
    pub state: GenerationState,
    /// The handler's file or other source.
    pub handler: String,
    /// The SHA-256 of the component, as 64 hexadecimal digits.
    pub sha256: String,
    /// Seconds since it was loaded.
    pub age_seconds: u64,
    /// Its open connections.
    pub connections: u64,
    /// Calls that trapped, timed out or ran out of memory.
    pub failed_calls: u64,
}

/// The state of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenerationState {
    /// Serves new connections.
    Current,
    /// The target of a rollback.
    Previous,
    /// Serves its open connections only.
    Old,
}

/// Numbers of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCounts {
    /// Now.
    pub open: u64,
    /// Since the host started, with the open ones.
    pub total: u64,
}

/// Places for instances: one for each memory of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceCounts {
    /// Now.
    pub taken: u32,
    /// All places.
    pub total: u32,
}

/// A refused swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalStatus {
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at_unix_seconds: u64,
    /// The handler that was refused.
    pub handler: String,
    /// Why, in one line.
    pub reason: String,
}

/// A refused reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReload {
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at_unix_seconds: u64,
    /// Why, in one line.
    pub reason: String,
}

/// A successful reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// The changes in words, one line each; empty if nothing changed.
    pub changes: Vec<String>,
}

/// A successful swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swapped {
    /// The new generation.
    pub generation: u64,
    /// The previous generation.
    pub replaced: u64,
    /// The new generation's file or other source.
    pub handler: String,
    /// The SHA-256 of its component, as 64 hexadecimal digits.
    pub sha256: String,
}

/// A refused swap or reload: the host keeps serving as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why, in one line.
    pub reason: String,
    /// Details such as a diff, in any number of lines.
    pub detail: Option<String>,
}
