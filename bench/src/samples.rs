//! What was measured, while a run goes on: every figure of every round.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Figures by name; the names end in their unit.
pub type Figures = BTreeMap<&'static str, f64>;

/// The server's CPU time for a message, user and kernel mode together.
pub const CPU: &str = "cpu_us_per_message";
pub const THROUGHPUT: &str = "messages_per_s";
pub const P50: &str = "p50_us";
pub const P99: &str = "p99_us";
/// The server's resident memory.
pub const RESIDENT: &str = "resident_bytes";
/// Resident memory for each connection that is silent.
pub const IDLE: &str = "idle_bytes_per_connection";
/// Resident memory for each connection that has sent one message.
pub const ACTIVE: &str = "active_bytes_per_connection";
/// From starting the process to its first reply.
pub const FIRST_REPLY: &str = "first_reply_ms";
/// Connections that stayed open.
pub const HELD: &str = "held_connections";

/// One measurement.
pub struct Sample {
    pub row: String,
    /// The server's name, and what else distinguishes it from others in the row.
    pub server: String,
    /// Measurements of one round were made one right after the other.
    pub round: u32,
    pub figures: Figures,
}

/// What was not measured, and why.
#[derive(Serialize, Deserialize)]
pub struct Skipped {
    /// `None` for all rows.
    pub row: Option<String>,
    pub server: String,
    pub reason: String,
}

/// All measurements of a run.
#[derive(Default)]
pub struct Samples {
    pub samples: Vec<Sample>,
    pub skipped: Vec<Skipped>,
}

impl Samples {
    /// Keeps the reason why something was not measured, and prints it.
    pub fn skip(&mut self, row: Option<&str>, server: &str, reason: &str) {
        eprintln!("    {server}: skipped, {reason}");
        self.skipped.push(Skipped {
            row: row.map(str::to_owned),
            server: server.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// A figure by round.
    pub fn figures(&self, row: &str, server: &str, figure: &str) -> BTreeMap<u32, f64> {
        let samples = self.samples.iter();
        samples
            .filter(|sample| sample.row == row && sample.server == server)
            .filter_map(|sample| Some((sample.round, *sample.figures.get(figure)?)))
            .collect()
    }

    /// The figures of two servers in those rounds that have both.
    pub fn pairs(&self, row: &str, servers: [&str; 2], figure: &str) -> Vec<(f64, f64)> {
        let [one, other] = servers.map(|server| self.figures(row, server, figure));
        one.iter()
            .filter_map(|(round, value)| Some((*value, *other.get(round)?)))
            .collect()
    }
}

/// The median of some figures and their quartiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub lower_quartile: f64,
    pub median: f64,
    pub upper_quartile: f64,
    /// How many figures there are.
    pub count: usize,
}

impl Spread {
    /// `None` if there are no figures. Not the mean: other load spoils some rounds entirely.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let last = figures.len().checked_sub(1)?;
        let at = |part: f64| {
            let index = part * last as f64;
            let (below, above) = (figures[index as usize], figures[index.ceil() as usize]);
            below + (above - below) * index.fract()
        };
        Some(Spread {
            lower_quartile: at(0.25),
            median: at(0.5),
            upper_quartile: at(0.75),
            count: figures.len(),
        })
    }

    /// Of the ratios of pairs. Each pair is of one round, so what slowed the whole round is in
    /// neither.
    pub fn of_ratios(pairs: &[(f64, f64)]) -> Option<Self> {
        Spread::of(pairs.iter().map(|(value, base)| value / base))
    }

    pub fn of_differences(pairs: &[(f64, f64)]) -> Option<Self> {
        Spread::of(pairs.iter().map(|(value, base)| value - base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rounds_that_have_both_are_paired() {
        let mut samples = Samples::default();
        for (server, round, cpu) in [("a", 0, 1.0), ("b", 0, 2.0), ("a", 1, 3.0), ("b", 2, 4.0)] {
            let (row, server) = ("row".to_owned(), server.to_owned());
            let figures = Figures::from([(CPU, cpu)]);
            samples.samples.push(Sample {
                row,
                server,
                round,
                figures,
            });
        }
        assert_eq!(samples.pairs("row", ["a", "b"], CPU), [(1.0, 2.0)]);
        assert_eq!(samples.pairs("row", ["a", "b"], P99), []);
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = Spread::of([9.0, 1.0, 3.0, 100.0, 2.0]).unwrap();
        let three = [spread.lower_quartile, spread.median, spread.upper_quartile];
        assert_eq!((three, spread.count), ([2.0, 3.0, 9.0], 5));
        let even = Spread::of([1.0, 2.0, 4.0, 8.0]).unwrap();
        assert_eq!((even.lower_quartile, even.median), (1.75, 3.0));
        assert_eq!(Spread::of([7.0]).unwrap().upper_quartile, 7.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_round_that_was_slow_for_both_changes_nothing() {
        // The ratio of the medians would be 20 / 11.
        let pairs = [
            (10.0, 10.0),
            (20.0, 20.0),
            (220.0, 110.0),
            (30.0, 11.0),
            (9.0, 9.0),
        ];
        assert_eq!(Spread::of_ratios(&pairs).unwrap().median, 1.0);
        assert_eq!(Spread::of_differences(&pairs).unwrap().median, 0.0);
    }
}
