//! A load generator: sends messages to an echo server, checks every byte of the replies, and
//! reports their latency.
//!
//! ```text
//! run -> connection -> exchange -> wire        a TCP connection, or a UDP socket
//!             \           |  `---> message     the bytes of messages and replies
//!              `-------> lane -> record        counts of one thread, merged into the report at the end
//! ```
//!
//! It must not know the server, but can measure its process. Connections are divided among threads,
//! each with its own runtime; connections of a thread share and reuse buffers, so that the
//! generator costs little besides the kernel.

mod alarm;
mod connection;
mod cost;
mod errors;
mod exchange;
mod lane;
mod late;
mod message;
mod pace;
mod plot;
mod process;
mod record;
mod report;
mod run;
mod text;
mod window;
mod wire;

pub use errors::Errors;
pub use plot::PlotError;
pub use report::{Generator, Latency, Load, Point, Report, Server, Throughput};
pub use run::{BenchError, Phase, Progress, run};

use ::connection::address::Endpoint;
use serde::Serialize;
use std::time::Duration;

/// The load of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub endpoint: Endpoint,
    /// Open connections, at least 1.
    pub connections: u32,
    /// Threads that generate load, at least 1.
    pub threads: usize,
    /// The length of a message with its line ending, at least 1.
    pub message_bytes: usize,
    /// The format of messages and replies.
    pub shape: Shape,
    /// Messages in flight on a connection, at least 1.
    pub pipeline: usize,
    /// Messages that are due per second on all connections together, whether or not replies keep
    /// up: an open loop. Without it the loop is closed: a message follows a reply.
    pub rate_per_s: Option<u32>,
    /// Messages until a connection is closed and a new one opened.
    pub messages_per_connection: Option<u64>,
    /// The warm-up before measuring.
    pub warm_up: Duration,
    /// The measured time.
    pub duration: Duration,
    /// The time limit of a reply, and of opening a connection.
    pub timeout: Duration,
    /// The server process to measure, if it runs on this machine.
    pub server_pid: Option<u32>,
}

/// The format of messages and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Printable bytes and a line feed; the reply ends with its line feed.
    Lines,
    /// Any bytes; the reply is as long as the message.
    Raw,
}

#[cfg(test)]
impl Plan {
    /// One connection, one message at a time, for one second after one second of warm-up.
    fn example() -> Self {
        Plan {
            endpoint: "tcp://127.0.0.1:1".parse().unwrap(),
            connections: 1,
            threads: 1,
            message_bytes: 1,
            shape: Shape::Raw,
            pipeline: 1,
            rate_per_s: None,
            messages_per_connection: None,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            server_pid: None,
        }
    }
}
