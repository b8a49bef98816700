//! What is compared with what, and what it shall be.

use crate::load::{Group, Load};
use crate::sample::{ACTIVE, CPU, FIRST_REPLY, HELD, IDLE, P99, Samples};
use crate::servers::Server::{
    self, HostConversation, HostRust, HostRustMessage, HostRustShared, NativePerCore, NativePlain,
};
use crate::spread::Spread;
use crate::{cold_start, crowd, latency, memory, neighbour, swaps};
use serde::Serialize;

/// What a figure is compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// Times that of another server in the same row.
    RatioTo(String),
    /// More than that of another server in the same row.
    DifferenceFrom(String),
    /// As it is.
    Itself,
}

/// What is wanted of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Told for its own sake.
    None,
}

/// A figure of a server, compared with something.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    pub row: String,
    pub server: String,
    pub figure: &'static str,
    pub against: Against,
    pub target: Target,
}

/// How a comparison came out.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Over the rounds: of the ratio, of the difference, or of the figure.
    pub spread: Spread,
    /// By how much the median misses its target; nothing if it meets it or there is none.
    pub missed_by: Option<f64>,
}

impl Comparison {
    /// `None` if it was not measured.
    pub fn judge(&self, samples: &Samples) -> Option<Verdict> {
        let pairs = |other: &str| samples.pairs(&self.row, [&self.server, other], self.figure);
        let spread = match &self.against {
            Against::RatioTo(other) => Spread::of_ratios(&pairs(other)),
            Against::DifferenceFrom(other) => Spread::of_differences(&pairs(other)),
            Against::Itself => {
                let figures = samples.figures(&self.row, &self.server, self.figure);
                Spread::of(figures.map(|(_, figure)| figure))
            }
        }?;
        let over = match self.target {
            Target::AtMost(most) => spread.median - most,
            Target::AtLeast(least) => least - spread.median,
            Target::None => 0.0,
        };
        Some(Verdict {
            comparison: self.clone(),
            spread,
            missed_by: (over > 0.0).then_some(over),
        })
    }

    fn ratio(row: &str, server: Server, figure: &'static str, to: Server, most: f64) -> Self {
        Comparison {
            row: row.to_owned(),
            server: server.name().to_owned(),
            figure,
            against: Against::RatioTo(to.name().to_owned()),
            target: Target::AtMost(most),
        }
    }

    fn difference(
        row: &str,
        server: Server,
        figure: &'static str,
        from: Server,
        target: Target,
    ) -> Self {
        Comparison {
            row: row.to_owned(),
            server: server.name().to_owned(),
            figure,
            against: Against::DifferenceFrom(from.name().to_owned()),
            target,
        }
    }

    fn itself(row: &str, server: &str, figure: &'static str, target: Target) -> Self {
        Comparison {
            row: row.to_owned(),
            server: server.to_owned(),
            figure,
            against: Against::Itself,
            target,
        }
    }
}

/// What is wanted in a row of traffic, all of it in processor time for a message.
pub fn of_traffic(load: &Load) -> Vec<Comparison> {
    let row = &load.name();
    let ratio = |server, to, most| Comparison::ratio(row, server, CPU, to, most);
    if load.group == Group::Connect {
        return vec![
            ratio(HostRust, NativePlain, 1.30),
            ratio(HostRustShared, NativePlain, 1.05),
        ];
    }
    let plain = if load.message_bytes > 1024 { 1.02 } else { 1.0 };
    let best = if load.pipeline > 1 { 1.05 } else { 1.10 };
    vec![
        ratio(HostRust, NativePlain, plain),
        ratio(HostRust, NativePerCore, best),
        ratio(HostConversation, NativePlain, 1.05),
    ]
}

/// The host shall be ahead of these in a row of traffic. nginx's njs is not among them: it proxies.
pub fn of_peers(load: &Load) -> Vec<Comparison> {
    let ours = match load.group {
        Group::Connect => HostRustShared,
        _ => HostRust,
    };
    let peers = Server::ALL.into_iter().filter(|server| server.is_peer());
    peers
        .filter(|peer| *peer != Server::NginxNjs)
        .map(|peer| Comparison::ratio(&load.name(), ours, CPU, peer, 1.0))
        .collect()
}

/// What the tiers cost, from a row of traffic. Not programs: they read and write a stream, and nothing is called
/// for a message.
pub fn of_tiers(load: &Load) -> Vec<Comparison> {
    let row = &load.name();
    [
        (HostRust, NativePlain),
        (HostConversation, NativePlain),
        (HostConversation, HostRust),
        (HostRustMessage, HostRust),
    ]
    .map(|(server, from)| Comparison::difference(row, server, CPU, from, Target::None))
    .into()
}

/// What is wanted beside traffic.
pub fn of_the_rest() -> Vec<Comparison> {
    use Target::{AtLeast, AtMost};
    let ours = [HostRust, HostRustShared, HostConversation];
    let mut list: Vec<_> = ours
        .map(|server| Comparison::ratio(latency::ROW, server, P99, NativePlain, 1.10))
        .into();
    for (figure, most) in [(IDLE, 4096.0), (ACTIVE, 48.0 * 1024.0)] {
        let target = AtMost(most);
        list.push(Comparison::difference(
            memory::ROW,
            HostRust,
            figure,
            NativePlain,
            target,
        ));
    }
    for (server, most) in cold_start::TARGETS_MS {
        list.push(Comparison::itself(
            cold_start::ROW,
            server,
            FIRST_REPLY,
            AtMost(most),
        ));
    }
    list.push(Comparison {
        row: crowd::ROW.to_owned(),
        server: crowd::MANY.to_owned(),
        figure: CPU,
        against: Against::RatioTo(crowd::FEW.to_owned()),
        target: AtMost(1.25),
    });
    let host = HostRust.name();
    list.push(Comparison::itself(
        crowd::HELD_ROW,
        host,
        HELD,
        AtLeast(f64::from(crowd::held_wanted())),
    ));
    list.push(Comparison::itself(
        neighbour::ROW,
        neighbour::SERVER,
        P99,
        AtMost(20_000.0),
    ));
    for server in [swaps::SWAPPED, swaps::QUIET] {
        list.push(Comparison::itself(swaps::ROW, server, P99, Target::None));
    }
    list.push(Comparison {
        row: swaps::ROW.to_owned(),
        server: swaps::SWAPPED.to_owned(),
        figure: P99,
        against: Against::RatioTo(swaps::QUIET.to_owned()),
        target: Target::None,
    });
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Figures;

    fn samples(ours: f64) -> Samples {
        let mut samples = Samples::default();
        for round in 0..3 {
            let slow = f64::from(round + 1);
            for (server, cpu) in [(HostRust, ours), (NativePlain, 10.0)] {
                let figures = Figures::from([(CPU, cpu * slow)]);
                samples.add("row", server.name(), round, Ok::<_, String>(figures));
            }
        }
        samples
    }

    #[test]
    fn a_missed_target_says_by_how_much() {
        let comparison = Comparison::ratio("row", HostRust, CPU, NativePlain, 1.05);
        assert_eq!(comparison.judge(&samples(10.5)).unwrap().missed_by, None);
        let missed = comparison.judge(&samples(12.0)).unwrap();
        assert!((missed.missed_by.unwrap() - 0.15).abs() < 1e-9);
        let difference = Target::AtMost(2.0);
        let comparison = Comparison::difference("row", HostRust, CPU, NativePlain, difference);
        assert_eq!(
            comparison.judge(&samples(12.0)).unwrap().missed_by,
            Some(2.0)
        );
        let least = Comparison::itself("row", HostRust.name(), CPU, Target::AtLeast(30.0));
        assert_eq!(least.judge(&samples(12.0)).unwrap().missed_by, Some(6.0));
    }

    #[test]
    fn what_was_not_measured_has_no_verdict() {
        let comparison = Comparison::ratio("row", HostRust, CPU, NativePerCore, 1.0);
        assert!(comparison.judge(&samples(10.0)).is_none());
    }
}
