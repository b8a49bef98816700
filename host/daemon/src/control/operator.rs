//! What the control socket asks of the host behind it.

use super::status::{Refused, Reloaded, Status, Swapped};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A handler that a client wants served.
#[derive(Debug)]
pub struct WantedFile {
    /// Where it lies; absolute.
    pub path: PathBuf,
    /// What the client has opened of it, as it may be able to read what the host may not: the file itself, and the one
    /// that signs it; none if it could not.
    pub opened: Vec<OwnedFd>,
}

/// The host behind a control socket. Its methods are called by many clients at once.
pub trait Operator: Send + Sync + 'static {
    /// How the host is doing.
    fn status(&self) -> Status;

    /// Lets the component in this file serve new clients of a service, or, without one, reads the current file
    /// again. Without a name it is for the only service there is.
    fn swap(
        &self,
        service: Option<String>,
        handler: Option<WantedFile>,
    ) -> impl Future<Output = Result<Swapped, Refused>> + Send;

    /// Lets the generation before the current one serve new clients of a service.
    fn roll_back(
        &self,
        service: Option<String>,
    ) -> impl Future<Output = Result<Swapped, Refused>> + Send;

    /// Reads the configuration file again, and the handlers.
    fn reload(&self) -> impl Future<Output = Result<Reloaded, Refused>> + Send;

    /// Duplicates of the listening sockets, each with its URI. Fails when the host is stopping and has closed
    /// them.
    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>>;

    /// A successor accepts from the listening sockets: nobody is accepted here any more when this returns.
    fn retire(&self);

    /// The successor has heard of it: drain and exit. Returns at once.
    fn leave(&self);
}
