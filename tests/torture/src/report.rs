//! The report at the end of a run.

use crate::course::Outcome;
use crate::log::Log;
use crate::record::{Asked, Met, Record, Service};
use comfy_table::{Table, presets};
use serde_json::Value;
use std::fmt::Display;

const MET: [(Met, &str); 5] = [
    (Met::Served, "served"),
    (Met::Closed, "closed"),
    (Met::Reset, "reset"),
    (Met::Refused, "refused"),
    (Met::Silence, "silence"),
];

/// Prints the counts.
pub fn counts(record: &Record) {
    let mut villains = table(&[
        "villain", "times", "served", "closed", "reset", "refused", "silence",
    ]);
    for (name, met) in record.villains() {
        let times: u64 = met.values().sum();
        let kinds = MET.map(|(kind, _)| met.get(&kind).copied().unwrap_or_default().to_string());
        villains.add_row([vec![name.to_owned(), times.to_string()], kinds.to_vec()].concat());
    }
    println!("{villains}\n");
    let mut operators = table(&["operator", "done", "refused"]);
    for (name, Asked { done, refused }) in record.operators() {
        operators.add_row([name.to_owned(), done.to_string(), refused.to_string()]);
    }
    println!("{operators}\n");
    let names = [
        "well-behaved client",
        "sessions",
        "messages",
        "repeated",
        "p50 ms",
        "p99 ms",
        "max ms",
    ];
    let mut regulars = table(&names);
    for (name, service) in record.regulars() {
        regulars.add_row(row(name, &service));
    }
    regulars.add_row(row("all", &record.all_regulars()));
    println!("{regulars}\n");
}

fn row(name: &str, service: &Service) -> Vec<String> {
    let latency = |percentile| format!("{:.1}", service.latency_ms(percentile));
    vec![
        name.to_owned(),
        service.sessions.to_string(),
        service.messages.to_string(),
        service.repeated.to_string(),
        latency(50.0),
        latency(99.0),
        latency(100.0),
    ]
}

/// Prints the host's resources before and after, and its own status.
pub fn host(outcome: &Outcome, log: &Log) {
    let Outcome {
        baseline,
        end,
        status,
        samples,
    } = outcome;
    let mut usage = table(&["of the host", "before", "after"]);
    let mib = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
    let mut add = |name: &str, before: &dyn Display, after: &dyn Display| {
        usage.add_row([name.to_owned(), before.to_string(), after.to_string()]);
    };
    add(
        "resident memory",
        &mib(baseline.resident_kib),
        &mib(end.resident_kib),
    );
    add("descriptors", &baseline.descriptors, &end.descriptors);
    add("threads", &baseline.threads, &end.threads);
    add("mappings", &baseline.mappings, &end.mappings);
    println!("{usage}\n");
    println!("most resident memory: {}", mib(end.peak_kib));
    let connections = &status["connections"]["total"];
    let (messages, failed) = (&status["messages"], &status["failed_calls"]);
    println!("connections: {connections}, messages: {messages}, failed calls: {failed}");
    println!("limits reached: {}", named(&status["limits_reached"]));
    println!("datagrams dropped: {}", named(&status["dropped_datagrams"]));
    let lines = log
        .lines()
        .into_iter()
        .map(|(level, lines)| format!("{level} {lines}"));
    let (lines, most) = (lines.collect::<Vec<_>>(), samples.most_lines_a_second);
    println!("log lines: {}; at most {most} a second", lines.join(", "));
}

/// The counts that are not zero.
fn named(counts: &Value) -> String {
    let counts = counts.as_object().into_iter().flatten();
    let counts = counts.filter(|(_, count)| **count != 0);
    let counts: Vec<_> = counts
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if counts.is_empty() {
        "none".to_owned()
    } else {
        counts.join(", ")
    }
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(head);
    table
}
