//! What the control socket asks of the host behind it.

use super::status::{Refused, Status, Swapped};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// The host behind a control socket. Its methods are called by many clients at once.
pub trait Operator: Send + Sync + 'static {
    /// How the host is doing.
    fn status(&self) -> Status;

    /// Lets the component in this file serve new clients, or, without one, reads the current file again. The
    /// path is absolute.
    fn swap(
        &self,
        handler: Option<PathBuf>,
    ) -> impl Future<Output = Result<Swapped, Refused>> + Send;

    /// Lets the generation before the current one serve new clients.
    fn roll_back(&self) -> impl Future<Output = Result<Swapped, Refused>> + Send;

    /// Duplicates of the listening sockets, each with its URI. Fails when the host is stopping and has closed
    /// them.
    fn listeners(&self) -> io::Result<Vec<(String, OwnedFd)>>;

    /// A successor accepts from the listening sockets: stop accepting, drain, exit. Returns at once.
    fn retire(&self);
}
