//! Errors of a run, by kind.

use Fault::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::io;

/// The kind of an error: one for each message without a correct reply, and for each connection that
/// could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Connections that the server refused.
    ConnectRefused,
    /// Connections that timed out.
    ConnectTimedOut,
    /// Connections that could not be opened for another reason.
    ConnectOther,
    /// Messages whose reply timed out, and those after them on the same connection.
    TimedOut,
    /// Datagrams without a reply in time: one of the two was lost or dropped.
    Lost,
    /// Messages without a reply when the connection was reset, or nobody received datagrams.
    Reset,
    /// Messages without a reply when the server closed the connection.
    ClosedEarly,
    /// Messages with a wrong reply.
    Corrupt,
    /// Messages lost in another way.
    Other,
}

const KINDS: [(Fault, &str); 9] = [
    (ConnectRefused, "connect refused"),
    (ConnectTimedOut, "connect timed out"),
    (ConnectOther, "connect failed"),
    (TimedOut, "timed out"),
    (Lost, "lost"),
    (Reset, "reset"),
    (ClosedEarly, "closed early"),
    (Corrupt, "corrupt"),
    (Other, "other"),
];

impl Fault {
    /// Why a connection could not be opened.
    pub fn of_connecting(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => ConnectRefused,
            io::ErrorKind::TimedOut => ConnectTimedOut,
            _ => ConnectOther,
        }
    }

    /// Why messages in flight on an open connection are lost.
    pub fn of_exchange(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Reset,
            io::ErrorKind::TimedOut => TimedOut,
            io::ErrorKind::UnexpectedEof => ClosedEarly,
            _ => Other,
        }
    }
}

/// How many errors of each kind there are, also of those that have none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Errors(BTreeMap<Fault, u64>);

impl Default for Errors {
    fn default() -> Self {
        Errors(KINDS.map(|(fault, _)| (fault, 0)).into())
    }
}

impl Errors {
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Messages without a correct reply; the others count connections.
    pub fn messages(&self) -> u64 {
        self.0.range(TimedOut..).map(|(_, count)| count).sum()
    }

    pub(super) fn add(&mut self, fault: Fault, count: u64) {
        *self.0.entry(fault).or_default() += count;
    }

    pub(super) fn add_all(&mut self, other: &Errors) {
        for (fault, count) in &other.0 {
            self.add(*fault, *count);
        }
    }
}

/// Those that there are: `1 connect refused, 2 corrupt`.
impl Display for Errors {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.total() == 0 {
            return f.write_str("none");
        }
        let kinds = KINDS.into_iter().filter(|(fault, _)| self.0[fault] > 0);
        let listed: Vec<_> = kinds
            .map(|(fault, kind)| format!("{} {kind}", self.0[&fault]))
            .collect();
        f.write_str(&listed.join(", "))
    }
}
