//! A whole run.

use crate::comparison;
use crate::held::allow_connections;
use crate::load::{Load, Times};
use crate::machine::Machine;
use crate::results::Results;
use crate::samples::{Figures, Sample, Samples};
use crate::servers::{Demand, Running, Server};
use crate::{beside, documents, picture, place};
use anyhow::{Context, Result, bail};
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
    /// Measure only these servers and groups of rows (repeatable); native servers always run
    #[arg(long, value_name = "NAME", num_args = 1.., value_parser = names())]
    only: Vec<String>,
    /// Rounds for each row of the host and the native servers [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Write the documents from bench/results.json, and measure nothing
    #[arg(long)]
    documents: bool,
}

type Step = fn(&mut Run);

/// Groups of rows beside those of traffic, and whether they need the host with a handler.
const BESIDE: [(&str, &str, bool, Step); 6] = [
    ("latency", beside::LATENCY, false, beside::latency),
    ("memory", beside::MEMORY, false, beside::memory),
    ("cold-start", beside::COLD_START, false, beside::cold_start),
    ("crowd", beside::CROWD, true, beside::crowd),
    ("neighbour", beside::NEIGHBOUR, true, beside::neighbour),
    ("swap", beside::SWAPS, true, beside::swaps),
];

/// Connections of rows of traffic, and as many more for a server that proxies.
const MOST_CONNECTIONS: u32 = 5000;

/// After so many failures a server is not tried again in that row.
const MAX_FAILURES: usize = 2;

fn names() -> PossibleValuesParser {
    let servers = Server::ALL.map(|(name, _)| name).into_iter();
    servers
        .chain(Load::GROUPS)
        .chain(BESIDE.map(|it| it.0))
        .collect::<Vec<_>>()
        .into()
}

/// How often and how long is measured.
pub struct Plan {
    quick: bool,
    /// For the host and the native servers.
    pub rounds: u32,
    /// For all others.
    pub rounds_of_peers: u32,
    pub times: Times,
}

impl Plan {
    /// For what takes long and hardly varies.
    pub fn fewer_rounds(&self) -> u32 {
        self.rounds.min(if self.quick { 1 } else { 3 })
    }
}

impl Arguments {
    fn plan(&self) -> Plan {
        let quick = self.quick;
        let rounds = self.rounds.unwrap_or(if quick { 3 } else { 7 });
        Plan {
            quick,
            rounds,
            rounds_of_peers: rounds.min(if quick { 1 } else { 5 }),
            times: Times {
                warm_up: Duration::from_millis(100),
                measured: Duration::from_millis(if quick { 250 } else { 400 }),
            },
        }
    }

    /// Whether a server or group is wanted: all of its kind, unless some are named.
    fn wants(&self, name: &str) -> bool {
        let is_server = |name: &str| Server::named(name).is_some();
        let mut named = self
            .only
            .iter()
            .filter(|it| is_server(it) == is_server(name))
            .peekable();
        named.peek().is_none() || named.any(|it| it == name)
    }
}

/// A run that measures.
pub struct Run {
    pub plan: Plan,
    /// The servers that are wanted and there.
    pub servers: Vec<Server>,
    pub samples: Samples,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.documents {
        return documents::write(&Results::kept()?);
    }
    let begun = Instant::now();
    fs::create_dir_all(place::work().join("logs")).context("cannot make target/bench")?;
    // The host uses only a folder that nobody else can write to.
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o700).create(place::cache())?;
    allow_connections(MOST_CONNECTIONS);
    let mut run = Run {
        plan: arguments.plan(),
        servers: Vec::new(),
        samples: Samples::default(),
    };
    run.choose(arguments)?;
    let machine = Machine::describe(&run.servers);
    let mut loads = Load::all(arguments.quick);
    loads.retain(|load| arguments.wants(load.group()));
    run.measure(&loads, arguments);
    let mut wanted: Vec<_> = loads.iter().flat_map(comparison::of_traffic).collect();
    wanted.extend(comparison::beside_traffic(allow_connections(
        beside::HELD_WANTED,
    )));
    let results = Results::new(&run.plan, machine, run.samples, wanted);
    println!(
        "{}\n{}",
        documents::rows(&results),
        documents::details(&results)
    );
    let is_whole = !arguments.quick && arguments.only.is_empty();
    let folder = if is_whole {
        place::root().join("bench")
    } else {
        place::work()
    };
    results.write(&folder)?;
    if is_whole {
        documents::write(&results)?;
    } else {
        fs::write(folder.join("results.svg"), picture::draw(&results))?;
        let pages = [documents::summary(&results), documents::details(&results)];
        fs::write(folder.join("results.md"), pages.join("\n"))?;
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    eprintln!(
        "==> {minutes:.1} minutes; results are in {}",
        folder.display()
    );
    Ok(())
}

impl Run {
    fn choose(&mut self, arguments: &Arguments) -> Result<()> {
        for (name, server) in Server::ALL {
            if !server.is_native() && !arguments.wants(name) {
                continue;
            }
            match server.missing() {
                None => self.servers.push(server),
                Some(reason) if server.is_native() => bail!("{reason}"),
                Some(reason) => self.samples.skip(None, name, &reason),
            }
        }
        Ok(())
    }

    /// Those of these servers that are wanted and there, with their names.
    pub fn chosen(&self, servers: &[Server]) -> Vec<(&'static str, Server)> {
        let there = servers
            .iter()
            .filter(|server| self.servers.contains(server));
        there.map(|server| (server.name(), *server)).collect()
    }

    fn measure(&mut self, loads: &[Load], arguments: &Arguments) {
        for server in self.servers.clone().iter().filter(|it| it.forks()) {
            let reason = "it would start that many processes";
            self.samples
                .skip(Some("2000 connections"), server.name(), reason);
        }
        for (number, load) in (1..).zip(loads) {
            eprintln!("==> {number} of {}: {}", loads.len(), load.name());
            let demand = Demand {
                message_bytes: load.message_bytes,
                ..Demand::of(load.connections)
            };
            let times = self.plan.times;
            let mut servers = self.chosen(&self.servers);
            servers.retain(|(_, server)| load.is_for(*server));
            self.row(&load.name(), self.plan.rounds, &servers, |server| {
                load.make(&times, &Running::start(server, &demand)?)
            });
        }
        for (group, row, needs_handler, step) in BESIDE {
            let can = !needs_handler || self.servers.contains(&Server::HostRust);
            if can && arguments.wants(group) {
                eprintln!("==> {row}");
                step(self);
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
                let is_peer = Server::named(name).is_some_and(Server::is_peer);
                let failures = samples.skipped.iter();
                let failures =
                    failures.filter(|it| it.server == name && it.row.as_deref() == Some(row));
                let is_late = is_peer && round >= self.plan.rounds_of_peers;
                if is_late || failures.count() >= MAX_FAILURES {
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
