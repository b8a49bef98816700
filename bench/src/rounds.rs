//! A whole run.

use crate::results::{Figures, Results, Sample, Samples};
use crate::servers::{Demand, Running, SERVERS, Server, is_native};
use crate::targets::judge;
use crate::traffic::{Load, Times};
use crate::{beside, documents, instructions, root, work};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::time::{Duration, Instant};

/// Compare the host with native servers and others that echo
///
/// Without options everything is measured, which takes about half an hour, and bench/results.json,
/// bench/results.svg and the documents are written. The results of a part go to target/bench/ only.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench")]
pub struct Arguments {
    /// Measure a few rows and rounds, to see whether everything works; about three minutes
    #[arg(long)]
    quick: bool,
    /// Measure only these servers and groups of rows (repeatable); native servers always run.
    /// `instructions`, alone: count the instructions of a message, and compare with the ceilings
    #[arg(long, value_name = "NAME", num_args = 1.., value_parser = names())]
    only: Vec<String>,
    /// Rounds for each row [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Write the documents from bench/results.json, and measure nothing
    #[arg(long)]
    documents: bool,
}

/// After so many failures a server is not tried again in that row.
const MAX_FAILURES: usize = 2;

fn names() -> PossibleValuesParser {
    let servers = SERVERS.iter().map(|it| it.name);
    let groups = Load::GROUPS
        .into_iter()
        .chain(beside::GROUPS.map(|it| it.0))
        .chain([instructions::GROUP]);
    servers.chain(groups).collect::<Vec<_>>().into()
}

/// A run that measures.
pub struct Run {
    quick: bool,
    pub rounds: u32,
    pub times: Times,
    /// The servers that are wanted and there.
    servers: Vec<Server>,
    pub samples: Samples,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.documents {
        return documents::write(&Results::kept()?);
    }
    let begun = Instant::now();
    fs::create_dir_all(work().join("logs")).context("cannot make target/bench")?;
    // The host uses only a folder that nobody else can write to.
    let mut private = fs::DirBuilder::new();
    private
        .recursive(true)
        .mode(0o700)
        .create(work().join("cache"))?;
    if arguments.only.iter().any(|it| it == instructions::GROUP) {
        ensure!(arguments.only.len() == 1, "name `instructions` alone");
        return instructions::run();
    }
    let quick = arguments.quick;
    let rounds = arguments.rounds.unwrap_or(if quick { 3 } else { 7 });
    let mut run = Run {
        quick,
        rounds,
        times: Times {
            warm_up: Duration::from_millis(100),
            measured: Duration::from_millis(if quick { 250 } else { 400 }),
        },
        servers: Vec::new(),
        samples: Samples::default(),
    };
    let mut versions = Vec::new();
    for server in SERVERS {
        if !is_native(server.name) && !arguments.wants(server.name) {
            continue;
        }
        match server.version() {
            Ok(version) => {
                versions.push((server.name.to_owned(), version));
                run.servers.push(server);
            }
            Err(error) => run.samples.skip(None, server.name, &format!("{error:#}")),
        }
    }
    let mut loads = Load::all(quick);
    loads.retain(|load| arguments.wants(load.group));
    run.measure(&loads, arguments);
    let verdicts = judge(&run.samples, &loads);
    let results = Results::new(run.samples, verdicts, rounds, versions);
    println!(
        "{}\n{}",
        documents::rows(&results),
        documents::details(&results)
    );
    let is_whole = !quick && arguments.only.is_empty();
    let folder = if is_whole {
        root().join("bench")
    } else {
        work()
    };
    results.write(&folder)?;
    if is_whole {
        documents::write(&results)?;
    } else {
        documents::write_apart(&results, &folder)?;
    }
    let (minutes, folder) = (begun.elapsed().as_secs_f64() / 60.0, folder.display());
    eprintln!("==> {minutes:.1} minutes; results are in {folder}");
    Ok(())
}

impl Arguments {
    /// Whether a server or group is wanted: all of its kind, unless some are named.
    fn wants(&self, name: &str) -> bool {
        let is_server = |name: &str| Server::named(name).is_some();
        let named = self.only.iter();
        let mut named = named
            .filter(|it| is_server(it) == is_server(name))
            .peekable();
        named.peek().is_none() || named.any(|it| it == name)
    }
}

impl Run {
    /// For what takes long and hardly varies.
    pub fn fewer_rounds(&self) -> u32 {
        self.rounds.min(if self.quick { 1 } else { 3 })
    }

    /// Those of these servers that are wanted and there, with their names.
    pub fn chosen(&self, names: &[&str]) -> Vec<(&'static str, Server)> {
        let there = self.servers.iter().filter(|it| names.contains(&it.name));
        there.map(|server| (server.name, *server)).collect()
    }

    fn measure(&mut self, loads: &[Load], arguments: &Arguments) {
        let times = self.times;
        for (number, load) in (1..).zip(loads) {
            eprintln!("==> {number} of {}: {}", loads.len(), load.name());
            let demand = Demand {
                message_bytes: load.message_bytes,
                ..Demand::of(load.connections)
            };
            let mut servers = self.chosen(&SERVERS.map(|it| it.name));
            servers.retain(|(name, _)| load.is_for(name));
            self.row(&load.name(), self.rounds, &servers, |server| {
                load.make(times, &Running::start(&server, &demand)?)
            });
        }
        let has_handler = !self.chosen(&["host-rust"]).is_empty();
        for (group, row, needs_handler, measure) in beside::GROUPS {
            if arguments.wants(group) && (has_handler || !needs_handler) {
                eprintln!("==> {row}");
                measure(self);
            }
        }
    }

    /// Measures the subjects of a row, by their names, in interleaved rounds. Every subject starts
    /// its server anew, so none runs beside the one that is measured, and every round begins with
    /// another subject.
    pub fn row<T: Copy>(
        &mut self,
        row: &str,
        rounds: u32,
        subjects: &[(&str, T)],
        measure: impl Fn(T) -> Result<Figures>,
    ) {
        let samples = &mut self.samples;
        for round in 0..rounds {
            for index in 0..subjects.len() {
                let (name, subject) = subjects[(index + round as usize) % subjects.len()];
                if samples.failures(row, name) >= MAX_FAILURES {
                    continue;
                }
                match measure(subject) {
                    Ok(figures) => samples.samples.push(Sample {
                        row: row.to_owned(),
                        server: name.to_owned(),
                        round,
                        figures,
                    }),
                    Err(error) => samples.skip(Some(row), name, &format!("{error:#}")),
                }
            }
        }
    }
}
