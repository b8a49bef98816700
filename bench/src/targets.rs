//! What is compared with what, and the targets.

use crate::beside::most_held;
use crate::beside::{COLD_START, CROWD, HELD_ROW, LATENCY, MEMORY, NEIGHBOUR, SWAPS};
use crate::beside::{FEW, JAVASCRIPT, MANY, QUIET, RUST_COLD, RUST_WARM, SPINNING, SWAPPED};
use crate::results::{ACTIVE, CPU, FIRST_REPLY, HELD, IDLE, P99, Samples, Spread};
use crate::servers::{SERVERS, is_peer};
use crate::traffic::Load;
use Target::{AtLeast, AtMost};
use serde::{Deserialize, Serialize};

/// What a figure is compared with: the figure of another server in the same row, or nothing.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    RatioTo(String),
    DifferenceFrom(String),
    Itself,
}
use Against::Itself;

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Shown for its own sake.
    None,
}

/// A figure of a server, compared with something.
#[derive(Clone, Serialize, Deserialize)]
pub struct Verdict {
    pub row: String,
    pub server: String,
    pub figure: String,
    pub against: Against,
    pub target: Target,
    /// Over the rounds: of the ratio, of the difference, or of the figure.
    pub spread: Spread,
}

impl Verdict {
    /// By how much the median misses its target; nothing if it meets it or there is none.
    pub fn missed_by(&self) -> Option<f64> {
        let over = match self.target {
            AtMost(most) => self.spread.median - most,
            AtLeast(least) => least - self.spread.median,
            Target::None => 0.0,
        };
        (over > 0.0).then_some(over)
    }
}

const NATIVE: &str = "native-plain";

fn ratio_to(other: &str) -> Against {
    Against::RatioTo(other.to_owned())
}

fn above(other: &str) -> Against {
    Against::DifferenceFrom(other.to_owned())
}

/// Compares what was measured, without what was not.
pub fn judge(samples: &Samples, loads: &[Load]) -> Vec<Verdict> {
    let verdict = |row: &str, server: &str, figure: &str, against, target| {
        let pairs = |other: &str, combine: fn(f64, f64) -> f64| {
            samples.spread_of_pairs(row, [server, other], figure, combine)
        };
        let spread = match &against {
            Against::RatioTo(other) => pairs(other, |own, base| own / base),
            Against::DifferenceFrom(other) => pairs(other, |own, base| own - base),
            Itself => Spread::of(samples.figures(row, server, figure).into_values()),
        }?;
        let [row, server, figure] = [row, server, figure].map(str::to_owned);
        Some(Verdict {
            row,
            server,
            figure,
            against,
            target,
            spread,
        })
    };
    let mut verdicts = Vec::new();
    for load in loads {
        let wanted = of_traffic(load).into_iter();
        verdicts.extend(wanted.filter_map(|(server, against, target)| {
            verdict(&load.name(), server, CPU, against, target)
        }));
    }
    let wanted = beside_traffic().into_iter();
    verdicts.extend(wanted.filter_map(|(row, server, figure, against, target)| {
        verdict(row, server, figure, against, target)
    }));
    verdicts
}

/// All that is wanted of a row of traffic: the server's CPU time for a message. A sandbox has its
/// price, so the host may cost more than a native server, by this much.
fn of_traffic(load: &Load) -> Vec<(&'static str, Against, Target)> {
    let native = || ratio_to(NATIVE);
    let ours = if load.reconnects() {
        "host-rust-shared"
    } else {
        "host-rust"
    };
    let mut list = if load.reconnects() {
        vec![
            ("host-rust", native(), AtMost(1.50)),
            ("host-rust-scan", native(), AtMost(1.25)),
            ("host-rust-shared", native(), AtMost(0.95)),
        ]
    } else {
        let most = match load {
            Load { pipeline: 2.., .. } => 1.35,
            Load {
                message_bytes: ..=1024,
                connections: 51..,
                ..
            } => 1.45,
            _ => 1.30,
        };
        vec![
            ("host-rust", native(), AtMost(most)),
            ("host-conversation", native(), AtMost(most + 0.15)),
            ("host-rust", ratio_to("native-per-core"), Target::None),
        ]
    };
    let peers = SERVERS.iter().map(|it| it.name).filter(|it| is_peer(it));
    list.extend(peers.map(|peer| {
        let most = match peer {
            // They only pass long messages on, without a look.
            _ if load.message_bytes > 1024 => 1.25,
            "haproxy-lua" => 1.15,
            // One thread, nearly all of it in the kernel.
            "uvloop" => 1.30,
            _ => 1.0,
        };
        (ours, ratio_to(peer), AtMost(most))
    }));
    if load.is_first() {
        // What the kinds of handlers cost.
        list.extend([
            ("host-rust", above(NATIVE), Target::None),
            ("host-conversation", above(NATIVE), Target::None),
            ("host-conversation", above("host-rust"), Target::None),
            ("host-rust-message", above("host-rust"), Target::None),
        ]);
    }
    list
}

type Wanted = (&'static str, &'static str, &'static str, Against, Target);

/// What is wanted beside traffic.
fn beside_traffic() -> [Wanted; 14] {
    let native = || ratio_to(NATIVE);
    let held = AtLeast(f64::from(most_held()));
    let kib = |kib: f64| AtMost(kib * 1024.0);
    [
        (LATENCY, "host-rust", P99, native(), AtMost(1.20)),
        (LATENCY, "host-rust-shared", P99, native(), AtMost(1.20)),
        (LATENCY, "host-conversation", P99, native(), AtMost(1.20)),
        (MEMORY, "host-rust", IDLE, above(NATIVE), kib(4.0)),
        (MEMORY, "host-rust", ACTIVE, above(NATIVE), kib(32.0)),
        (COLD_START, RUST_COLD, FIRST_REPLY, Itself, AtMost(50.0)),
        (COLD_START, RUST_WARM, FIRST_REPLY, Itself, AtMost(20.0)),
        (COLD_START, JAVASCRIPT, FIRST_REPLY, Itself, AtMost(100.0)),
        (CROWD, MANY, CPU, ratio_to(FEW), AtMost(1.25)),
        (HELD_ROW, "host-rust", HELD, Itself, held),
        (NEIGHBOUR, SPINNING, P99, Itself, AtMost(20_000.0)),
        (SWAPS, SWAPPED, P99, Itself, Target::None),
        (SWAPS, QUIET, P99, Itself, Target::None),
        (SWAPS, SWAPPED, P99, ratio_to(QUIET), Target::None),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Figures, Sample};

    #[test]
    fn rounds_are_paired_and_a_missed_target_says_by_how_much() {
        let load = &Load::all(false)[0];
        let mut samples = Samples::default();
        // Slow rounds, and one that only one server has.
        for (server, cpu, rounds) in [("host-rust", 15.0, 4), (NATIVE, 10.0, 3)] {
            for round in 0..rounds {
                let (row, server) = (load.name(), server.to_owned());
                let figures = Figures::from([(CPU, cpu * f64::from(1 + round * round))]);
                samples.samples.push(Sample {
                    row,
                    server,
                    round,
                    figures,
                });
            }
        }
        let verdicts = judge(&samples, std::slice::from_ref(load));
        assert_eq!(verdicts.len(), 1, "the others were not measured");
        let spread = verdicts[0].spread;
        assert_eq!((spread.count, spread.median), (3, 1.5));
        assert!((verdicts[0].missed_by().unwrap() - 0.2).abs() < 1e-9);
        let met = Verdict {
            target: AtLeast(1.1),
            ..verdicts[0].clone()
        };
        assert_eq!(met.missed_by(), None);
    }
}
