//! The loads that servers are compared under, and how one is made.

use crate::place::Place;
use crate::sample::{CPU, Figures, P50, P99, RESIDENT, THROUGHPUT};
use crate::servers::{Process, Running, Server};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// How long a load may take beyond its time: connections are opened, and the last replies waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much longer the load lasts, for each connection, before anything is measured.
const WARM_UP_PER_CONNECTION: Duration = Duration::from_micros(250);

/// The groups of rows, in the order in which they are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Steady,
    Pipelined,
    Connect,
}

impl Group {
    pub fn name(self) -> &'static str {
        match self {
            Group::Steady => "steady",
            Group::Pipelined => "pipelined",
            Group::Connect => "connect",
        }
    }
}

/// What is asked of a server in one row.
#[derive(Clone, Debug)]
pub struct Load {
    pub group: Group,
    pub connections: u32,
    pub message_bytes: usize,
    pub pipeline: u32,
}

/// For how long a load is made.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub warm_up: Duration,
    pub measured: Duration,
}

impl Load {
    /// All rows of traffic, or the few of a quick run.
    pub fn all(quick: bool) -> Vec<Load> {
        let mut loads = Vec::new();
        let connections: &[u32] = if quick { &[1, 50] } else { &[1, 50, 500, 2000] };
        for (group, pipeline, sizes) in [
            (Group::Steady, 1, &[64, 1024, 65_536][..]),
            (Group::Pipelined, 16, &[64, 1024]),
        ] {
            for message_bytes in sizes.iter().copied() {
                loads.extend(connections.iter().map(|connections| Load {
                    group,
                    connections: *connections,
                    message_bytes,
                    pipeline,
                }));
            }
        }
        if quick {
            loads.retain(|load| match load.group {
                Group::Pipelined => load.message_bytes == 64 && load.connections == 50,
                _ => load.message_bytes == 64 || load.connections == 50,
            });
        }
        loads.push(Load {
            group: Group::Connect,
            connections: 50,
            message_bytes: 64,
            pipeline: 1,
        });
        loads
    }

    /// How it is called in tables and results.
    pub fn name(&self) -> String {
        let size = match self.message_bytes {
            bytes @ ..1024 => format!("{bytes} B"),
            bytes => format!("{} KiB", bytes / 1024),
        };
        let connections = match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        };
        match self.group {
            Group::Steady => format!("{size}, {connections}"),
            Group::Pipelined => format!("{size}, {connections}, {} in flight", self.pipeline),
            Group::Connect => format!("{size}, {connections} at once, a new one for each message"),
        }
    }

    /// Whether the host and the native servers are compared with others too. Everything would take hours.
    pub fn is_for_peers(&self) -> bool {
        match self.group {
            Group::Steady if self.message_bytes == 64 => self.connections <= 500,
            Group::Steady => self.connections == 50,
            Group::Pipelined => false,
            Group::Connect => true,
        }
    }

    /// Whether a server is measured under this load.
    pub fn is_for(&self, server: Server) -> bool {
        match server {
            Server::HostJavaScript => false,
            // Without pipelining the tiers are told apart well enough.
            Server::HostBuiltIn | Server::HostRustMessage => self.group != Group::Pipelined,
            peer if peer.is_peer() => self.is_for_peers(),
            _ => true,
        }
    }

    /// The first message of each connection is no steady traffic: the host makes an instance then. So the more
    /// connections there are, the later the measurement begins.
    fn warmed(&self, times: &Times) -> Times {
        Times {
            warm_up: times.warm_up + WARM_UP_PER_CONNECTION * self.connections,
            ..*times
        }
    }

    /// Makes the load and tells what was measured. A message that was not echoed is an error.
    pub fn make(&self, times: &Times, server: &Running, place: &Place) -> Result<Figures> {
        let mut options = vec![
            format!("--size={}B", self.message_bytes),
            format!("--pipeline={}", self.pipeline),
        ];
        if self.group == Group::Connect {
            options.push("--messages-per-connection=1".to_owned());
        }
        drive(
            server,
            self.connections,
            &options,
            &self.warmed(times),
            place,
        )
    }
}

/// Runs `echo-host bench` against a server, as its users do.
pub fn drive(
    server: &Running,
    connections: u32,
    options: &[String],
    times: &Times,
    place: &Place,
) -> Result<Figures> {
    let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
    let mut command = Command::new(place.built("echo-host"));
    command.args(["bench", &server.uri(), "--json"]);
    command.args(["--server-pid", &server.process.pid().to_string()]);
    command.args(["--connections", &connections.to_string()]);
    command.args(["--duration", &milliseconds(times.measured)]);
    command.args(["--warm-up", &milliseconds(times.warm_up)]);
    command.args(options);
    let limit = times.warm_up + times.measured + PATIENCE;
    let report = Process::start(command, &place.log("load"))?.output(limit)?;
    figures(&report)
}

/// Takes the figures out of a report.
fn figures(report: &str) -> Result<Figures> {
    let report: Value = serde_json::from_str(report).context("the load could not be made")?;
    let (messages, replies) = (&report["messages"], &report["replies"]);
    let errors = report["errors"].as_object().context("errors are missing")?;
    let errors: Vec<_> = errors
        .iter()
        .filter(|(_, count)| count.as_u64() != Some(0))
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    if !errors.is_empty() {
        bail!(
            "{replies} of {messages} messages were echoed: {}",
            errors.join(", ")
        );
    }
    let mut figures = Figures::new();
    for (name, path) in [
        (CPU, "/server/cpu_us_per_message"),
        (RESIDENT, "/server/resident_bytes"),
        (THROUGHPUT, "/throughput/messages_per_s"),
        (P50, "/latency/p50_us"),
        (P99, "/latency/p99_us"),
    ] {
        let figure = report.pointer(path).and_then(Value::as_f64);
        figures.insert(
            name,
            figure.with_context(|| format!("no {path} in the report"))?,
        );
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        for quick in [true, false] {
            let mut names: Vec<_> = Load::all(quick).iter().map(Load::name).collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count);
        }
        assert_eq!(Load::all(false).len(), 12 + 8 + 1);
    }

    const REPORT: &str = r#"{"messages":3,"replies":3,"errors":{"reset":0},"latency":{"p50_us":1.5,"p99_us":2.5},
        "throughput":{"messages_per_s":7.5},"server":{"cpu_us_per_message":0.5,"resident_bytes":4096}}"#;

    #[test]
    fn figures_are_those_of_the_report() {
        let figures = figures(REPORT).unwrap();
        let all = [CPU, RESIDENT, THROUGHPUT, P50, P99].map(|name| figures[name]);
        assert_eq!(all, [0.5, 4096.0, 7.5, 1.5, 2.5]);
    }

    #[test]
    fn what_was_lost_is_no_figure() {
        let lost = REPORT.replace("\"reset\":0", "\"reset\":2");
        let error = figures(&lost).unwrap_err().to_string();
        assert_eq!(error, "3 of 3 messages were echoed: 2 reset");
        // A server that is gone when it is measured.
        figures(&REPORT.replace("0.5", "null")).unwrap_err();
        figures("").unwrap_err();
    }
}
