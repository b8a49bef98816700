//! The trait through which the control socket calls the host.

use super::status::{Refused, Reloaded, Status, Swapped};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A handler that a client wants to swap in.
#[derive(Debug)]
pub struct WantedFile {
    /// Its absolute path.
    pub path: PathBuf,
    /// The file and its signature as opened by the client, which may read what the host cannot.
    /// Empty if it could not open them.
    pub opened: Vec<OwnedFd>,
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

    /// Duplicates of the listening sockets with their URIs. Fails if the host is stopping and has
    /// closed them.
    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>>;

    /// A successor accepts from the listening sockets: when this returns, this host accepts no
    /// more.
    fn retire(&self);

    /// The successor has the reply: drain and exit. Returns at once.
    fn leave(&self);
}
