//! The results on standard output.

use crate::comparison::{Against, Verdict};
use crate::sample::{CPU, P99, Samples, THROUGHPUT};
use crate::servers::Server;
use crate::spread::Spread;
use crate::wording::{figure, ratios, what};
use comfy_table::{Cell, CellAlignment, Table, presets};

/// A row of traffic: a line for each server, with the targets beside it.
pub fn of_traffic(row: &str, samples: &Samples, verdicts: &[Verdict]) -> String {
    let mut table = plain_table([
        "server",
        "CPU/message",
        "÷ native-plain",
        "÷ native-per-core",
        "messages/s",
        "÷ native-plain",
        "p99",
        "targets, by CPU per message",
    ]);
    let natives = [Server::NativePlain.name(), Server::NativePerCore.name()];
    for server in samples.servers(row) {
        let median = |name| {
            let figures = samples.figures(row, server, name);
            Spread::of(figures.map(|(_, figure)| figure))
                .map_or(String::new(), |spread| figure(name, spread.median))
        };
        let ratio = |to, name| {
            Spread::of_ratios(&samples.pairs(row, [server, to], name))
                .map_or(String::new(), |spread| ratios(&spread))
        };
        let targets = verdicts
            .iter()
            .filter(|it| it.comparison.row == row)
            .filter_map(|verdict| beside(verdict, server));
        table.add_row(
            [
                server.to_owned(),
                median(CPU),
                ratio(natives[0], CPU),
                ratio(natives[1], CPU),
                median(THROUGHPUT),
                ratio(natives[0], THROUGHPUT),
                median(P99),
                targets.collect::<Vec<_>>().join("\n"),
            ]
            .map(Cell::new),
        );
    }
    for column in 1..=6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{row}\n{table}\n")
}

/// What a verdict says in a server's line. That the host is ahead of a peer stands beside the peer.
fn beside(verdict: &Verdict, server: &str) -> Option<String> {
    let Against::RatioTo(other) = &verdict.comparison.against else {
        return None;
    };
    let (target, outcome) = (verdict.target(), verdict.outcome());
    let ours = &verdict.comparison.server;
    let is_peer = Server::ALL
        .iter()
        .any(|it| it.is_peer() && it.name() == other);
    match is_peer {
        true if other == server => {
            let median = verdict.spread.median;
            Some(format!("{ours} {median:.2} × this, {target}: {outcome}"))
        }
        false if ours == server => Some(format!("{target} × {other}: {outcome}")),
        _ => None,
    }
}

/// Everything beside traffic, and differences between rows' servers.
pub fn of_the_rest(verdicts: &[&Verdict]) -> String {
    let mut table = plain_table(["what", "server", "figure", "measured", "target", "verdict"]);
    for verdict in verdicts {
        let comparison = &verdict.comparison;
        table.add_row([
            comparison.row.clone(),
            comparison.server.clone(),
            what(comparison.figure).to_owned(),
            verdict.measured(),
            verdict.target(),
            verdict.outcome(),
        ]);
    }
    table.to_string()
}

fn plain_table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_header(head);
    table
}
