//! The loads that servers are compared under, and how one is made.

use crate::process::Process;
use crate::results::{CPU, Figures, P50, P99, RESIDENT, THROUGHPUT};
use crate::servers::{Running, is_peer};
use anyhow::{Context, Result, bail};
use std::env;
use std::process::Command;
use std::time::Duration;
use tools::bench::Report;

/// How long a load may take beyond its time, to open connections and wait for the last replies.
const PATIENCE: Duration = Duration::from_secs(30);

/// The warm-up of each connection: its first message is slower, because the host makes an instance.
const WARM_UP_PER_CONNECTION: Duration = Duration::from_micros(250);

/// One row of traffic.
pub struct Load {
    /// The name of its group, by which it can be selected.
    pub group: &'static str,
    pub connections: u32,
    pub message_bytes: usize,
    /// Messages in flight on each connection.
    pub pipeline: u32,
}

/// How long a load lasts.
#[derive(Clone, Copy)]
pub struct Times {
    pub warm_up: Duration,
    pub measured: Duration,
}

/// Every message of its rows has a new connection.
const CONNECT: &str = "connect";

/// Groups of rows: messages in flight, sizes and connections.
const LOADS: [(&str, u32, &[usize], &[u32]); 3] = [
    ("steady", 1, &[64, 1024, 65_536], &[1, 50, 500, 2000]),
    ("pipelined", 16, &[64, 1024], &[1, 50, 500, 2000]),
    (CONNECT, 1, &[64], &[50]),
];

impl Load {
    pub const GROUPS: [&str; 3] = [LOADS[0].0, LOADS[1].0, LOADS[2].0];

    /// All rows of traffic, or the few of a quick run.
    pub fn all(quick: bool) -> Vec<Load> {
        let mut loads = Vec::new();
        for (group, pipeline, sizes, connections) in LOADS {
            for &message_bytes in sizes {
                loads.extend(connections.iter().map(|&connections| Load {
                    group,
                    connections,
                    message_bytes,
                    pipeline,
                }));
            }
        }
        loads.retain(|load| {
            let few = load.is_main() || load.pipeline == 16 && load.connections == 50;
            !quick || few && (load.pipeline == 1 || load.message_bytes == 64)
        });
        loads
    }

    pub fn reconnects(&self) -> bool {
        self.group == CONNECT
    }

    /// Its name in tables and results.
    pub fn name(&self) -> String {
        let size = match self.message_bytes {
            bytes @ ..1024 => format!("{bytes} B"),
            bytes => format!("{} KiB", bytes / 1024),
        };
        let plural = if self.connections == 1 { "" } else { "s" };
        let more = match self.pipeline {
            _ if self.reconnects() => " at once, a new one for each message".to_owned(),
            1 => String::new(),
            many => format!(", {many} in flight"),
        };
        format!("{size}, {} connection{plural}{more}", self.connections)
    }

    /// Whether it stands for others like it, in the README.
    pub fn is_main(&self) -> bool {
        self.connections == 50 && self.pipeline == 1
    }

    /// Whether it is the load that others are derived from.
    pub fn is_first(&self) -> bool {
        self.is_main() && self.message_bytes == 64 && !self.reconnects()
    }

    /// Whether a server is measured under this load. All peers under all loads would take hours.
    pub fn is_for(&self, server: &str) -> bool {
        match server {
            "host-javascript" => false,
            "host-rust-scan" => self.reconnects(),
            // Without pipelining the kinds are told apart well enough.
            "host-built-in" | "host-rust-message" => self.pipeline == 1,
            peer if is_peer(peer) => {
                let small = self.message_bytes == 64 && self.connections <= 500;
                self.pipeline == 1 && (small || self.connections == 50)
            }
            _ => true,
        }
    }

    /// Makes the load and returns what was measured.
    pub fn make(&self, times: Times, server: &Running) -> Result<Figures> {
        let mut options = format!(
            "--size={}B --pipeline={}",
            self.message_bytes, self.pipeline
        );
        if self.reconnects() {
            options += " --messages-per-connection=1";
        }
        let warm_up = times.warm_up + WARM_UP_PER_CONNECTION * self.connections;
        let times = Times { warm_up, ..times };
        start(server, self.connections, &options, times)?.finish()
    }
}

/// A load that is being made.
pub struct Loading {
    generator: Process,
    limit: Duration,
}

/// Runs `echo-host bench` against a server, as its users do.
pub fn start(server: &Running, connections: u32, options: &str, times: Times) -> Result<Loading> {
    let mut command = Command::new(env::current_exe()?.with_file_name("echo-host"));
    command.args(["bench", &format!("tcp://{}", server.address), "--json"]);
    command.args(["--server-pid", &server.process.pid().to_string()]);
    command.args(["--connections", &connections.to_string()]);
    command.args(["--duration", &format!("{}ms", times.measured.as_millis())]);
    command.args(["--warm-up", &format!("{}ms", times.warm_up.as_millis())]);
    command.args(options.split_whitespace());
    let limit = times.warm_up + times.measured + PATIENCE;
    let generator = Process::start(&mut command, "load")?;
    Ok(Loading { generator, limit })
}

impl Loading {
    /// Waits for the report. A message that was not echoed is an error.
    pub fn finish(self) -> Result<Figures> {
        let figures = || {
            let report: Report = serde_json::from_str(&self.generator.line(self.limit)?)?;
            if report.errors.total() > 0 {
                let (replies, messages) = (report.replies, report.messages);
                bail!(
                    "{replies} of {messages} messages were echoed: {}",
                    report.errors
                );
            }
            let latency = report.latency.context("nothing was measured")?;
            let server = report.server.context("the server has ended")?;
            Ok(Figures::from([
                (CPU, server.cpu_us_per_message.context("no replies came")?),
                (RESIDENT, server.resident_bytes as f64),
                (THROUGHPUT, report.throughput.messages_per_s),
                (P50, latency.p50_us),
                (P99, latency.p99_us),
            ]))
        };
        figures().context("cannot generate load")
    }
}
