//! The versions of a handler that were current, and those that can be current again.

use super::{Candidate, Generation, Moves};
use crate::handler::Handler;
use crate::limits::{MAX_KEPT_VERSIONS, MAX_LISTED_VERSIONS};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A time during which a version was current.
#[derive(Clone, Debug)]
pub struct Reign {
    /// The number of its generation.
    pub number: u64,
    /// Its name for people.
    pub name: String,
    /// The SHA-256 of its component, in hexadecimal.
    pub hash: String,
    /// When it began.
    pub since: SystemTime,
    /// What became of the connections of the version before; `None` for the first.
    pub moves: Option<Arc<Moves>>,
    /// When and why it ended; `None` if it has not.
    pub end: Option<(SystemTime, End)>,
}

/// Why a version is not current any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A new version was swapped in.
    Replaced,
    /// The operator went to another version.
    Left,
    /// It was unfit: so many calls failed within this time.
    Unfit {
        /// Calls that trapped, timed out or ran out of memory.
        failed_calls: u64,
        /// Since it became current.
        within: Duration,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Replaced => write!(f, "replaced by a swap"),
            End::Left => write!(f, "another was chosen by the operator"),
            End::Unfit {
                failed_calls,
                within,
            } => {
                let seconds = within.as_secs_f64();
                let decimals = usize::from(seconds < 10.0);
                write!(
                    f,
                    "rolled back by itself after {failed_calls} failed calls in {seconds:.decimals$} s"
                )
            }
        }
    }
}

/// The history of a service.
#[derive(Debug)]
pub struct History<H> {
    /// Oldest first.
    reigns: VecDeque<Reign>,
    /// Versions that can be current again, the last current one at the end.
    kept: VecDeque<(u64, Candidate<H>)>,
    /// The versions that a rollback leads to, the next one at the end.
    before: Vec<u64>,
}

impl<H: Handler> History<H> {
    pub fn new(first: &Generation<H>) -> Self {
        let mut history = History {
            reigns: VecDeque::new(),
            kept: VecDeque::new(),
            before: Vec::new(),
        };
        history.begin(first, None);
        history
    }

    /// A generation becomes current, after another one that ended for this reason.
    pub fn follow(&mut self, current: &Generation<H>, end: End, moves: &Arc<Moves>) {
        let reign = self.reigns.back_mut();
        let left = reign.map(|reign| {
            reign.end = Some((SystemTime::now(), end));
            reign.moves.iter().for_each(|moves| moves.give_up());
            reign.number
        });
        // Back again, a version is not a step to go back to once more.
        match self.before.last() {
            Some(number) if *number == current.number && end != End::Replaced => {
                self.before.pop();
            }
            _ => self.before.extend(left),
        }
        self.begin(current, Some(moves.clone()));
    }

    fn begin(&mut self, current: &Generation<H>, moves: Option<Arc<Moves>>) {
        self.reigns.push_back(Reign {
            number: current.number,
            name: current.made_from.name.clone(),
            hash: current.made_from.hash.clone(),
            since: SystemTime::now(),
            moves,
            end: None,
        });
        if self.reigns.len() > MAX_LISTED_VERSIONS {
            self.reigns.pop_front();
        }
        self.kept.retain(|(number, _)| *number != current.number);
        let version = current.made_from.renewed();
        self.kept.push_back((current.number, version));
        if self.kept.len() > MAX_KEPT_VERSIONS {
            self.kept.pop_front();
        }
        let kept = &self.kept;
        self.before
            .retain(|it| kept.iter().any(|(number, _)| number == it));
    }

    /// The version that a rollback leads to.
    pub fn before(&self) -> Option<u64> {
        self.before.last().copied()
    }

    /// Takes this version up again.
    pub fn version(&self, number: u64) -> Option<Candidate<H>> {
        let mut kept = self.kept.iter();
        let (_, version) = kept.find(|(it, _)| *it == number)?;
        Some(version.renewed())
    }

    /// The versions that can be current, by number.
    pub fn kept(&self) -> Vec<u64> {
        let mut numbers: Vec<_> = self.kept.iter().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Drops all versions but the current one: they may no longer be acceptable.
    pub fn forget(&mut self) {
        self.before.clear();
        self.kept.drain(..self.kept.len().saturating_sub(1));
    }

    /// The times during which versions were current, oldest first.
    pub fn reigns(&self) -> Vec<Reign> {
        self.reigns.iter().cloned().collect()
    }
}
