//! The control socket: how commands, scripts and a successor talk to a running host.
//!
//! A Unix socket that only its owner can reach. [`ControlSocket`] is the host's side and asks an
//! [`Operator`]; [`request`] is the client's side, and [`find()`] finds the socket of the one host that runs.
//!
//! # The protocol
//!
//! A client connects, sends one line of JSON, gets one line of JSON, and the host closes. Lines are UTF-8 and
//! end with LF; a request has at most [`MAX_REQUEST_BYTES`](crate::limits::MAX_CONTROL_REQUEST_BYTES), and a
//! client that has not sent it within [`CONTROL_REQUEST_TIME`](crate::limits::CONTROL_REQUEST_TIME) is told so
//! and cut off.
//!
//! | request | reply |
//! |---|---|
//! | `{"version":1,"command":"status"}` | `{"version":1,"status":{…}}`: a [`Status`] |
//! | `{"version":1,"command":"swap","handler":"/srv/b.wasm"}` | `{"version":1,"swapped":{…}}`, a [`Swapped`], or `{"version":1,"refused":{…}}`, a [`Refused`] |
//! | `{"version":1,"command":"swap"}` | the same, with the handler's file read again |
//! | `{"version":1,"command":"roll-back"}` | the same, with the generation before |
//! | `{"version":1,"command":"reload"}` | `{"version":1,"reloaded":{…}}`, a [`Reloaded`], or `{"version":1,"refused":{…}}` |
//! | `{"version":1,"command":"take-over"}` | `{"version":1,"listeners":["tcp://…"]}`, and as many descriptors |
//! | anything else | `{"version":1,"error":"…"}` |
//!
//! `swap` and `roll-back` take a member `service` besides, without which they are for the only service there is.
//!
//! `version` is that of the protocol. A host answers a version that it does not speak with an error that
//! names its own; members that it does not know are errors too, so that nothing asked for is left out in
//! silence. Clients ignore members that they do not know.
//!
//! With a `swap` that names a handler, its file may come along, opened for reading (`SCM_RIGHTS` with the first
//! byte), and as a second one the file that signs it. The host, which may be unable to open it itself, reads
//! these then; from the path it reads when it is to read the handler again.
//!
//! A swap or a reload goes on when its client leaves; its result is in the log.
//!
//! ```console
//! $ echo '{"version":1,"command":"status"}' | nc -U /run/user/1000/echo-host/4711.sock
//! {"version":1,"status":{"pid":4711,"version":"0.1.0","started_unix_seconds":1796000000,…}}
//! ```
//!
//! `take-over` is how a [`Predecessor`]'s sockets come to the next host, and the only request after which the
//! connection stays open. Its reply carries the listening sockets as `SCM_RIGHTS`, in the order of the list.
//! When the successor can serve, it sends `{"version":1,"command":"retire"}` on the same connection; the host
//! answers `{"version":1,"retiring":{"pid":4711}}`, accepts no more and drains. A successor that hangs up
//! instead has changed nothing.

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
pub use folder::{FolderError, default_folder_of, default_path, default_path_of};
pub use operator::{Operator, WantedFile};
pub use protocol::{MalformedRequest, PROTOCOL_VERSION, Reply, Request};
pub use socket::{ControlSocket, PreparedSocket};
pub use status::{
    ConnectionCounts, GenerationState, GenerationStatus, ListenerStatus, PlaceCounts,
    RefusalStatus, Refused, RefusedReload, Reloaded, ServiceStatus, Status, Swapped,
};
pub use takeover::{Predecessor, TakeoverError};
