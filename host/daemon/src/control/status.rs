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
    /// The commit it was built from, if the build knew.
    #[serde(default)]
    pub commit: Option<String>,
    /// Seconds since it started.
    #[serde(default)]
    pub uptime_seconds: u64,
    /// The resident memory of the process, where the system tells.
    #[serde(default)]
    pub resident_bytes: Option<u64>,
    /// When it started, in seconds since 1970-01-01T00:00:00Z.
    pub started_unix_seconds: u64,
    /// The services.
    pub services: Vec<ServiceStatus>,
    /// The listeners.
    pub listeners: Vec<ListenerStatus>,
    /// The generations by service, the current one first.
    pub generations: Vec<GenerationStatus>,
    /// The versions that were current, by service, oldest first.
    #[serde(default)]
    pub versions: Vec<VersionStatus>,
    /// Client connections.
    pub connections: ConnectionCounts,
    /// The threads that serve them.
    #[serde(default)]
    pub workers: Vec<WorkerStatus>,
    /// Slots for instances.
    #[serde(rename = "places")]
    pub slots: SlotCounts,
    /// What is wiped of an instance's memory for the next: `whole` or `scan`.
    #[serde(default)]
    pub wipe: String,
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
    /// The last warnings and errors, the latest first.
    #[serde(default)]
    pub last_warnings: Vec<WarningStatus>,
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
    /// What calls of its handlers have taken.
    #[serde(default)]
    pub calls: CallStatus,
}

/// What calls have taken. Of each 5 ms, the first call is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStatus {
    /// Their times.
    pub microseconds: DistributionStatus,
    /// The sizes of their messages.
    pub message_bytes: DistributionStatus,
    /// CPU time in all calls.
    pub cpu_microseconds: u64,
}

/// How many values were how large. Their unit is in the name of the member that has this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionStatus {
    /// The sum of all.
    pub sum: u64,
    /// Their numbers, by size.
    pub counts: Vec<CountStatus>,
}

/// Values that are larger than those of the count before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountStatus {
    /// The largest value that counts here; absent for the largest values.
    pub up_to: Option<u64>,
    /// How many there were.
    pub count: u64,
}

/// A warning or an error of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarningStatus {
    /// When it was logged last, in seconds since 1970-01-01T00:00:00Z.
    pub at_unix_seconds: u64,
    /// `warn` or `error`.
    pub level: String,
    /// The service it is about, if the configuration names services.
    pub service: Option<String>,
    /// Its text when it was logged last.
    pub message: String,
    /// How often the host logged this, with whatever details.
    pub times: u64,
}

/// A listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// Its URI, such as `tcp://127.0.0.1:8888`.
    pub uri: String,
    /// Its service.
    pub service: String,
    /// Its open connections, or UDP sessions.
    #[serde(default)]
    pub connections: u64,
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
    /// What its calls have taken.
    #[serde(default)]
    pub calls: CallStatus,
    /// How long connections have lasted that ended with it.
    #[serde(default)]
    pub connection_milliseconds: DistributionStatus,
}

/// A time during which a version was current.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionStatus {
    /// The service of the handler.
    pub service: String,
    /// The number of its generation.
    pub number: u64,
    /// The handler's file or other source.
    pub handler: String,
    /// The SHA-256 of the component, as 64 hexadecimal digits.
    pub sha256: String,
    /// When it began, in seconds since 1970-01-01T00:00:00Z.
    pub since_unix_seconds: u64,
    /// When it ended, if it has.
    pub until_unix_seconds: Option<u64>,
    /// Why it ended, in words.
    pub ended: Option<String>,
    /// What became of the connections of the version before, if there was one.
    pub connections: Option<MovedConnections>,
    /// Whether `swap --generation` can make it current again.
    pub kept: bool,
}

/// What became of the connections that were open at a swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedConnections {
    /// Those that the new generation serves.
    pub migrated: u64,
    /// Those that the old one serves on.
    pub stayed: u64,
    /// Those whose session is still in a call.
    pub undecided: u64,
    /// All this in words, with the reasons.
    pub summary: String,
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

/// A thread that serves connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Counts from 0, as in the name of the thread.
    pub number: u64,
    /// Its open connections and UDP sessions.
    pub connections: u64,
    /// Whether its guests compute for so long that new connections go to other workers.
    pub busy: bool,
}

/// Slots for instances: one for each memory of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotCounts {
    /// Now.
    pub taken: u32,
    /// All slots.
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
    /// What became of open connections; `None` if the version was current already.
    #[serde(default)]
    pub connections: Option<MovedConnections>,
}

/// A refused swap or reload: the host keeps serving as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why, in one line.
    pub reason: String,
    /// Details such as a diff, in any number of lines.
    pub detail: Option<String>,
    /// All mistakes of the configuration file, each with its line, if they are the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mistakes: Option<String>,
}
