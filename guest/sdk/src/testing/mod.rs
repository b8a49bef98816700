//! Lets a unit test act as the client of a session, natively and without a host.
//!
//! ```
//! use echo_host_guest::testing::Client;
//! use echo_host_guest::{Connection, Result, Session};
//!
//! struct Echo(Connection);
//!
//! impl Session for Echo {
//!     fn open(connection: Connection, _: Option<Vec<u8>>) -> Result<Self> {
//!         Ok(Echo(connection))
//!     }
//!
//!     fn on_message(&mut self, message: Vec<u8>) -> Result {
//!         self.0.send(&message);
//!         Ok(())
//!     }
//! }
//!
//! let mut client = Client::<Echo>::connect().unwrap();
//! client.message("hello").unwrap();
//! assert_eq!(client.received(), "hello");
//! ```
//!
//! The rules of sessions apply here as well: what a callback sends or orders, on any connection,
//! takes effect when it returns `Ok`; after an error nothing does, and the session is over. Pass
//! whole messages: nothing is cut.

pub mod config;
#[cfg(feature = "keyvalue")]
pub mod keyvalue;
mod line;
#[cfg(feature = "outgoing")]
pub mod outgoing;
mod received;

pub(crate) use line::Handle;
pub use received::Received;

use crate::{Connection, PeerInfo, Result, Session, Timer, logging};
use line::Line;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseMode {
    /// What was sent is written first.
    Graceful,
    /// At once.
    Reset,
}

/// A client of a session. Several clients in one test are connections of one instance.
pub struct Client<S: Session> {
    session: Option<S>,
    line: Rc<Line>,
}

impl<S: Session> Client<S> {
    /// Connects over TCP from 192.0.2.1, and opens a session.
    pub fn connect() -> Result<Self> {
        Self::connect_as(peer(), &[])
    }

    /// Connects as this peer, with these details of the connection, such as
    /// `[("tls.alpn", "h2")]`.
    pub fn connect_as(peer: PeerInfo, info: &[(&str, &str)]) -> Result<Self> {
        Self::open(Line::new(peer, info), None)
    }

    /// Continues with the [saved](Client::save) state of another client's session, as after a swap.
    pub fn resume(saved: impl Into<Vec<u8>>) -> Result<Self> {
        Self::open(Line::new(peer(), &[]), Some(saved.into()))
    }

    fn open(line: Rc<Line>, saved: Option<Vec<u8>>) -> Result<Self> {
        logging::start();
        let connection = Connection::of_a_test(Handle::on(&line));
        let session = line::commit(|| S::open(connection, saved))?;
        let session = Some(session);
        let mut client = Client { session, line };
        client.end_if_closed();
        Ok(client)
    }

    /// Sends a message, without its delimiter or length.
    #[track_caller]
    pub fn message(&mut self, message: impl Into<Vec<u8>>) -> Result {
        let message = message.into();
        self.call(|session| session.on_message(message))
    }

    /// Finishes sending.
    #[track_caller]
    pub fn eof(&mut self) -> Result {
        self.call(S::on_eof)
    }

    /// Lets a timer fire: `client.fire("reminder")`.
    ///
    /// # Panics
    ///
    /// If the session has not set it.
    #[track_caller]
    pub fn fire(&mut self, timer: impl Into<Timer> + fmt::Debug) -> Result {
        let said = format!("{timer:?}");
        let timer = timer.into();
        let was_set = self.line.take_timer(timer.id());
        assert!(was_set, "the session has set no timer {said}");
        self.call(|session| session.on_timer(timer))
    }

    /// Calls `on_writable`, as when what was queued above the high-water mark has been written.
    /// Only [received](Client::received) bytes count as written.
    #[track_caller]
    pub fn writable(&mut self) -> Result {
        self.call(S::on_writable)
    }

    /// Shakes hands, as the session has asked for with `start_tls`.
    ///
    /// # Panics
    ///
    /// If it has not.
    #[track_caller]
    pub fn secure(&mut self) -> Result {
        assert!(
            self.line.take_start_tls(),
            "the session has not started TLS"
        );
        self.call(S::on_secured)
    }

    /// Stops the host, or swaps the handler out.
    #[track_caller]
    pub fn shutdown(&mut self) -> Result {
        let said = self.call(S::on_shutdown);
        self.end();
        said
    }

    /// The state that the session passes to the next version, if it can continue.
    #[track_caller]
    pub fn save(&mut self) -> Option<Vec<u8>> {
        self.session().save()
    }

    /// What was sent to the client since the last call.
    pub fn received(&mut self) -> Received {
        Received(self.line.take_sent())
    }

    /// How the session, or another one, has closed the connection; `None` if it is open.
    pub fn closed(&self) -> Option<CloseMode> {
        self.line.closed()
    }

    /// The framing that the session has set, if any.
    pub fn framing(&self) -> Option<String> {
        self.line.framing()
    }

    /// Whether the session has paused reading.
    pub fn is_paused(&self) -> bool {
        self.line.is_paused()
    }

    /// When a timer will fire, if it is set.
    pub fn timer(&self, timer: impl Into<Timer>) -> Option<Duration> {
        self.line.timer(timer.into().id())
    }

    #[track_caller]
    fn session(&mut self) -> &mut S {
        self.end_if_closed();
        let session = self.session.as_mut();
        session.expect("the session is over: it was closed, failed or shut down")
    }

    #[track_caller]
    fn call(&mut self, callback: impl FnOnce(&mut S) -> Result) -> Result {
        let session = self.session();
        let returned = line::commit(|| callback(session));
        if let Err(failure) = &returned {
            self.line.close(match &*failure.kind {
                "protocol" | "refused" => CloseMode::Graceful,
                _ => CloseMode::Reset,
            });
        }
        self.end_if_closed();
        returned
    }

    /// A session gets no callbacks of a closed connection.
    fn end_if_closed(&mut self) {
        if self.line.closed().is_some() {
            self.end();
        }
    }

    /// Drops the session. What it sends to others then takes effect.
    fn end(&mut self) {
        let session = self.session.take();
        let ended = line::commit(|| {
            drop(session);
            Ok(())
        });
        ended.expect("a drop cannot fail");
    }
}

/// The client disconnects.
impl<S: Session> Drop for Client<S> {
    fn drop(&mut self) {
        self.end();
    }
}

/// A client in a documentation network (RFC 5737).
fn peer() -> PeerInfo {
    PeerInfo {
        transport: "tcp".to_owned(),
        peer: "192.0.2.1:49152".to_owned(),
        local: "127.0.0.1:8888".to_owned(),
        listener: "tcp://127.0.0.1:8888".to_owned(),
    }
}

#[cfg(test)]
mod tests;
