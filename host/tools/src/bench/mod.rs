//! A load generator: sends messages to a server that echoes, checks every byte of the replies and tells how
//! long they took.
//!
//! ```text
//! run -> connection -> exchange -> wire        a TCP connection, or a UDP socket
//!             \           |  `---> message     the bytes of messages and replies
//!              `-------> lane -> record        counts of one thread, merged into the report at the end
//! ```
//!
//! It knows nothing of the server's side, but may watch what the server's process uses. Connections are dealt out to threads, each with a runtime of its
//! own; what is needed for one message is shared by the connections of a thread and reused, so that the
//! generator costs little beside the kernel's part.

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

/// What load to make, and for how long. Every field bounds something.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub endpoint: Endpoint,
    /// Connections open at once, at least 1.
    pub connections: u32,
    /// Threads that make the load, at least 1.
    pub threads: usize,
    /// The length of a message, its line ending included, at least 1.
    pub message_bytes: usize,
    /// What a message looks like and where its reply ends.
    pub shape: Shape,
    /// How many messages one connection may have sent whose replies are not there yet, at least 1.
    pub pipeline: usize,
    /// Messages that are due each second on all connections together, whether or not replies keep up: an
    /// open loop. Without it the loop is closed: a message follows a reply.
    pub rate_per_s: Option<u32>,
    /// After so many messages a connection is closed and a new one opened.
    pub messages_per_connection: Option<u64>,
    /// How long the load lasts before anything is measured.
    pub warm_up: Duration,
    /// How long is measured.
    pub duration: Duration,
    /// How long a reply, or opening a connection, may take.
    pub timeout: Duration,
    /// The server's process, if it runs on this machine and its use of time and memory is wanted.
    pub server_pid: Option<u32>,
}

/// What a message looks like, and where its reply ends.
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
    /// One connection, one message after the other, for a second after a second.
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
