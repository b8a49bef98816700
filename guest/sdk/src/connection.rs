//! A handle on one client's connection.

#[cfg(target_family = "wasm")]
use crate::bindings::connections::Connection as Handle;
#[cfg(not(target_family = "wasm"))]
use crate::testing::Handle;
use crate::{CloseMode, Framing, PeerInfo};
use std::time::Duration;

/// A handle on one client's connection, which outlives it: using it then does nothing.
///
/// A session has that of its own connection, and may give it to other sessions of the same instance: a chat room is
/// a list of them.
#[derive(Debug)]
pub struct Connection(Handle);

impl Connection {
    /// A number that no other connection of this host process has or had.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Who is on the other side. The same for the connection's whole life.
    pub fn peer(&self) -> PeerInfo {
        self.0.peer()
    }

    /// Sends bytes exactly as they are. What several calls of one callback send is written together.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        self.0.send(bytes.as_ref());
    }

    /// How many bytes were sent and not yet written, those of the running callback included.
    pub fn queued(&self) -> u64 {
        self.0.queued()
    }

    /// Closes when all that was sent is written. The session sees nothing more of its client.
    pub fn close(&self) {
        self.0.close(CloseMode::Graceful);
    }

    /// Closes at once, and drops what was sent and is not yet written.
    pub fn reset(&self) {
        self.0.close(CloseMode::Reset);
    }

    /// Cuts messages in another way, from the next one on.
    pub fn set_framing(&self, framing: &Framing) {
        self.0.set_framing(framing);
    }

    /// Asks for [`on_timer`](crate::Session::on_timer), once, after some time of up to 49 days. A timer of the same id
    /// that has not run out is replaced.
    pub fn set_timer(&self, id: u32, delay: Duration) {
        let delay = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        self.0.set_timer(id, delay);
    }

    /// Cancels the timer of this id, if there is one.
    pub fn cancel_timer(&self, id: u32) {
        self.0.cancel_timer(id);
    }
}

#[cfg(target_family = "wasm")]
impl From<Handle> for Connection {
    fn from(handle: Handle) -> Self {
        Connection(handle)
    }
}

#[cfg(not(target_family = "wasm"))]
impl Connection {
    pub(crate) fn of_a_test(handle: Handle) -> Self {
        Connection(handle)
    }
}

#[cfg(not(target_family = "wasm"))]
impl From<crate::bindings::connections::Connection> for Connection {
    fn from(_: crate::bindings::connections::Connection) -> Self {
        unreachable!("only a host makes such a handle, and it runs components")
    }
}
