//! Results as people read them: on stdout, in README.md and in docs/performance.

use crate::results::{CPU, P99, Results, THROUGHPUT};
use crate::servers::SERVERS;
use crate::targets::{Against, Target, Verdict};
use crate::traffic::Load;
use crate::{instructions, picture, root};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use tools::bench::Time;

const BEGIN: &str = "<!-- written by cargo xtask bench -->\n";
const END: &str = "<!-- end of what cargo xtask bench writes -->\n";

/// What is generated from the results: a file, and its text or the part between the markers.
type Part = (&'static str, fn(&Results) -> String);
const PARTS: [Part; 4] = [
    ("bench/results.svg", picture::draw),
    ("docs/performance/costs.md", layers),
    ("README.md", summary),
    ("docs/performance/comparison.md", details),
];

/// Writes what is generated from the results.
pub fn write(results: &Results) -> Result<()> {
    for (file, part) in PARTS {
        let path = root().join(file);
        let old = fs::read_to_string(&path).unwrap_or_default();
        let text = replaced(&old, &part(results));
        fs::write(path, text).with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

/// Writes the same beside the results of a partial run.
pub fn write_apart(results: &Results, folder: &Path) -> Result<()> {
    fs::write(folder.join("results.svg"), picture::draw(results))?;
    let text = [summary(results), details(results)].join("\n");
    Ok(fs::write(folder.join("results.md"), text)?)
}

/// Replaces the part between the markers, or everything without markers.
fn replaced(old: &str, text: &str) -> String {
    match old.split_once(BEGIN).zip(old.split_once(END)) {
        Some(((before, _), (_, after))) => format!("{before}{BEGIN}{text}{END}{after}"),
        None => text.to_owned(),
    }
}

/// All rows, for stdout.
pub fn rows(results: &Results) -> String {
    let mut text = String::new();
    let mut last = "";
    for it in &results.rows {
        if it.row != last {
            text += &format!("\n{}\n", it.row);
            last = &it.row;
        }
        let figures = it.figures.iter().map(|(name, value)| {
            let ratio = it.to_native.get(name);
            let ratio = ratio.map_or_else(String::new, |ratio| format!(" ({ratio:.2})"));
            format!("{} {}{ratio}", what(name), figure(name, *value))
        });
        let figures = figures.collect::<Vec<_>>().join(", ");
        text += &format!("  {:<28} {figures}\n", it.server);
    }
    text += "\nIn parentheses: as a multiple of native-plain's.\n";
    for it in &results.skipped {
        let row = it.row.as_deref().unwrap_or("everywhere");
        text += &format!("not measured: {} ({row}): {}\n", it.server, it.reason);
    }
    text
}

/// For README.md: the machine, what the main rows came to, and how many targets were met.
fn summary(results: &Results) -> String {
    let machine = &results.machine;
    let wanted = results.verdicts.iter();
    let wanted: Vec<_> = wanted.filter(|it| it.target != Target::None).collect();
    let met = wanted.iter().filter(|it| it.missed_by().is_none()).count();
    format!(
        "Measured on {} UTC: {}, {} cores, Linux {}; {} rounds.\n\n\
         ![CPU time per message by server](bench/results.svg)\n\n\
         The server's CPU time per message, as a multiple of native-plain's in the same round (median). In\n\
         parentheses: the ratio of throughput, where more is better.\n\n\
         {}\n\
         {met} of {} targets are met; [Comparison](docs/performance/comparison.md) lists the others.\n",
        machine.date,
        machine.cpu_model,
        machine.cores,
        machine.kernel,
        results.rounds,
        matrix(results),
        wanted.len()
    )
}

/// For docs/performance/comparison.md: the missed targets, and the figures beside traffic.
pub fn details(results: &Results) -> String {
    let traffic: Vec<_> = Load::all(false).iter().map(Load::name).collect();
    let all = || results.verdicts.iter();
    let missed = all().filter(|it| it.missed_by().is_some());
    let is_beside = |it: &&Verdict| !traffic.contains(&it.row) || it.target == Target::None;
    let (missed, beside) = (list(missed), list(all().filter(is_beside)));
    format!("Missed targets:\n\n{missed}\nBeside traffic:\n\n{beside}")
}

/// For docs/performance/costs.md: instructions by layer, which come from a file of their own.
fn layers(_: &Results) -> String {
    instructions::table().unwrap_or_else(|error| format!("{error:#}\n"))
}

/// Servers by main rows.
fn matrix(results: &Results) -> String {
    let rows = main_rows(results);
    let mut text = format!("| server | {} |\n", rows.join(" | "));
    text += &format!("|---|{}\n", "---|".repeat(rows.len()));
    for server in SERVERS.map(|it| it.name) {
        let cell = |row: &String| {
            let mut cells = results.rows.iter();
            let it = cells.find(|it| it.row == *row && it.server == server)?;
            let (cpu, throughput) = (it.to_native.get(CPU)?, it.to_native.get(THROUGHPUT)?);
            Some(format!("{cpu:.2} ({throughput:.2})"))
        };
        let cells: Vec<_> = rows.iter().map(cell).collect();
        if cells.iter().any(Option::is_some) {
            let cells: Vec<_> = cells.into_iter().map(Option::unwrap_or_default).collect();
            text += &format!("| {server} | {} |\n", cells.join(" | "));
        }
    }
    text
}

/// The measured rows that stand for all.
pub fn main_rows(results: &Results) -> Vec<String> {
    let loads = Load::all(false).into_iter().filter(Load::is_main);
    let names = loads.map(|load| load.name());
    names
        .filter(|row| results.rows.iter().any(|it| it.row == *row))
        .collect()
}

fn list<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> String {
    let mut text = "| what | server | measured | target | |\n|---|---|---|---|---|\n".to_owned();
    for it in verdicts {
        let value = |value: f64| match it.against {
            Against::RatioTo(_) => format!("{value:.2}"),
            _ => figure(&it.figure, value),
        };
        let quartiles = [
            it.spread.lower_quartile,
            it.spread.median,
            it.spread.upper_quartile,
        ];
        let [lower, median, upper] = quartiles.map(value);
        let measured = match &it.against {
            Against::RatioTo(other) => format!("{median} [{lower}-{upper}] × {other}"),
            Against::DifferenceFrom(other) => {
                format!("{median} above {other} [{lower} to {upper}]")
            }
            Against::Itself => format!("{median} [{lower} to {upper}]"),
        };
        let target = match it.target {
            Target::AtMost(most) => format!("≤ {}", value(most)),
            Target::AtLeast(least) => format!("≥ {}", value(least)),
            Target::None => String::new(),
        };
        let outcome = match it.missed_by() {
            Some(by) => format!("missed by {}", value(by)),
            None if target.is_empty() => String::new(),
            None => "met".to_owned(),
        };
        let (row, what, server) = (&it.row, what(&it.figure), &it.server);
        text += &format!("| {row}: {what} | {server} | {measured} | {target} | {outcome} |\n");
    }
    text
}

/// A figure with its unit, which is the end of its name.
fn figure(name: &str, value: f64) -> String {
    if name.contains("_us") {
        Time(value).to_string()
    } else if name.ends_with("_ms") {
        Time(value * 1e3).to_string()
    } else if name.contains("bytes") {
        let kib = value / 1024.0;
        let decimals = usize::from(kib.abs() < 99.95);
        format!("{kib:.decimals$} KiB")
    } else {
        format!("{value:.0}")
    }
}

/// The name of a figure, without its unit.
fn what(name: &str) -> &str {
    match name {
        CPU => "CPU per message",
        THROUGHPUT => "messages/s",
        "p50_us" => "p50 latency",
        P99 => "p99 latency",
        "resident_bytes" => "memory",
        "idle_bytes_per_connection" => "memory, silent",
        "active_bytes_per_connection" => "memory, after a message",
        "first_reply_ms" => "time",
        "held_connections" => "connections",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_are_those_of_the_kept_results() {
        let results = Results::kept().unwrap();
        for (file, part) in PARTS {
            let page = fs::read_to_string(root().join(file)).unwrap();
            let stale = "is stale: run `cargo xtask bench -- --documents`";
            assert!(replaced(&page, &part(&results)) == page, "{file} {stale}");
        }
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let old = format!("before\n{BEGIN}old\n{END}after\n");
        let new = format!("before\n{BEGIN}new\n{END}after\n");
        assert_eq!(replaced(&old, "new\n"), new);
    }
}
