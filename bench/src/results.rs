//! What a run came to, as bench/results.json keeps it.

use crate::comparison::{Comparison, Verdict};
use crate::machine::Machine;
use crate::place;
use crate::run::Plan;
use crate::samples::{CPU, Samples, Skipped, Spread, THROUGHPUT};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Serialize, Deserialize)]
pub struct Results {
    pub machine: Machine,
    pub rounds: u32,
    pub rounds_of_peers: u32,
    pub measured_ms: u64,
    pub warm_up_ms: u64,
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
    pub fn new(plan: &Plan, machine: Machine, samples: Samples, wanted: Vec<Comparison>) -> Self {
        let mut rows: Vec<Medians> = Vec::new();
        for sample in &samples.samples {
            let same = |it: &Medians| it.row == sample.row && it.server == sample.server;
            if !rows.iter().any(same) {
                rows.push(Medians::of(&sample.row, &sample.server, &samples));
            }
        }
        rows.sort_by_key(|it| {
            samples
                .samples
                .iter()
                .position(|sample| sample.row == it.row)
        });
        Results {
            machine,
            rounds: plan.rounds,
            rounds_of_peers: plan.rounds_of_peers,
            measured_ms: plan.times.measured.as_millis() as u64,
            warm_up_ms: plan.times.warm_up.as_millis() as u64,
            rows,
            verdicts: wanted
                .into_iter()
                .filter_map(|it| it.judge(&samples))
                .collect(),
            skipped: samples.skipped,
        }
    }

    /// Those that the repository keeps.
    pub fn kept() -> Result<Self> {
        let path = place::root().join("bench/results.json");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join("results.json");
        // One entry in each line.
        let text = serde_json::to_string(self)?
            .replace("},{", "},\n{")
            .replace("[{", "[\n{");
        fs::write(&path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }

    /// The servers of a row.
    pub fn row<'a>(&'a self, row: &'a str) -> impl Iterator<Item = &'a Medians> {
        self.rows.iter().filter(move |it| it.row == row)
    }
}

impl Medians {
    fn of(row: &str, server: &str, samples: &Samples) -> Self {
        let mut own = samples
            .samples
            .iter()
            .filter(|it| it.row == row && it.server == server);
        let names = own
            .next()
            .map(|it| &it.figures)
            .into_iter()
            .flat_map(|it| it.keys());
        let median = |name: &&'static str| {
            let figures = samples.figures(row, server, name);
            Some((name.to_string(), Spread::of(figures.into_values())?.median))
        };
        let ratio = |name: &str| {
            let pairs = samples.pairs(row, [server, "native-plain"], name);
            Some((name.to_owned(), Spread::of_ratios(&pairs)?.median))
        };
        Medians {
            row: row.to_owned(),
            server: server.to_owned(),
            rounds: 1 + own.count(),
            figures: names.filter_map(median).collect(),
            to_native: [CPU, THROUGHPUT].into_iter().filter_map(ratio).collect(),
        }
    }
}
