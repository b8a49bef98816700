//! What a swap does with open connections, and when a new version is unfit.

use super::Stay;
use choices::choices;
use std::time::Duration;

choices! {
    /// What happens to open connections after a swap.
    pub enum SwapPolicy {
        /// They stay with the old version
        NewConnections = "new-connections",
        /// Connections of responders move to the new version between two messages
        NextMessage = "next-message",
        /// As `next-message`, and conversations move with the state they save
        Migrate = "migrate",
    }
}

impl SwapPolicy {
    /// Why a connection stays with its version, whatever its session can do.
    pub(super) fn keeps(self, converses: bool) -> Option<Stay> {
        match self {
            SwapPolicy::NewConnections => Some(Stay::NewConnections),
            SwapPolicy::NextMessage => converses.then_some(Stay::NextMessage),
            SwapPolicy::Migrate => None,
        }
    }
}

/// How many failed calls within what time make a generation unfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// The most failed calls.
    pub failed_calls: u64,
    /// After this time, failed calls no longer count.
    pub time: Duration,
}

/// Rules for swaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What happens to open connections.
    pub on_swap: SwapPolicy,
    /// When a new generation is unfit.
    pub probation: Option<Probation>,
}
