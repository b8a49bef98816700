//! The loads that servers are compared under, and how one is made.

use crate::place;
use crate::process::Process;
use crate::samples::{CPU, Figures, P50, P99, RESIDENT, THROUGHPUT};
use crate::servers::{Running, Server};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// How long a load may take beyond its time, to open connections and wait for the last replies.
const PATIENCE: Duration = Duration::from_secs(30);

/// The warm-up of each connection: its first message is slower, because the host makes an instance.
const WARM_UP_PER_CONNECTION: Duration = Duration::from_micros(250);

/// One row of traffic.
#[derive(Clone)]
pub struct Load {
    pub connections: u32,
    pub message_bytes: usize,
    /// Messages in flight on each connection.
    pub pipeline: u32,
    /// Whether every message has a new connection.
    pub reconnects: bool,
}

/// How long a load lasts.
#[derive(Clone, Copy)]
pub struct Times {
    pub warm_up: Duration,
    pub measured: Duration,
}

impl Load {
    /// All rows of traffic, or the few of a quick run.
    pub fn all(quick: bool) -> Vec<Load> {
        let mut loads = Vec::new();
        for (pipeline, sizes) in [(1, &[64, 1024, 65_536][..]), (16, &[64, 1024])] {
            for &message_bytes in sizes {
                loads.extend([1, 50, 500, 2000].map(|connections| Load {
                    connections,
                    message_bytes,
                    pipeline,
                    reconnects: false,
                }));
            }
        }
        if quick {
            loads.retain(|load| match (load.connections, load.message_bytes) {
                (1, bytes) => bytes == 64 && load.pipeline == 1,
                (50, bytes) => bytes == 64 || load.pipeline == 1,
                _ => false,
            });
        }
        loads.push(Load {
            connections: 50,
            message_bytes: 64,
            pipeline: 1,
            reconnects: true,
        });
        loads
    }

    pub const GROUPS: [&str; 3] = ["steady", "pipelined", "connect"];

    /// The name of its group, by which it can be selected.
    pub fn group(&self) -> &'static str {
        Load::GROUPS[match self {
            Load {
                reconnects: true, ..
            } => 2,
            Load { pipeline: 1, .. } => 0,
            _ => 1,
        }]
    }

    /// Its name in tables and results.
    pub fn name(&self) -> String {
        let size = match self.message_bytes {
            bytes @ ..1024 => format!("{bytes} B"),
            bytes => format!("{} KiB", bytes / 1024),
        };
        let connections = match self.connections {
            1 => "1 connection".to_owned(),
            many => format!("{many} connections"),
        };
        match self {
            Load {
                reconnects: true, ..
            } => {
                format!("{size}, {connections} at once, a new one for each message")
            }
            Load { pipeline: 1, .. } => format!("{size}, {connections}"),
            _ => format!("{size}, {connections}, {} in flight", self.pipeline),
        }
    }

    /// Whether it stands for others like it, in the README.
    pub fn is_main(&self) -> bool {
        self.connections == 50 && self.pipeline == 1
    }

    /// Whether a server is measured under this load. All peers under all loads would take hours.
    pub fn is_for(&self, server: Server) -> bool {
        match server {
            Server::HostJavaScript => false,
            // Without pipelining the kinds are told apart well enough.
            Server::HostBuiltIn | Server::HostRustMessage => self.pipeline == 1,
            peer if peer.is_peer() => {
                let small = self.message_bytes == 64 && self.connections <= 500;
                self.pipeline == 1 && (small || self.connections == 50)
            }
            _ => true,
        }
    }

    /// Makes the load and returns what was measured.
    pub fn make(&self, times: &Times, server: &Running) -> Result<Figures> {
        let mut options = vec![
            format!("--size={}B", self.message_bytes),
            format!("--pipeline={}", self.pipeline),
        ];
        if self.reconnects {
            options.push("--messages-per-connection=1".to_owned());
        }
        let warm_up = times.warm_up + WARM_UP_PER_CONNECTION * self.connections;
        start(
            server,
            self.connections,
            &options,
            &Times { warm_up, ..*times },
        )?
        .finish()
    }
}

/// A load that is being made.
pub struct Loading {
    generator: Process,
    limit: Duration,
}

/// Runs `echo-host bench` against a server, as its users do.
pub fn start(
    server: &Running,
    connections: u32,
    options: &[String],
    times: &Times,
) -> Result<Loading> {
    let mut command = Command::new(place::built("echo-host"));
    command.args(["bench", &format!("tcp://{}", server.address), "--json"]);
    command.args(["--server-pid", &server.process.pid().to_string()]);
    command.args(["--connections", &connections.to_string()]);
    command.args(["--duration", &format!("{}ms", times.measured.as_millis())]);
    command.args(["--warm-up", &format!("{}ms", times.warm_up.as_millis())]);
    command.args(options);
    let limit = times.warm_up + times.measured + PATIENCE;
    let generator = Process::start(command, "load")?;
    Ok(Loading { generator, limit })
}

impl Loading {
    /// Waits for the report. A message that was not echoed is an error.
    pub fn finish(self) -> Result<Figures> {
        figures(
            &self
                .generator
                .line(self.limit)
                .context("cannot generate load")?,
        )
    }
}

/// Takes the figures out of a report.
fn figures(report: &str) -> Result<Figures> {
    let report: Value = serde_json::from_str(report).context("cannot generate load")?;
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
    let figure = |(name, path)| {
        let figure = report.pointer(path).and_then(Value::as_f64);
        Ok((
            name,
            figure.with_context(|| format!("no {path} in the report"))?,
        ))
    };
    let paths = [
        (CPU, "/server/cpu_us_per_message"),
        (RESIDENT, "/server/resident_bytes"),
        (THROUGHPUT, "/throughput/messages_per_s"),
        (P50, "/latency/p50_us"),
        (P99, "/latency/p99_us"),
    ];
    paths.into_iter().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_has_a_name_of_its_own() {
        for (quick, count) in [(true, 6), (false, 12 + 8 + 1)] {
            let names: HashSet<_> = Load::all(quick).iter().map(Load::name).collect();
            assert_eq!((names.len(), Load::all(quick).len()), (count, count));
        }
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
