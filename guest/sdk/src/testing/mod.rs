//! Lets a unit test be the client of a session, natively and without a host.
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
//! What holds for sessions holds here: a callback's sends and orders, to whichever connections, take effect when it
//! returns `Ok`; after an error none does, and the session is over. Messages are given whole: nothing is cut.

mod line;
mod received;

pub(crate) use line::Handle;
pub use received::Received;

use crate::{
    CloseMode, Connection, Failure, Framing, PeerInfo, Result, Session, Transport, logging,
};
use line::Line;
use std::rc::Rc;
use std::time::Duration;

/// A client of a session. Several of them, of one test, are connections of one instance.
pub struct Client<S: Session> {
    session: Option<S>,
    line: Rc<Line>,
}

impl<S: Session> Client<S> {
    /// Connects over TCP from 192.0.2.1, and opens a session.
    pub fn connect() -> Result<Self> {
        Self::connect_as(peer())
    }

    /// Connects as somebody else.
    pub fn connect_as(peer: PeerInfo) -> Result<Self> {
        Self::open(peer, None)
    }

    /// Goes on with what the session of another client has [saved](Client::save), as after a swap.
    pub fn resume(saved: impl Into<Vec<u8>>) -> Result<Self> {
        Self::open(peer(), Some(saved.into()))
    }

    fn open(peer: PeerInfo, saved: Option<Vec<u8>>) -> Result<Self> {
        logging::start();
        let line = Line::new(peer);
        let connection = Connection::of_a_test(Handle::on(&line));
        let session = line::commit(|| S::open(connection, saved))?;
        let session = Some(session);
        let mut client = Client { session, line };
        client.end_if_closed();
        Ok(client)
    }

    /// Sends a message, without what the framing takes off.
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

    /// Lets a timer run out.
    ///
    /// # Panics
    ///
    /// If the session has not set it.
    #[track_caller]
    pub fn fire(&mut self, id: u32) -> Result {
        let was_set = self.line.take_timer(id);
        assert!(was_set, "the session has set no timer {id}");
        self.call(|session| session.on_timer(id))
    }

    /// Tells the session that what was queued above the high-water mark has gone out, as far as it was
    /// [received](Client::received).
    #[track_caller]
    pub fn writable(&mut self) -> Result {
        self.call(S::on_writable)
    }

    /// Has the host stop, or swap the handler out.
    #[track_caller]
    pub fn shutdown(&mut self) -> Result {
        let said = self.call(S::on_shutdown);
        self.session = None;
        said
    }

    /// What the session gives to the next version's, if it can be carried on.
    #[track_caller]
    pub fn save(&mut self) -> Option<Vec<u8>> {
        self.session().save()
    }

    /// What was sent to the client since it was last asked.
    pub fn received(&mut self) -> Received {
        Received(self.line.take_sent())
    }

    /// How the session, or another one, has closed the connection; not if it is open.
    pub fn closed(&self) -> Option<CloseMode> {
        self.line.closed()
    }

    /// The framing that the session has set, if it has set one.
    pub fn framing(&self) -> Option<Framing> {
        self.line.framing()
    }

    /// In what time a timer will run out, if it is set.
    pub fn timer(&self, id: u32) -> Option<Duration> {
        self.line.timer(id)
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
            self.line.close(match failure {
                Failure::Internal(_) => CloseMode::Reset,
                Failure::Protocol(_) | Failure::Refused(_) => CloseMode::Graceful,
            });
        }
        self.end_if_closed();
        returned
    }

    /// A session sees nothing more of a connection that is closed.
    fn end_if_closed(&mut self) {
        if self.line.closed().is_some() {
            self.session = None;
        }
    }
}

/// A client on a documentation network, as RFC 5737 has them.
fn peer() -> PeerInfo {
    PeerInfo {
        transport: Transport::Tcp,
        peer: "192.0.2.1:49152".to_owned(),
        local: "127.0.0.1:8888".to_owned(),
        listener: "tcp://127.0.0.1:8888".to_owned(),
        tls: None,
    }
}

#[cfg(test)]
mod tests;
