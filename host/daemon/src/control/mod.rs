//! The control socket: how commands, scripts and a successor talk to a running host. Must not know
//! the host except through [`Operator`].
//!
//! A Unix socket that only its owner can reach. [`ControlSocket`] is the host's side and calls an
//! [`Operator`]; [`request`] is the client's side, and [`find()`] finds the socket of the only
//! running host.
//!
#![doc = include_str!("../../../../docs/reference/control-protocol.md")]

mod client;
mod error;
mod find;
mod folder;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod operator;
#[cfg(test)]
mod properties;
mod protocol;
mod service;
mod socket;
mod status;
mod takeover;
#[cfg(test)]
mod tests;

pub use client::request;
pub use error::{ControlError, SocketError};
pub use find::find;
pub use folder::{FolderError, default_path, default_path_of};
pub use operator::{Operator, WantedFile};
pub use protocol::{MalformedRequest, PROTOCOL_VERSION, Reply, Request};
pub use socket::{ControlSocket, PreparedSocket};
pub use status::{
    CallStatus, ConnectionCounts, CountStatus, DistributionStatus, GenerationState,
    GenerationStatus, ListenerStatus, MovedConnections, RefusalStatus, Refused, RefusedReload,
    Reloaded, ServiceStatus, SlotCounts, Status, Swapped, VersionStatus, WarningStatus,
    WorkerStatus,
};
pub use takeover::{Predecessor, TakeoverError};
