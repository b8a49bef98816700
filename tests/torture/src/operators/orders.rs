//! Orders of operators, and their expected results.

use fastrand::Rng;

/// The orders, each with its relative frequency.
pub const ORDERS: [(Order, u32); 8] = [
    (Order::SwapToGood, 8),
    (Order::SwapToBad, 4),
    (Order::SwapToHostile, 4),
    (Order::SwapToOther, 2),
    (Order::RollBack, 2),
    (Order::Reload, 3),
    (Order::ReloadBad, 2),
    (Order::Hangup, 2),
];

#[derive(Clone, Copy, Debug)]
pub enum Order {
    SwapToGood,
    SwapToBad,
    /// And back, after some clients have met it.
    SwapToHostile,
    /// To a handler that fails the probe.
    SwapToOther,
    RollBack,
    Reload,
    ReloadBad,
    Hangup,
}

impl Order {
    pub fn name(self) -> &'static str {
        match self {
            Order::SwapToGood => "swaps to a good handler",
            Order::SwapToBad => "swaps to a bad handler",
            Order::SwapToHostile => "swaps to a hostile handler, and back",
            Order::SwapToOther => "swaps to what answers a probe otherwise",
            Order::RollBack => "rolls back",
            Order::Reload => "reloads a changed configuration",
            Order::ReloadBad => "reloads a bad configuration",
            Order::Hangup => "sends SIGHUP",
        }
    }

    pub fn must(self) -> Option<Must> {
        match self {
            Order::SwapToGood | Order::SwapToHostile | Order::Reload => Some(Must::BeObeyed),
            Order::SwapToBad | Order::SwapToOther | Order::ReloadBad => Some(Must::BeRefused),
            // There may be nothing to go back to.
            Order::RollBack | Order::Hangup => None,
        }
    }
}

pub enum Must {
    BeObeyed,
    BeRefused,
}

pub fn choose(rng: &mut Rng) -> Order {
    let choices = ORDERS
        .iter()
        .flat_map(|(order, weight)| (0..*weight).map(|_| *order));
    let choices: Vec<_> = choices.collect();
    choices[rng.usize(..choices.len())]
}
