//! What was measured: every figure of every round while a run goes on, and what bench/results.json
//! keeps of it.

use crate::root;
use crate::servers::{first_line, is_peer};
use crate::targets::Verdict;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

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

    /// How often measuring a server in this row failed.
    pub fn failures(&self, row: &str, server: &str) -> usize {
        let skipped = self.skipped.iter();
        let failed = skipped.filter(|it| it.server == server && it.row.as_deref() == Some(row));
        failed.count()
    }

    /// A figure by round.
    pub fn figures(&self, row: &str, server: &str, figure: &str) -> BTreeMap<u32, f64> {
        let samples = self.samples.iter();
        samples
            .filter(|sample| sample.row == row && sample.server == server)
            .filter_map(|sample| Some((sample.round, *sample.figures.get(figure)?)))
            .collect()
    }

    /// The figures of two servers in those rounds that have both, combined. What slowed a whole
    /// round is in both.
    pub fn spread_of_pairs(
        &self,
        row: &str,
        [one, other]: [&str; 2],
        figure: &str,
        combine: impl Fn(f64, f64) -> f64,
    ) -> Option<Spread> {
        let base = self.figures(row, other, figure);
        let own = self.figures(row, one, figure).into_iter();
        Spread::of(own.filter_map(|(round, own)| Some(combine(own, *base.get(&round)?))))
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
}

/// The machine and the versions that a run was made with.
#[derive(Serialize, Deserialize)]
pub struct Machine {
    pub cpu_model: String,
    pub cores: usize,
    pub kernel: String,
    /// In UTC, to the minute.
    pub date: String,
    pub versions: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    pub rounds: u32,
    pub rows: Vec<Medians>,
    pub verdicts: Vec<Verdict>,
    pub skipped: Vec<Skipped>,
}

/// A server in a row: the medians over the rounds.
#[derive(Serialize, Deserialize)]
pub struct Medians {
    pub row: String,
    pub server: String,
    pub rounds: usize,
    /// By name; the names end in their unit.
    pub figures: BTreeMap<String, f64>,
    /// As a multiple of native-plain's in the same round.
    pub to_native: BTreeMap<String, f64>,
}

impl Results {
    pub fn new(
        samples: Samples,
        verdicts: Vec<Verdict>,
        rounds: u32,
        versions: Vec<(String, String)>,
    ) -> Self {
        let mut rows: Vec<Medians> = Vec::new();
        // A row is measured as a whole: its samples follow each other.
        for Sample { row, server, .. } in &samples.samples {
            if !rows.iter().any(|it| it.row == *row && it.server == *server) {
                rows.push(Medians::of(row, server, &samples));
            }
        }
        let peers = versions.into_iter().filter(|(name, _)| is_peer(name));
        Results {
            machine: Machine::describe(peers),
            rounds,
            rows,
            verdicts,
            skipped: samples.skipped,
        }
    }

    /// Those that the repository keeps.
    pub fn kept() -> Result<Self> {
        let path = root().join("bench/results.json");
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join("results.json");
        // One entry in each line.
        let text = serde_json::to_string(self)?;
        let text = text.replace("},{", "},\n{").replace("[{", "[\n{");
        fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Medians {
    fn of(row: &str, server: &str, samples: &Samples) -> Self {
        let own = samples.samples.iter();
        let own: Vec<_> = own
            .filter(|it| it.row == row && it.server == server)
            .collect();
        let median = |name: &&'static str| {
            let figures = samples.figures(row, server, name).into_values();
            Some(((*name).to_owned(), Spread::of(figures)?.median))
        };
        let ratio = |name: &str| {
            let pair = [server, "native-plain"];
            let spread = samples.spread_of_pairs(row, pair, name, |own, base| own / base)?;
            Some((name.to_owned(), spread.median))
        };
        Medians {
            row: row.to_owned(),
            server: server.to_owned(),
            rounds: own.len(),
            figures: own[0].figures.keys().filter_map(median).collect(),
            to_native: [CPU, THROUGHPUT].into_iter().filter_map(ratio).collect(),
        }
    }
}

impl Machine {
    fn describe(peers: impl Iterator<Item = (String, String)>) -> Self {
        let say = |program: &str, arguments: &[&str]| {
            first_line(Command::new(program).args(arguments)).unwrap_or_default()
        };
        let host = env::current_exe()
            .unwrap_or_default()
            .with_file_name("echo-host");
        let own = [
            ("echo-host", say(&host.to_string_lossy(), &["--version"])),
            ("commit", say("git", &["describe", "--always", "--dirty"])),
            ("rustc", say("rustc", &["--version"])),
        ];
        let own = own.map(|(name, version)| (name.to_owned(), version));
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut models = cpus
            .lines()
            .filter_map(|it| it.strip_prefix("model name")?.split_once(':'));
        let model = models.next().map_or("unknown", |(_, model)| model.trim());
        Machine {
            cpu_model: model.to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            kernel: say("uname", &["-r"]),
            date: say("date", &["-u", "+%Y-%m-%d %H:%M"]),
            versions: own.into_iter().chain(peers).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let spread = Spread::of([9.0, 1.0, 3.0, 100.0, 2.0]).unwrap();
        let three = [spread.lower_quartile, spread.median, spread.upper_quartile];
        assert_eq!((three, spread.count), ([2.0, 3.0, 9.0], 5));
        let even = Spread::of([1.0, 2.0, 4.0, 8.0]).unwrap();
        assert_eq!((even.lower_quartile, even.median), (1.75, 3.0));
        assert_eq!(Spread::of([]), None);
    }
}
