//! The control socket: how commands, scripts and a successor talk to a running host. Must not know
//! the host except through [`Operator`].
//!
//! A Unix socket that only its owner can reach. [`ControlSocket`] is the host's side and calls an
//! [`Operator`]; [`request()`] is the client's side, and [`find()`] finds the socket of the only
//! running host.
//!
#![doc = include_str!("../../../../docs/reference/control-protocol.md")]

mod client;
mod connections;
mod error;
mod find;
mod folder;
#[cfg(any(test, fuzzing))]
pub(crate) mod invariants;
mod malformed;
mod operator;
mod profile;
mod profiling;
#[cfg(test)]
mod properties;
mod protocol;
mod request;
mod service;
mod socket;
mod status;
mod takeover;
#[cfg(test)]
mod tests;
mod version;
mod watching;

pub use client::{Replies, request};
pub use connections::{ConnectionStatus, EndOfList, TapLine, TapWhat, Wanted};
pub use error::{ControlError, SocketError};
pub use find::find;
pub use folder::{FolderError, default_path, default_path_of};
pub use malformed::MalformedRequest;
pub use operator::{Operator, Profiling, Slices, Tapping, WantedFile};
pub use profile::{EndOfProfile, ProfilePiece, ProfileSample};
pub use protocol::Reply;
pub use request::Request;
pub use socket::{ControlSocket, PreparedSocket};
pub use status::{
    CallStatus, ConnectionCounts, CountStatus, DistributionStatus, GenerationState,
    GenerationStatus, ListenerStatus, MovedConnections, RefusalStatus, Refused, RefusedReload,
    Reloaded, ServiceStatus, SlotCounts, Status, Swapped, VersionStatus, WarningStatus,
    WorkerStatus,
};
pub use takeover::{Predecessor, TakeoverError};
pub use version::PROTOCOL_VERSION;
