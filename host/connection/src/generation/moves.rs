//! What became of the connections that were open at a swap.

use parking_lot::Mutex;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Why a connection stays with its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stay {
    /// The policy is `new-connections`.
    NewConnections,
    /// The policy is `next-message`, and the session converses.
    NextMessage,
    /// A program reads a stream and cannot move.
    Program,
    /// The new version cuts messages differently.
    Framing,
    /// The new version is of another kind.
    Kind,
    /// The session saved no state.
    SavedNothing,
    /// The session saved more than the limit.
    SavedTooMuch,
    /// The new version did not open the session.
    NotOpened,
}

impl Stay {
    /// The reason in words, for this many connections.
    pub fn reason(self, connections: usize) -> String {
        let (its, session, it) = match connections {
            1 => ("its", "session", "it"),
            _ => ("their", "sessions", "them"),
        };
        match self {
            Stay::NewConnections => "--swap new-connections".to_owned(),
            Stay::NextMessage => format!("--swap next-message does not move {its} {session}"),
            Stay::Program => "a program cannot move".to_owned(),
            Stay::Framing => "the new version has another framing".to_owned(),
            Stay::Kind => "the new version is of another kind".to_owned(),
            Stay::SavedNothing => format!("{its} {session} saved nothing"),
            Stay::SavedTooMuch => format!("{its} {session} saved more than the limit"),
            Stay::NotOpened => format!("the new version did not open {it}"),
        }
    }
}

/// The decisions so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveOutcome {
    /// Connections that the new generation serves.
    pub migrated: usize,
    /// Connections that stay, by reason.
    pub stayed: BTreeMap<Stay, usize>,
    /// Connections whose session is still in a call.
    pub undecided: usize,
}

impl fmt::Display for MoveOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = |count| match count {
            1 => " connection",
            _ => " connections",
        };
        let mut parts = Vec::new();
        let mut part = |count, what: String| {
            // Only the first count says what is counted.
            let noun = if parts.is_empty() { noun(count) } else { "" };
            parts.push(format!("{count}{noun} {what}"));
        };
        if self.migrated > 0 {
            part(self.migrated, "migrated".to_owned());
        }
        for (why, count) in &self.stayed {
            part(*count, format!("stayed: {}", why.reason(*count)));
        }
        if self.undecided > 0 {
            part(self.undecided, "still in a call".to_owned());
        }
        if parts.is_empty() {
            parts.push("no connection had to move".to_owned());
        }
        write!(f, "{}", parts.join(", "))
    }
}

/// Follows the connections that were open at a swap until each is decided or closed.
#[derive(Debug, Default)]
pub struct Moves {
    state: Mutex<State>,
    decided: Notify,
}

#[derive(Debug, Default)]
struct State {
    asked: HashSet<u64>,
    outcome: MoveOutcome,
}

impl Moves {
    /// Notes a connection that its session decides about.
    pub(super) fn ask(&self, id: u64) {
        self.state.lock().asked.insert(id);
    }

    /// Notes a connection that moves or stays whatever its session says.
    pub(super) fn note(&self, decision: Result<(), Stay>) {
        self.state.lock().outcome.add(decision);
    }

    /// Notes the decision about a connection that was asked.
    pub(super) fn decide(&self, id: u64, decision: Result<(), Stay>) {
        let mut state = self.state.lock();
        if state.asked.remove(&id) {
            state.outcome.add(decision);
            self.decided.notify_waiters();
        }
    }

    /// Notes that a connection has ended.
    pub(super) fn forget(&self, id: u64) {
        if self.state.lock().asked.remove(&id) {
            self.decided.notify_waiters();
        }
    }

    /// Another swap asks the same connections: what is undecided stays so.
    pub(super) fn give_up(&self) {
        let mut state = self.state.lock();
        state.outcome.undecided += std::mem::take(&mut state.asked).len();
        self.decided.notify_waiters();
    }

    /// The decisions so far.
    pub fn outcome(&self) -> MoveOutcome {
        let state = self.state.lock();
        let mut outcome = state.outcome.clone();
        outcome.undecided += state.asked.len();
        outcome
    }

    /// The decisions when all are made, or after this time.
    pub async fn settled(&self, within: Duration) -> MoveOutcome {
        let all = async {
            loop {
                let decided = self.decided.notified();
                if self.state.lock().asked.is_empty() {
                    return;
                }
                decided.await;
            }
        };
        let _ = timeout(within, all).await;
        self.outcome()
    }
}

impl MoveOutcome {
    fn add(&mut self, decision: Result<(), Stay>) {
        match decision {
            Ok(()) => self.migrated += 1,
            Err(why) => *self.stayed.entry(why).or_default() += 1,
        }
    }
}
