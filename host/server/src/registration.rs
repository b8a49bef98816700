//! Sockets that the runtime learns of when they are first waited for, so that they can be bound before the runtime and
//! its threads exist.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

/// A socket, and what tokio makes of it once somebody waits for it.
#[derive(Debug)]
pub struct Registered<T> {
    socket: OwnedFd,
    register: fn(OwnedFd) -> io::Result<T>,
    registered: OnceLock<T>,
}

impl<T> Registered<T> {
    /// A non-blocking socket that `register` makes known to the current runtime.
    pub fn new(socket: impl Into<OwnedFd>, register: fn(OwnedFd) -> io::Result<T>) -> Self {
        Registered {
            socket: socket.into(),
            register,
            registered: OnceLock::new(),
        }
    }

    /// The registered socket. Must be called within the runtime.
    pub fn get(&self) -> io::Result<&T> {
        if let Some(registered) = self.registered.get() {
            return Ok(registered);
        }
        let registered = (self.register)(self.socket.try_clone()?)?;
        Ok(self.registered.get_or_init(|| registered))
    }
}

impl<T> AsFd for Registered<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
