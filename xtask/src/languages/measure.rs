//! What handlers of one language cost.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::edits::Edit;
use super::project::Project;
use super::tools::Tools;
use super::{Language, host, output};

/// How often what takes long is measured; the quickest counts, as others use the machine too.
const TRIES: usize = 3;
/// How often a source is edited, each time with another digit.
const EDITS: u8 = 9;
/// Connections with an instance each: what the second number has of memory beyond the first is told apart from the
/// host's own.
const CONNECTIONS: [u32; 2] = [40, 100];

/// One line of the table.
pub struct Row {
    pub language: Language,
    /// The sizes of the handlers.
    pub bytes: Vec<u64>,
    pub compile: Duration,
    pub instance_bytes: u64,
    pub messages_per_s: f64,
    pub cpu_us_per_message: f64,
    /// How long it takes until an edit is served: the median, and the longest.
    pub edit: (Duration, Duration),
}

/// The part of the report of `echo-host bench` that matters here.
#[derive(Deserialize)]
struct Report {
    messages: u64,
    replies: u64,
    throughput: Throughput,
    server: Option<Server>,
}

#[derive(Deserialize)]
struct Throughput {
    messages_per_s: f64,
}

#[derive(Deserialize)]
struct Server {
    cpu_us_per_message: Option<f64>,
    resident_bytes: Option<u64>,
}

/// Measures the echo of a language, and weighs all its handlers.
pub fn row(language: Language, projects: &[Project], tools: &Tools) -> Result<Row> {
    let mut bytes = Vec::new();
    for project in projects {
        let path = project.component();
        let size =
            fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        bytes.push(size.len());
    }
    let project = projects.first().context("there is an echo")?;
    let echo = project.component();
    // One process for all, as what loading leaves behind differs from one to the next.
    let server = Serving::start(&echo)?;
    let few = (0..TRIES).map(|_| bench(&server, 1));
    let few = few.collect::<Result<Vec<_>>>()?;
    // The allocator gives back what loading has left over while it is at work: that is over then.
    bench(&server, CONNECTIONS[0])?;
    let [some, more] = CONNECTIONS.map(|connections| bench(&server, connections));
    let resident = |report: &Report| report.server.as_ref()?.resident_bytes;
    let (Some(before), Some(after)) = (resident(&some?), resident(&more?)) else {
        bail!("this system does not tell how much memory a process has");
    };
    let speed = |report: &Report| report.throughput.messages_per_s;
    let best = few.iter().max_by(|a, b| speed(a).total_cmp(&speed(b)));
    let best = best.context("measured at least once")?;
    Ok(Row {
        language,
        bytes,
        compile: compile(&echo)?,
        instance_bytes: after.saturating_sub(before) / u64::from(CONNECTIONS[1] - CONNECTIONS[0]),
        messages_per_s: speed(best),
        cpu_us_per_message: best
            .server
            .as_ref()
            .and_then(|server| server.cpu_us_per_message)
            .unwrap_or_default(),
        edit: edits(language, project, tools)?,
    })
}

/// Develops an echo, and edits it again and again.
fn edits(language: Language, echo: &Project, tools: &Tools) -> Result<(Duration, Duration)> {
    let developing = echo.develop("echo-host dev", tools)?;
    let edit = Edit::of(language, "responder")?;
    let edits = (0..EDITS).map(|digit| developing.edit(&edit, digit));
    let mut taken = edits.collect::<Result<Vec<_>>>()?;
    taken.sort();
    Ok((taken[taken.len() / 2], taken[taken.len() - 1]))
}

/// How long it takes until a handler that nobody has compiled yet could be served, with a cache that is empty.
fn compile(component: &Path) -> Result<Duration> {
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let cache = component.with_extension("cache");
        let begin = Instant::now();
        let mut check = host();
        check.args(["check", "--cache"]).arg(&cache);
        output(check.arg(component))?;
        quickest = quickest.min(begin.elapsed());
        fs::remove_dir_all(cache)?;
    }
    Ok(quickest)
}

/// Measures a server with so many connections.
fn bench(server: &Serving, connections: u32) -> Result<Report> {
    let mut bench = host();
    bench.args(["bench", &server.uri, "--json", "--duration", "3s"]);
    bench.args(["--connections", &connections.to_string()]);
    bench.args(["--server-pid", &server.process.id().to_string()]);
    let report: Report = serde_json::from_str(&output(&mut bench)?)?;
    if report.replies != report.messages {
        bail!("{} does not echo", server.uri);
    }
    Ok(report)
}

/// A host that serves, and ends with this value.
struct Serving {
    process: Child,
    uri: String,
}

impl Serving {
    fn start(component: &Path) -> Result<Self> {
        let mut process = host()
            .args(["serve", "--listen", "tcp://127.0.0.1:0", "--no-control"])
            .args(["--log-level", "error", "--workers", "1"])
            .arg(component)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the host")?;
        let stdout = process.stdout.take().context("its output is ours")?;
        let mut serving = Serving {
            process,
            uri: String::new(),
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let uri = line.trim().strip_prefix("listening on ");
        serving.uri = uri.context("the host does not listen")?.to_owned();
        Ok(serving)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
