//! What is compared with what, and the targets.

use crate::beside::{COLD_START, CROWD, HELD_ROW, LATENCY, MEMORY, NEIGHBOUR, SWAPS};
use crate::beside::{FEW, JAVASCRIPT, MANY, PROBE, QUIET, RUST_COLD, RUST_WARM, SWAPPED};
use crate::load::Load;
use crate::samples::{ACTIVE, CPU, FIRST_REPLY, HELD, IDLE, P99, Samples, Spread};
use crate::servers::Server;
use Against::{DifferenceFrom, Itself, RatioTo};
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
pub struct Comparison {
    pub row: String,
    pub server: String,
    pub figure: String,
    pub against: Against,
    pub target: Target,
}

/// The outcome of a comparison.
#[derive(Serialize, Deserialize)]
pub struct Verdict {
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Over the rounds: of the ratio, of the difference, or of the figure.
    pub spread: Spread,
}

impl Verdict {
    /// By how much the median misses its target; nothing if it meets it or there is none.
    pub fn missed_by(&self) -> Option<f64> {
        let over = match self.comparison.target {
            AtMost(most) => self.spread.median - most,
            AtLeast(least) => least - self.spread.median,
            Target::None => 0.0,
        };
        (over > 0.0).then_some(over)
    }
}

impl Comparison {
    fn of(row: &str, server: &str, figure: &str, against: Against, target: Target) -> Self {
        let [row, server, figure] = [row, server, figure].map(str::to_owned);
        Comparison {
            row,
            server,
            figure,
            against,
            target,
        }
    }

    /// `None` if it was not measured.
    pub fn judge(self, samples: &Samples) -> Option<Verdict> {
        let pairs = |other: &str| samples.pairs(&self.row, [&self.server, other], &self.figure);
        let spread = match &self.against {
            RatioTo(other) => Spread::of_ratios(&pairs(other)),
            DifferenceFrom(other) => Spread::of_differences(&pairs(other)),
            Itself => {
                let figures = samples.figures(&self.row, &self.server, &self.figure);
                Spread::of(figures.into_values())
            }
        }?;
        Some(Verdict {
            comparison: self,
            spread,
        })
    }
}

/// All that is wanted of a row of traffic: the server's CPU time for a message.
pub fn of_traffic(load: &Load) -> Vec<Comparison> {
    let plain = if load.message_bytes > 1024 { 1.02 } else { 1.0 };
    let best = if load.pipeline > 1 { 1.05 } else { 1.10 };
    let (ours, natives) = if load.reconnects {
        let plain = "native-plain";
        (
            "host-rust-shared",
            vec![
                ("host-rust", plain, 1.30),
                ("host-rust-shared", plain, 1.05),
            ],
        )
    } else {
        let natives = vec![
            ("host-rust", "native-plain", plain),
            ("host-rust", "native-per-core", best),
            ("host-conversation", "native-plain", 1.05),
        ];
        ("host-rust", natives)
    };
    // The host shall be ahead of peers. nginx's njs is not among them: it proxies.
    let peers = Server::ALL
        .into_iter()
        .filter(|(_, server)| server.is_peer() && *server != Server::NginxNjs)
        .map(|(peer, _)| (ours, peer, 1.0));
    let row = load.name();
    let cpu = |server, against, target| Comparison::of(&row, server, CPU, against, target);
    let ratio = |(server, to, most): (_, &str, _)| cpu(server, RatioTo(to.into()), AtMost(most));
    let mut list: Vec<_> = natives.into_iter().chain(peers).map(ratio).collect();
    if load.is_main() && load.message_bytes == 64 && !load.reconnects {
        // What the kinds of handlers cost.
        for (server, from) in [
            ("host-rust", "native-plain"),
            ("host-conversation", "native-plain"),
            ("host-conversation", "host-rust"),
            ("host-rust-message", "host-rust"),
        ] {
            list.push(cpu(server, DifferenceFrom(from.into()), Target::None));
        }
    }
    list
}

/// What is wanted beside traffic. So many idle connections can be tried here.
pub fn beside_traffic(held: u32) -> Vec<Comparison> {
    let native = || "native-plain".to_owned();
    let held = AtLeast(f64::from(held));
    let memory = |kib: f64| AtMost(kib * 1024.0);
    let ms = AtMost;
    [
        (LATENCY, "host-rust", P99, RatioTo(native()), AtMost(1.10)),
        (
            LATENCY,
            "host-rust-shared",
            P99,
            RatioTo(native()),
            AtMost(1.10),
        ),
        (
            LATENCY,
            "host-conversation",
            P99,
            RatioTo(native()),
            AtMost(1.10),
        ),
        (
            MEMORY,
            "host-rust",
            IDLE,
            DifferenceFrom(native()),
            memory(4.0),
        ),
        (
            MEMORY,
            "host-rust",
            ACTIVE,
            DifferenceFrom(native()),
            memory(48.0),
        ),
        (COLD_START, RUST_COLD, FIRST_REPLY, Itself, ms(50.0)),
        (COLD_START, RUST_WARM, FIRST_REPLY, Itself, ms(20.0)),
        (COLD_START, JAVASCRIPT, FIRST_REPLY, Itself, ms(100.0)),
        (CROWD, MANY, CPU, RatioTo(FEW.to_owned()), AtMost(1.25)),
        (HELD_ROW, "host-rust", HELD, Itself, held),
        (NEIGHBOUR, PROBE, P99, Itself, AtMost(20_000.0)),
        (SWAPS, SWAPPED, P99, Itself, Target::None),
        (SWAPS, QUIET, P99, Itself, Target::None),
        (SWAPS, SWAPPED, P99, RatioTo(QUIET.to_owned()), Target::None),
    ]
    .map(|(row, server, figure, against, target)| {
        Comparison::of(row, server, figure, against, target)
    })
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Figures, Sample};

    fn samples(ours: f64) -> Samples {
        let mut samples = Samples::default();
        for round in 0..3 {
            let slow = f64::from(round + 1);
            for (server, cpu) in [("host-rust", ours), ("native-plain", 10.0)] {
                let (row, server) = ("row".to_owned(), server.to_owned());
                let figures = Figures::from([(CPU, cpu * slow)]);
                samples.samples.push(Sample {
                    row,
                    server,
                    round,
                    figures,
                });
            }
        }
        samples
    }

    #[test]
    fn a_missed_target_says_by_how_much() {
        let judge = |ours, against, target| {
            let comparison = Comparison::of("row", "host-rust", CPU, against, target);
            comparison.judge(&samples(ours)).unwrap().missed_by()
        };
        let native = || "native-plain".to_owned();
        assert_eq!(judge(10.5, RatioTo(native()), AtMost(1.05)), None);
        let missed = judge(12.0, RatioTo(native()), AtMost(1.05)).unwrap();
        assert!((missed - 0.15).abs() < 1e-9);
        assert_eq!(
            judge(12.0, DifferenceFrom(native()), AtMost(2.0)),
            Some(2.0)
        );
        assert_eq!(judge(12.0, Itself, AtLeast(30.0)), Some(6.0));
    }

    #[test]
    fn what_was_not_measured_has_no_verdict() {
        let other = RatioTo("native-per-core".to_owned());
        let comparison = Comparison::of("row", "host-rust", CPU, other, AtMost(1.0));
        assert!(comparison.judge(&samples(10.0)).is_none());
    }
}
