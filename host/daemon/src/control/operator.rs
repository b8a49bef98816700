//! The trait through which the control socket calls the host.

use super::connections::{ConnectionStatus, Wanted};
use super::profile::ProfilePiece;
use super::status::{Refused, Reloaded, Status, Swapped};
use server::service::Tap;
use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A handler that a client wants to swap in.
#[derive(Debug)]
pub struct WantedFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// The file and its signature as opened by the client, which may read what the host cannot.
    /// Empty if it could not open them.
    pub opened: Vec<OwnedFd>,
}

/// Connections in slices: while one is collected, no connection begins or ends.
pub type Slices = Box<dyn Iterator<Item = Vec<ConnectionStatus>> + Send>;

/// A tap that is open until this is dropped.
pub struct Tapping {
    /// Where its entries are.
    pub tap: Arc<Tap>,
    /// How many connections it sees now.
    pub connections: u64,
    /// What closes it.
    pub open: Box<dyn Any + Send + Sync>,
}

/// A profile that goes on until this is dropped.
pub struct Profiling {
    /// The names of the services whose guests it samples.
    pub services: Vec<String>,
    /// What was sampled since the last time, and how many samples are missing in all.
    pub take: Box<dyn FnMut() -> (Vec<ProfilePiece>, u64) + Send>,
}

/// The host behind a control socket. Its methods are called concurrently.
pub trait Operator: Send + Sync + 'static {
    /// The status of the host.
    fn status(&self) -> Status;

    /// Swaps in the component in this file, or without one the current file read again. Without a
    /// service name: the only service.
    fn swap(
        &self,
        service: Option<String>,
        handler: Option<WantedFile>,
        allow_imports: Vec<String>,
    ) -> impl Future<Output = Result<Swapped, Refused>> + Send;

    /// Makes the previous generation of a service current, or the one of this number.
    fn roll_back(
        &self,
        service: Option<String>,
        generation: Option<u64>,
    ) -> impl Future<Output = Result<Swapped, Refused>> + Send;

    /// Reloads the configuration file and the handlers.
    fn reload(&self) -> impl Future<Output = Result<Reloaded, Refused>> + Send;

    /// Open connections, by id. With a time, their time in calls is measured for so long before.
    fn connections(
        &self,
        wanted: Wanted,
        measure: Option<Duration>,
    ) -> impl Future<Output = Result<Slices, Refused>> + Send;

    /// Ends connections, gracefully or at once. Returns how many.
    fn disconnect(&self, wanted: Wanted, at_once: bool) -> Result<u64, Refused>;

    /// Shows the traffic of connections, also of those that begin later.
    fn tap(&self, wanted: Wanted) -> Result<Tapping, Refused>;

    /// Samples running guests of a service, or of all.
    fn profile(&self, service: Option<String>) -> Result<Profiling, Refused>;

    /// Duplicates of the listening sockets with their URIs. Fails if the host is stopping and has
    /// closed them.
    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>>;

    /// A successor accepts from the listening sockets: when this returns, this host accepts no
    /// more.
    fn retire(&self);

    /// The successor has the reply: drain and exit. Returns at once.
    fn leave(&self);
}
