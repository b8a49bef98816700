//! A handle on one client's connection.

#[cfg(target_family = "wasm")]
use crate::bindings::connections::Connection as Handle;
#[cfg(not(target_family = "wasm"))]
use crate::testing::Handle;
use crate::{PeerInfo, Timer};
use std::fmt;
use std::time::Duration;

/// A handle to one client's connection. It outlives the connection; calls on it then do nothing.
///
/// A session has the handle of its own connection, and may give it to other sessions of the same
/// instance: a chat room is a list of them.
#[derive(Debug)]
pub struct Connection(Handle);

impl Connection {
    /// A number that no other connection of this host process has or had.
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// The peer and the listener it reached. Does not change while the connection lives.
    pub fn peer(&self) -> PeerInfo {
        self.0.peer()
    }

    /// A detail of the connection, such as `tls.alpn`; `None` if there is none of this name. The
    /// contract lists the names.
    pub fn info(&self, name: &str) -> Option<String> {
        self.0.info(name)
    }

    /// Sends bytes unchanged. Everything that one callback sends is written together.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        self.0.send(bytes.as_ref());
    }

    /// Sends a line: the text and a line feed.
    pub fn send_line(&self, line: impl AsRef<[u8]>) {
        self.send([line.as_ref(), b"\n"].concat());
    }

    /// Sends formatted text. This is what `write!(connection, ...)` and `writeln!(connection, ...)`
    /// call: there is no trait to import and no error to handle.
    pub fn write_fmt(&self, text: fmt::Arguments<'_>) {
        self.send(text.to_string());
    }

    /// Number of bytes sent but not yet written, including those of the running callback.
    pub fn queued(&self) -> u64 {
        self.0.queued()
    }

    /// Stops reading: no message comes until [`resume`](Connection::resume).
    pub fn pause(&self) {
        self.0.pause();
    }

    /// Reads again.
    pub fn resume(&self) {
        self.0.resume();
    }

    /// Continues under TLS, once what was sent before is written (STARTTLS). Then
    /// [`on_secured`](crate::Session::on_secured) is called. Only where `info("start-tls")` is
    /// `offered`; elsewhere it ends the callback like a panic. The contract says what a client must
    /// not send before.
    pub fn start_tls(&self) {
        self.0.start_tls();
    }

    /// Closes when everything sent is written. The session gets no further callbacks.
    pub fn close(&self) {
        self.0.close();
    }

    /// Closes at once. Discards bytes that were sent but not yet written.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Changes the framing, from the next message on. It is written as for `--framing`, such as
    /// `fixed:4`; any other text ends the callback like a panic.
    pub fn set_framing(&self, framing: &str) {
        self.0.set_framing(framing);
    }

    /// Requests one [`on_timer`](crate::Session::on_timer) call after this time, up to 49 days. The
    /// timer is a name or a number: `connection.set_timer("reminder", delay)`. Replaces the same
    /// timer if it has not fired.
    ///
    /// Timers survive a migration: when the session continues in another version of the handler,
    /// they fire there.
    pub fn set_timer(&self, timer: impl Into<Timer>, delay: Duration) {
        let delay = u32::try_from(delay.as_millis()).unwrap_or(u32::MAX);
        self.0.set_timer(timer.into().id(), delay);
    }

    /// Cancels this timer, if it is set.
    pub fn cancel_timer(&self, timer: impl Into<Timer>) {
        self.0.cancel_timer(timer.into().id());
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
