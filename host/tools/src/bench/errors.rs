//! What can go wrong.

use serde::Serialize;
use std::io;

/// What can go wrong, once for each message that got no correct reply, and once for each connection that
/// could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    ConnectRefused,
    ConnectTimedOut,
    ConnectOther,
    TimedOut,
    Lost,
    Reset,
    ClosedEarly,
    Corrupt,
    Other,
}

/// A fault, and what the system says about it.
#[derive(Debug)]
pub struct Trouble {
    pub fault: Fault,
    pub cause: Option<io::Error>,
}

impl Trouble {
    /// A connection could not be opened.
    pub fn connect(cause: io::Error) -> Self {
        let fault = match cause.kind() {
            io::ErrorKind::ConnectionRefused => Fault::ConnectRefused,
            io::ErrorKind::TimedOut => Fault::ConnectTimedOut,
            _ => Fault::ConnectOther,
        };
        let cause = Some(cause);
        Trouble { fault, cause }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Trouble { fault, cause: None }
    }
}

impl From<io::Error> for Trouble {
    fn from(cause: io::Error) -> Self {
        let fault = match cause.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Fault::Reset,
            io::ErrorKind::TimedOut => Fault::TimedOut,
            _ => Fault::Other,
        };
        let cause = Some(cause);
        Trouble { fault, cause }
    }
}

/// Errors by kind. Those of connecting are counted by connection, all others by message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Errors {
    /// Connections that the server refused.
    pub connect_refused: u64,
    /// Connections that were not there in time.
    pub connect_timed_out: u64,
    /// Connections that could not be opened for another reason.
    pub connect_other: u64,
    /// Messages whose reply was not there in time, and those behind them on the same connection.
    pub timed_out: u64,
    /// Datagrams whose reply was not there in time: one of the two was lost on its way, or dropped.
    pub lost: u64,
    /// Messages without a reply when the connection was reset, or when nobody received datagrams there.
    pub reset: u64,
    /// Messages without a reply when the server closed the connection.
    pub closed_early: u64,
    /// Messages whose reply was not what had been sent.
    pub corrupt: u64,
    /// Messages lost in another way.
    pub other: u64,
}

impl Errors {
    /// Every kind's count and name.
    pub fn rows(&self) -> [(u64, &'static str); 9] {
        [
            (self.connect_refused, "connect refused"),
            (self.connect_timed_out, "connect timed out"),
            (self.connect_other, "connect failed"),
            (self.timed_out, "timed out"),
            (self.lost, "lost"),
            (self.reset, "reset"),
            (self.closed_early, "closed early"),
            (self.corrupt, "corrupt"),
            (self.other, "other"),
        ]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.rows().iter().map(|(count, _)| count).sum()
    }

    /// Messages that got no correct reply.
    pub fn messages(&self) -> u64 {
        self.timed_out + self.lost + self.reset + self.closed_early + self.corrupt + self.other
    }

    pub(super) fn count(&mut self, fault: Fault) {
        *match fault {
            Fault::ConnectRefused => &mut self.connect_refused,
            Fault::ConnectTimedOut => &mut self.connect_timed_out,
            Fault::ConnectOther => &mut self.connect_other,
            Fault::TimedOut => &mut self.timed_out,
            Fault::Lost => &mut self.lost,
            Fault::Reset => &mut self.reset,
            Fault::ClosedEarly => &mut self.closed_early,
            Fault::Corrupt => &mut self.corrupt,
            Fault::Other => &mut self.other,
        } += 1;
    }

    pub(super) fn add(&mut self, other: &Errors) {
        self.connect_refused += other.connect_refused;
        self.connect_timed_out += other.connect_timed_out;
        self.connect_other += other.connect_other;
        self.timed_out += other.timed_out;
        self.lost += other.lost;
        self.reset += other.reset;
        self.closed_early += other.closed_early;
        self.corrupt += other.corrupt;
        self.other += other.other;
    }
}
