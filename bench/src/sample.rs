//! What was measured, as it is kept: every figure of every round.

use serde::Serialize;
use std::collections::BTreeMap;

/// Figures by name; the names end in their unit.
pub type Figures = BTreeMap<&'static str, f64>;

/// The server's processor time for a message, user and kernel mode together.
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
/// From starting the process to the first byte of a reply.
pub const FIRST_REPLY: &str = "first_reply_ms";
/// Connections that stayed open.
pub const HELD: &str = "held_connections";

/// One measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    pub row: String,
    /// The server's name, and what else tells it from others in the row.
    pub server: String,
    /// Measurements of one round were made one right after the other.
    pub round: u32,
    pub figures: Figures,
}

/// What was not measured, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// `None` for all of them.
    pub row: Option<String>,
    pub server: String,
    pub reason: String,
}

/// All measurements of a run.
#[derive(Debug, Default, Serialize)]
pub struct Samples {
    pub samples: Vec<Sample>,
    pub skipped: Vec<Skipped>,
}

impl Samples {
    /// Keeps what was measured, or why it was not.
    pub fn add<E: std::fmt::Display>(
        &mut self,
        row: &str,
        server: &str,
        round: u32,
        result: Result<Figures, E>,
    ) {
        match result {
            Ok(figures) => self.samples.push(Sample {
                row: row.to_owned(),
                server: server.to_owned(),
                round,
                figures,
            }),
            Err(error) => self.skip(Some(row), server, &format!("{error:#}")),
        }
    }

    /// Keeps why something was not measured, and says so.
    pub fn skip(&mut self, row: Option<&str>, server: &str, reason: &str) {
        eprintln!("    {server}: skipped, {reason}");
        self.skipped.push(Skipped {
            row: row.map(str::to_owned),
            server: server.to_owned(),
            reason: reason.to_owned(),
        });
    }

    /// A figure in each round in which it was measured.
    pub fn figures<'a>(
        &'a self,
        row: &'a str,
        server: &'a str,
        figure: &'a str,
    ) -> impl Iterator<Item = (u32, f64)> + 'a {
        let samples = self.samples.iter();
        samples
            .filter(move |sample| sample.row == row && sample.server == server)
            .filter_map(move |sample| Some((sample.round, *sample.figures.get(figure)?)))
    }

    /// The figures of two servers in those rounds that have both.
    pub fn pairs(&self, row: &str, servers: [&str; 2], figure: &str) -> Vec<(f64, f64)> {
        let other: BTreeMap<u32, f64> = self.figures(row, servers[1], figure).collect();
        self.figures(row, servers[0], figure)
            .filter_map(|(round, value)| Some((value, *other.get(&round)?)))
            .collect()
    }

    /// The servers that were measured in a row, in the order of their first samples.
    pub fn servers(&self, row: &str) -> Vec<&str> {
        let mut servers = Vec::new();
        for sample in self.samples.iter().filter(|sample| sample.row == row) {
            if !servers.contains(&sample.server.as_str()) {
                servers.push(sample.server.as_str());
            }
        }
        servers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rounds_that_have_both_are_paired() {
        let mut samples = Samples::default();
        for (server, round, cpu) in [("a", 0, 1.0), ("b", 0, 2.0), ("a", 1, 3.0), ("b", 2, 4.0)] {
            let figures = Figures::from([(CPU, cpu)]);
            samples.add("row", server, round, Ok::<_, String>(figures));
        }
        samples.add("row", "b", 1, Err("lost"));
        assert_eq!(samples.pairs("row", ["a", "b"], CPU), [(1.0, 2.0)]);
        assert_eq!(samples.pairs("row", ["a", "b"], P99), []);
        assert_eq!(samples.servers("row"), ["a", "b"]);
        assert_eq!(samples.skipped[0].reason, "lost");
    }
}
