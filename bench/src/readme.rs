//! The parts of README.md and docs/performance/comparison.md that a run writes.

use crate::comparison::{Target, Verdict};
use crate::load::Load;
use crate::machine::Machine;
use crate::picture::main_loads;
use crate::sample::{CPU, Samples, THROUGHPUT};
use crate::servers::Server;
use crate::spread::Spread;
use crate::wording::what;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- written by cargo xtask bench -->\n";
const END: &str = "<!-- end of what cargo xtask bench writes -->\n";

/// Replaces the part between the markers.
pub fn update(path: &Path, text: &str) -> Result<()> {
    let context = || format!("cannot update {}", path.display());
    let old = fs::read_to_string(path).with_context(context)?;
    let new = replace(&old, text).with_context(context)?;
    fs::write(path, new).with_context(context)
}

fn replace(old: &str, text: &str) -> Result<String> {
    let (before, rest) = old.split_once(BEGIN).context("it has no marker")?;
    let (_, after) = rest.split_once(END).context("it has no second marker")?;
    Ok(format!("{before}{BEGIN}{text}{END}{after}"))
}

/// For README.md: the machine, what the main rows came to, and how many targets were met.
pub fn summary(
    machine: &Machine,
    loads: &[Load],
    samples: &Samples,
    verdicts: &[Verdict],
    rounds: u32,
) -> Result<String> {
    let mut text = String::new();
    let Machine {
        cpu_model,
        cores,
        kernel,
        date,
        ..
    } = machine;
    writeln!(
        text,
        "Measured on {date} UTC: {cpu_model}, {cores} cores, Linux {kernel}; {rounds} rounds.\n\n\
         ![CPU time per message by server](bench/results.svg)\n\n\
         The server's CPU time per message, as a multiple of native-plain's in the same round (median). In\n\
         parentheses: the ratio of throughput, where more is better.\n"
    )?;
    matrix(&mut text, loads, samples)?;
    let wanted = |it: &&Verdict| it.comparison.target != Target::None;
    let met = verdicts
        .iter()
        .filter(wanted)
        .filter(|it| it.missed_by.is_none());
    writeln!(
        text,
        "\n{} of {} targets are met; [Comparison](docs/performance/comparison.md) lists the others.",
        met.count(),
        verdicts.iter().filter(wanted).count()
    )?;
    Ok(text)
}

/// For docs/performance/comparison.md: the targets that were missed and by how much, and the figures beside traffic.
pub fn details(loads: &[Load], verdicts: &[Verdict]) -> Result<String> {
    let mut text = "Missed targets:\n\n".to_owned();
    let missed = verdicts.iter().filter(|it| it.missed_by.is_some());
    list(&mut text, missed)?;
    writeln!(text, "\nBeside traffic:\n")?;
    let is_traffic = |row: &str| loads.iter().any(|load| load.name() == row);
    let rest = verdicts
        .iter()
        .filter(|it| !is_traffic(&it.comparison.row) || it.comparison.target == Target::None);
    list(&mut text, rest)?;
    Ok(text)
}

/// Servers by main rows.
fn matrix(text: &mut String, loads: &[Load], samples: &Samples) -> Result<()> {
    let rows: Vec<_> = main_loads(loads).map(Load::name).collect();
    writeln!(text, "| server | {} |", rows.join(" | "))?;
    writeln!(text, "|---|{}", "---|".repeat(rows.len()))?;
    for server in Server::ALL.map(Server::name) {
        let ratio = |row: &str, figure| {
            let pairs = samples.pairs(row, [server, Server::NativePlain.name()], figure);
            Some(Spread::of_ratios(&pairs)?.median)
        };
        let cells: Vec<_> = rows
            .iter()
            .map(|row| match ratio(row, CPU).zip(ratio(row, THROUGHPUT)) {
                Some((cpu, throughput)) => format!("{cpu:.2} ({throughput:.2})"),
                None => String::new(),
            })
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            writeln!(text, "| {server} | {} |", cells.join(" | "))?;
        }
    }
    Ok(())
}

fn list<'a>(text: &mut String, verdicts: impl Iterator<Item = &'a Verdict>) -> Result<()> {
    writeln!(text, "| what | server | measured | target | |")?;
    writeln!(text, "|---|---|---|---|---|")?;
    for verdict in verdicts {
        let comparison = &verdict.comparison;
        writeln!(
            text,
            "| {}: {} | {} | {} | {} | {} |",
            comparison.row,
            what(comparison.figure),
            comparison.server,
            verdict.measured(),
            verdict.target(),
            verdict.outcome()
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let old = format!("before\n{BEGIN}old\n{END}after\n");
        let new = replace(&old, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}new\n{END}after\n"));
        assert_eq!(replace(&new, "new\n").unwrap(), new);
        replace("no markers", "new").unwrap_err();
    }
}
