//! Results as people read them: on stdout, in README.md and in docs/performance/comparison.md.

use crate::comparison::{Against, Target, Verdict};
use crate::load::Load;
use crate::picture;
use crate::place;
use crate::results::{Medians, Results};
use crate::samples::{CPU, P99, Spread, THROUGHPUT};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- written by cargo xtask bench -->\n";
const END: &str = "<!-- end of what cargo xtask bench writes -->\n";

/// Writes the parts of the documents that are generated from the results.
pub fn write(results: &Results) -> Result<()> {
    let root = place::root();
    fs::write(root.join("bench/results.svg"), picture::draw(results))?;
    update(&root.join("README.md"), &summary(results))?;
    update(
        &root.join("docs/performance/comparison.md"),
        &details(results),
    )
}

/// Replaces the part between the markers.
fn update(path: &Path, text: &str) -> Result<()> {
    let context = || format!("cannot update {}", path.display());
    let old = fs::read_to_string(path).with_context(context)?;
    fs::write(path, replace(&old, text).with_context(context)?).with_context(context)
}

fn replace(old: &str, text: &str) -> Result<String> {
    let (before, rest) = old.split_once(BEGIN).context("no start marker")?;
    let (_, after) = rest.split_once(END).context("no end marker")?;
    Ok(format!("{before}{BEGIN}{text}{END}{after}"))
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
        text += &format!("  {:<28}", it.server);
        for (name, value) in &it.figures {
            text += &match it.to_native.get(name) {
                Some(ratio) => format!(" {} {} ({ratio:.2}),", what(name), figure(name, *value)),
                None => format!(" {} {},", what(name), figure(name, *value)),
            };
        }
        text.truncate(text.trim_end_matches(',').len());
        text += "\n";
    }
    text += "\nIn parentheses: as a multiple of native-plain's.\n";
    for it in &results.skipped {
        let row = it.row.as_deref().unwrap_or("everywhere");
        text += &format!("not measured: {} ({row}): {}\n", it.server, it.reason);
    }
    text
}

/// For README.md: the machine, what the main rows came to, and how many targets were met.
pub fn summary(results: &Results) -> String {
    let machine = &results.machine;
    let wanted = results
        .verdicts
        .iter()
        .filter(|it| it.comparison.target != Target::None);
    let met = wanted.clone().filter(|it| it.missed_by().is_none()).count();
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
        wanted.count()
    )
}

/// For docs/performance/comparison.md: the missed targets, and the figures beside traffic.
pub fn details(results: &Results) -> String {
    let traffic: Vec<_> = Load::all(false).iter().map(Load::name).collect();
    let all = || results.verdicts.iter();
    let missed = all().filter(|it| it.missed_by().is_some());
    let is_beside = |it: &&Verdict| {
        !traffic.contains(&it.comparison.row) || it.comparison.target == Target::None
    };
    let beside = all().filter(is_beside);
    format!(
        "Missed targets:\n\n{}\nBeside traffic:\n\n{}",
        list(missed),
        list(beside)
    )
}

/// Servers by main rows.
fn matrix(results: &Results) -> String {
    let rows = main_rows(results);
    let mut text = format!("| server | {} |\n", rows.join(" | "));
    text += &format!("|---|{}\n", "---|".repeat(rows.len()));
    for server in servers(results) {
        let cell = |row: &String| {
            let ratios = &results.row(row).find(|it| it.server == server)?.to_native;
            let (cpu, throughput) = (ratios.get(CPU)?, ratios.get(THROUGHPUT)?);
            Some(format!("{cpu:.2} ({throughput:.2})"))
        };
        let cells: Vec<_> = rows
            .iter()
            .map(|row| cell(row).unwrap_or_default())
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            text += &format!("| {server} | {} |\n", cells.join(" | "));
        }
    }
    text
}

/// The measured rows that stand for all.
pub fn main_rows(results: &Results) -> Vec<String> {
    let main = Load::all(false)
        .into_iter()
        .filter(Load::is_main)
        .map(|load| load.name());
    main.filter(|row| results.row(row).next().is_some())
        .collect()
}

fn servers(results: &Results) -> impl Iterator<Item = &'static str> {
    let measured = |name: &&str| results.rows.iter().any(|it: &Medians| it.server == **name);
    crate::servers::Server::ALL
        .map(|(name, _)| name)
        .into_iter()
        .filter(measured)
}

fn list<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> String {
    let mut text = "| what | server | measured | target | |\n|---|---|---|---|---|\n".to_owned();
    for verdict in verdicts {
        let it = &verdict.comparison;
        let value = |value: f64| match it.against {
            Against::RatioTo(_) => format!("{value:.2}"),
            _ => figure(&it.figure, value),
        };
        let Spread {
            lower_quartile,
            median,
            upper_quartile,
            ..
        } = verdict.spread;
        let [lower, median, upper] = [lower_quartile, median, upper_quartile].map(value);
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
        let outcome = match verdict.missed_by() {
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
    if name.ends_with("_us") && value >= 1e4 {
        format!("{:.1} ms", value / 1e3)
    } else if name.contains("_us") {
        format!("{} µs", digits(value))
    } else if name.ends_with("_ms") {
        format!("{} ms", digits(value))
    } else if name.contains("bytes") {
        format!("{} KiB", digits(value / 1024.0))
    } else {
        format!("{value:.0}")
    }
}

/// Three digits, or all before the point.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
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
    use crate::samples::{ACTIVE, FIRST_REPLY, HELD};

    #[test]
    fn the_documents_are_those_of_the_kept_results() {
        let results = Results::kept().unwrap();
        for (file, text) in [
            ("README.md", summary(&results)),
            ("docs/performance/comparison.md", details(&results)),
        ] {
            let page = fs::read_to_string(place::root().join(file)).unwrap();
            let stale = "is stale: run `cargo xtask bench -- --documents`";
            assert!(replace(&page, &text).unwrap() == page, "{file} {stale}");
        }
        let picture = fs::read_to_string(place::root().join("bench/results.svg")).unwrap();
        assert!(
            picture == picture::draw(&results),
            "bench/results.svg is stale"
        );
    }

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let old = format!("before\n{BEGIN}old\n{END}after\n");
        let new = replace(&old, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}new\n{END}after\n"));
        assert_eq!(replace(&new, "new\n").unwrap(), new);
        replace("no markers", "new").unwrap_err();
    }

    #[test]
    fn units_are_those_of_the_names() {
        for (name, value, text) in [
            (CPU, 3.456, "3.46 µs"),
            (P99, 123.4, "123 µs"),
            (P99, 12_345.0, "12.3 ms"),
            (ACTIVE, 49_152.0, "48.0 KiB"),
            (FIRST_REPLY, 99.96, "100 ms"),
            (HELD, 20_000.0, "20000"),
        ] {
            assert_eq!(figure(name, value), text);
        }
    }
}
