//! A whole run.

use crate::comparison::{self, Target, Verdict};
use crate::load::{Group, Load, Times};
use crate::machine::Machine;
use crate::place::Place;
use crate::sample::Samples;
use crate::servers::Server;
use crate::traffic::{self, Rounds};
use crate::{cold_start, crowd, holder, latency, memory, neighbour, picture, readme, swaps, table};
use anyhow::{Context, Result, bail};
use clap::Parser;
use serde::Serialize;
use std::fs;
use std::time::{Duration, Instant};

/// Compare the host with native servers and others that echo
///
/// Without options everything is measured, which takes about half an hour, and bench/results.json,
/// bench/results.svg and README are written. Part of it goes to target/bench/ only.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask bench")]
pub struct Arguments {
    /// A few rows and rounds, to see whether everything works; about three minutes
    #[arg(long)]
    quick: bool,
    /// Measure only these: servers, and groups of rows (repeatable). Native servers always run with others
    #[arg(long, value_name = "NAME", num_args = 1.., value_parser = name)]
    only: Vec<String>,
    /// How often each row of the host and the native servers is measured [default: 7]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
}

/// What rows of traffic ask of a server, and what its proxied sessions have twice.
const MOST_CONNECTIONS: u32 = 5000;

/// Groups of rows beside those of traffic.
const OTHER_GROUPS: [&str; 6] = [
    "latency",
    "memory",
    "cold-start",
    "crowd",
    "neighbour",
    "swap",
];
const TRAFFIC_GROUPS: [Group; 3] = [Group::Steady, Group::Pipelined, Group::Connect];

fn groups() -> impl Iterator<Item = &'static str> {
    TRAFFIC_GROUPS
        .map(Group::name)
        .into_iter()
        .chain(OTHER_GROUPS)
}

fn name(text: &str) -> Result<String, String> {
    let servers = Server::ALL.map(Server::name);
    match servers.into_iter().chain(groups()).any(|name| name == text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "expected a server ({}) or a group of rows ({})",
            servers.join(", "),
            groups().collect::<Vec<_>>().join(", ")
        )),
    }
}

impl Arguments {
    /// Whether a group of rows is wanted: all of them, unless some are named.
    fn group(&self, name: &str) -> bool {
        self.only
            .iter()
            .all(|it| !groups().any(|group| group == it))
            || self.only.iter().any(|it| it == name)
    }

    /// Whether a server is wanted, likewise.
    fn server(&self, server: Server) -> bool {
        let named = |it: &String| Server::ALL.iter().any(|server| server.name() == it);
        server.is_native()
            || !self.only.iter().any(named)
            || self.only.iter().any(|it| it == server.name())
    }

    /// Whether the results are complete enough to be kept.
    fn is_whole(&self) -> bool {
        !self.quick && self.only.is_empty()
    }

    fn rounds(&self) -> Rounds {
        let ours = self.rounds.unwrap_or(if self.quick { 3 } else { 7 });
        let peers = if self.quick { 1 } else { 5 };
        Rounds {
            ours,
            peers: ours.min(peers),
        }
    }

    fn times(&self) -> Times {
        let measured = if self.quick { 250 } else { 400 };
        Times {
            warm_up: Duration::from_millis(100),
            measured: Duration::from_millis(measured),
        }
    }
}

/// What is written as JSON.
#[derive(Serialize)]
struct Results<'a> {
    machine: &'a Machine,
    rounds: u32,
    rounds_of_peers: u32,
    measured_ms: u128,
    warm_up_ms: u128,
    verdicts: &'a [Verdict],
    #[serde(flatten)]
    samples: &'a Samples,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let begun = Instant::now();
    let place = Place::find()?;
    holder::allow_many_connections(MOST_CONNECTIONS);
    let mut samples = Samples::default();
    let servers = choose(arguments, &place, &mut samples)?;
    let machine = Machine::describe(&place, &servers);
    let loads = loads(arguments);
    measure(arguments, &loads, &servers, &place, &mut samples);

    let verdicts = judge(&loads, &samples);
    for load in &loads {
        println!("{}", table::of_traffic(&load.name(), &samples, &verdicts));
    }
    println!("{}", table::of_the_rest(&beside_traffic(&loads, &verdicts)));
    tell_what_is_missing(&samples);
    let kept = arguments.is_whole();
    let times = arguments.times();
    let results = Results {
        machine: &machine,
        rounds: arguments.rounds().ours,
        rounds_of_peers: arguments.rounds().peers,
        measured_ms: times.measured.as_millis(),
        warm_up_ms: times.warm_up.as_millis(),
        verdicts: &verdicts,
        samples: &samples,
    };
    let path = place.results(kept).join("results.json");
    fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")
        .with_context(|| format!("cannot write {}", path.display()))?;
    picture::draw(&loads, &samples, &place, kept)?;
    let summary = readme::summary(
        &machine,
        &loads,
        &samples,
        &verdicts,
        arguments.rounds().ours,
    )?;
    let details = readme::details(&loads, &verdicts)?;
    match kept {
        true => {
            readme::update(&place.readme(), &summary)?;
            readme::update(&place.page(), &details)?;
        }
        false => fs::write(
            place.results(kept).join("results.md"),
            format!("{summary}\n{details}"),
        )?,
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    eprintln!(
        "==> {minutes:.1} minutes; results are in {}",
        place.results(kept).display()
    );
    Ok(())
}

/// The servers that are wanted and there.
fn choose(arguments: &Arguments, place: &Place, samples: &mut Samples) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for server in Server::ALL.into_iter().filter(|it| arguments.server(*it)) {
        match server.missing(place) {
            None => servers.push(server),
            Some(reason) if server.is_native() => bail!("{reason}"),
            Some(reason) => samples.skip(None, server.name(), &reason),
        }
    }
    Ok(servers)
}

/// The rows of traffic that are wanted.
fn loads(arguments: &Arguments) -> Vec<Load> {
    let mut loads = Load::all(arguments.quick);
    loads.retain(|load| arguments.group(load.group.name()));
    loads
}

fn measure(
    arguments: &Arguments,
    loads: &[Load],
    servers: &[Server],
    place: &Place,
    samples: &mut Samples,
) {
    let (rounds, times) = (arguments.rounds(), arguments.times());
    // What takes long and hardly varies.
    let fewer = if arguments.quick {
        1
    } else {
        rounds.ours.min(3)
    };
    let there = |server| servers.contains(&server);
    let host = there(Server::HostRust);
    for server in servers.iter().filter(|it| it.forks()) {
        let reason = "it would have that many processes";
        samples.skip(Some("2000 connections"), server.name(), reason);
    }
    for (number, load) in (1..).zip(loads) {
        eprintln!("==> {number} of {}: {}", loads.len(), load.name());
        traffic::run(load, rounds, &times, servers, place, samples);
    }
    let step = |name: &str, row: &str| {
        let wanted = arguments.group(name);
        if wanted {
            eprintln!("==> {row}");
        }
        wanted
    };
    if step("latency", latency::ROW) {
        latency::run(rounds.ours, &there, place, samples);
    }
    if step("memory", memory::ROW) {
        memory::run(fewer, &there, place, samples);
    }
    if step("cold-start", cold_start::ROW) {
        cold_start::run(rounds.ours, &there, place, samples);
    }
    if host && step("crowd", crowd::ROW) {
        crowd::run(fewer, &times, place, samples);
    }
    if host && step("neighbour", neighbour::ROW) {
        neighbour::run(fewer.min(2), place, samples);
    }
    if host && step("swap", swaps::ROW) {
        swaps::run(fewer, place, samples);
    }
}

fn judge(loads: &[Load], samples: &Samples) -> Vec<Verdict> {
    let mut comparisons = Vec::new();
    for load in loads {
        comparisons.extend(comparison::of_traffic(load));
        comparisons.extend(comparison::of_peers(load));
        if load.group == Group::Steady && load.connections == 50 && load.message_bytes == 64 {
            comparisons.extend(comparison::of_tiers(load));
        }
    }
    comparisons.extend(comparison::of_the_rest());
    comparisons
        .iter()
        .filter_map(|it| it.judge(samples))
        .collect()
}

/// Verdicts that no row of traffic shows.
fn beside_traffic<'a>(loads: &[Load], verdicts: &'a [Verdict]) -> Vec<&'a Verdict> {
    let shown = |verdict: &Verdict| {
        verdict.comparison.target != Target::None
            && loads
                .iter()
                .any(|load| load.name() == verdict.comparison.row)
    };
    verdicts.iter().filter(|verdict| !shown(verdict)).collect()
}

/// Nothing is left out silently.
fn tell_what_is_missing(samples: &Samples) {
    for skipped in &samples.skipped {
        let row = skipped.row.as_deref().unwrap_or("everywhere");
        println!(
            "not measured: {} ({row}): {}",
            skipped.server, skipped.reason
        );
    }
    println!("Others than the host and the native servers are measured in a choice of rows only.");
    println!("asyncio and uvloop are one process with one thread; all others use every core.");
}
