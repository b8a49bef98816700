//! What a host tells about itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a host is doing. Counts are since it started; names of figures end in their unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The host's process.
    pub pid: u32,
    /// The host's own version.
    pub version: String,
    /// When it started, in seconds since 1970-01-01T00:00:00Z.
    pub started_unix_seconds: u64,
    /// What it serves.
    pub services: Vec<ServiceStatus>,
    /// Where clients connect to.
    pub listeners: Vec<ListenerStatus>,
    /// The handlers that serve, or did last: service by service, the current one first.
    pub generations: Vec<GenerationStatus>,
    /// The clients' connections.
    pub connections: ConnectionCounts,
    /// Where handlers' instances live.
    pub places: PlaceCounts,
    /// Bytes received from clients.
    pub received_bytes: u64,
    /// Bytes sent to clients.
    pub sent_bytes: u64,
    /// Messages given to handlers.
    pub messages: u64,
    /// Clients that were not served.
    #[serde(default)]
    pub turned_away: u64,
    /// Calls that trapped, ran out of time or of memory.
    pub failed_calls: u64,
    /// How often each limit that there is did what it is there for, by its name.
    #[serde(default)]
    pub limits_reached: BTreeMap<String, u64>,
    /// Datagrams that came to nothing, by the reason.
    #[serde(default)]
    pub dropped_datagrams: BTreeMap<String, u64>,
    /// Swaps that were asked for and refused.
    pub refused_swaps: u64,
    /// The last of them.
    pub last_refusal: Option<RefusalStatus>,
    /// Reloads of the configuration that were refused.
    pub refused_reloads: u64,
    /// The last of them.
    pub last_refused_reload: Option<RefusedReload>,
}

/// How a service is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// What it is called: `main`, if no configuration file says otherwise.
    pub name: String,
    /// Its clients' connections.
    pub connections: ConnectionCounts,
    /// Bytes received from them.
    pub received_bytes: u64,
    /// Bytes sent to them.
    pub sent_bytes: u64,
    /// Messages given to its handlers.
    pub messages: u64,
    /// Clients that were not served.
    #[serde(default)]
    pub turned_away: u64,
    /// Calls that trapped, ran out of time or of memory.
    pub failed_calls: u64,
    /// Swaps that were asked for and refused.
    pub refused_swaps: u64,
}

/// A place where clients connect to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// Such as `tcp://127.0.0.1:8888`.
    pub uri: String,
    /// The service behind it.
    pub service: String,
}

/// One loaded version of a handler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationStatus {
    /// Whose handler it is a version of.
    pub service: String,
    /// Counted from 1, for each service by itself.
    pub number: u64,
    /// What it is there for.
    pub state: GenerationState,
    /// The handler's file, or what else it came from.
    pub handler: String,
    /// The component's content, as 64 hexadecimal digits.
    pub sha256: String,
    /// How long ago it was loaded.
    pub age_seconds: u64,
    /// Connections that it serves now.
    pub connections: u64,
    /// Its calls that trapped, ran out of time or of memory.
    pub failed_calls: u64,
}

/// What a generation is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenerationState {
    /// New clients get it.
    Current,
    /// A rollback would bring it back.
    Previous,
    /// It serves the connections that it still has.
    Old,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionCounts {
    /// Now.
    pub open: u64,
    /// Since the host started, the open ones included.
    pub total: u64,
}

/// The places for instances: one for each memory of each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceCounts {
    /// Now.
    pub taken: u32,
    /// All there are.
    pub total: u32,
}

/// A swap that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalStatus {
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at_unix_seconds: u64,
    /// The handler that was refused.
    pub handler: String,
    /// Why, in one line.
    pub reason: String,
}

/// A reload that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReload {
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at_unix_seconds: u64,
    /// Why, in one line.
    pub reason: String,
}

/// A reload that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// What has changed, a line for each, in words for people; nothing if nothing has.
    pub changes: Vec<String>,
}

/// A swap that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swapped {
    /// The generation that new clients get from now on.
    pub generation: u64,
    /// The generation they got before.
    pub replaced: u64,
    /// The new generation's file, or what else it came from.
    pub handler: String,
    /// The new generation's content, as 64 hexadecimal digits.
    pub sha256: String,
}

/// A swap or a reload that did not take place: the host serves on as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why, in one line.
    pub reason: String,
    /// More about it, such as a diff, in any number of lines.
    pub detail: Option<String>,
}
