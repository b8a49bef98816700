//! The cost of handlers: the table in docs/handlers/languages.md.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::host::Host;
use super::project::Project;
use super::{HANDLERS, Language};
use crate::{layout, step};

const PAGE: &str = "docs/handlers/languages.md";
const BEGIN: &str = "<!-- written by cargo xtask guest-table -->\n";
const END: &str = "<!-- end of what cargo xtask guest-table writes -->";

/// How often slow measurements are repeated. The quickest counts, because others use the machine
/// too.
const TRIES: usize = 3;
/// How often a source is edited, each time with another digit.
const EDITS: u8 = 9;
/// Connections with an instance each. Measures the memory of instances, without the host's own.
const CONNECTIONS: [u32; 2] = [40, 100];

/// Measures the echo of a language, and the sizes of all its handlers. Returns a row of the table.
pub fn row(language: Language, projects: &[Project]) -> Result<String> {
    let mut row = format!("| {} |", language.title());
    for project in projects {
        let path = project.component();
        let file = fs::metadata(&path).with_context(|| format!("no {}", path.display()))?;
        row += &format!(" {} |", size_of(file.len() as f64));
    }
    let echo = projects.first().context("there is an echo")?;
    let component = echo.component();
    // One process for all, because the memory that loading leaves behind differs between processes.
    let mut serve = host();
    serve.args(["serve", "--log-level", "error", "--workers", "1"]);
    let server = Host::start(serve.arg(&component), &component.with_extension("log"))?;
    let few = (0..TRIES)
        .map(|_| bench(&server, 1))
        .collect::<Result<Vec<_>>>()?;
    let [speed, cpu, memory] = [
        "/throughput/messages_per_s",
        "/server/cpu_us_per_message",
        "/server/resident_bytes",
    ]
    .map(|path| move |report: &Value| report.pointer(path)?.as_f64());
    let best = few
        .iter()
        .max_by(|a, b| speed(a).partial_cmp(&speed(b)).expect("no NaN"));
    let best = best.context("measured at least once")?;
    // Until the allocator has returned the memory that loading used.
    bench(&server, CONNECTIONS[0])?;
    let [before, after] = CONNECTIONS.map(|count| {
        memory(&bench(&server, count)?).context("this system does not report resident memory")
    });
    let bytes = (after? - before?).max(0.0) / f64::from(CONNECTIONS[1] - CONNECTIONS[0]);
    let edits = edits(echo)?;
    row += &format!(
        " {:.2} s | {:.1} s, at most {:.1} s | {} | {:.0} | {:.1} µs |\n",
        compile(&component)?.as_secs_f64(),
        edits[edits.len() / 2].as_secs_f64(),
        edits[edits.len() - 1].as_secs_f64(),
        size_of(bytes),
        speed(best).unwrap_or_default(),
        cpu(best).unwrap_or_default()
    );
    Ok(row)
}

/// Edits an echo repeatedly. Returns how long each edit took until it was served, in order.
fn edits(echo: &Project) -> Result<Vec<Duration>> {
    let host = echo.develop("echo-host dev")?;
    let mut taken = (0..EDITS)
        .map(|digit| echo.edit(&host, digit))
        .collect::<Result<Vec<_>>>()?;
    taken.sort();
    Ok(taken)
}

/// Time until a handler could be served, with an empty cache.
fn compile(component: &Path) -> Result<Duration> {
    let cache = component.with_extension("cache");
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let begin = Instant::now();
        step::output(host().args(["check", "--cache"]).arg(&cache).arg(component))?;
        quickest = quickest.min(begin.elapsed());
        fs::remove_dir_all(&cache)?;
    }
    Ok(quickest)
}

/// The report of `echo-host bench` with this many connections.
fn bench(server: &Host, connections: u32) -> Result<Value> {
    let mut bench = host();
    bench.args([
        "bench",
        &format!("tcp://{}", server.address),
        "--json",
        "--duration",
        "3s",
    ]);
    bench.args(["--connections", &connections.to_string()]);
    bench.args(["--server-pid", &server.pid().to_string()]);
    let report: Value = serde_json::from_str(&step::output(&mut bench)?)?;
    ensure!(
        report["replies"] == report["messages"],
        "the handler does not echo"
    );
    Ok(report)
}

/// The built host.
fn host() -> Command {
    Command::new(layout::root().join("target/release/echo-host"))
}

/// Replaces the rows of the page.
pub fn write(rows: &[String]) -> Result<()> {
    let handlers = HANDLERS.map(|(handler, _)| handler).join(" | ");
    let table = format!(
        "| language | {handlers} | first start | an edit is live | memory | messages a second | \
         CPU time a message |\n|{}\n{}",
        "---|".repeat(HANDLERS.len() + 6),
        rows.concat()
    );
    let path = layout::root().join(PAGE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let text = replace(&text, &table).with_context(|| format!("{PAGE} has no markers"))?;
    fs::write(&path, text).with_context(|| format!("cannot write {PAGE}"))?;
    step::announce(&format!("{PAGE} is updated"));
    Ok(())
}

/// The text with a table between the markers.
fn replace(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn size_of(bytes: f64) -> String {
    match bytes / 1024.0 {
        kib @ 1024.0.. => format!("{:.1} MiB", kib / 1024.0),
        kib => format!("{kib:.1} KiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let text = format!("a\n{BEGIN}old\n{END}\nb\n");
        let expected = format!("a\n{BEGIN}new\n{END}\nb\n");
        assert_eq!(replace(&text, "new\n"), Some(expected));
        assert_eq!(replace("a\nb\n", "new\n"), None);
    }

    #[test]
    fn sizes_are_told_with_their_unit() {
        assert_eq!(size_of(2142.0), "2.1 KiB");
        assert_eq!(size_of(18_314_358.0), "17.5 MiB");
    }
}
