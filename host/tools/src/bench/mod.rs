//! A load generator: sends messages to an echo server, checks every byte of the replies, and
//! reports their latency.
//!
//! ```text
//! run -> connection -> exchange -> transport   a TCP connection, or a UDP socket
//!                          |-----> message     the bytes of messages and replies
//!                          `-----> record      counts of one thread, merged into the report
//! ```
//!
//! It must not know the server, but can measure its process. Connections are divided among threads,
//! each with its own runtime; connections of a thread share and reuse buffers, so that the
//! generator costs little besides the kernel.

mod alarm;
mod connection;
mod errors;
mod exchange;
mod message;
mod plot;
mod process;
mod record;
mod report;
mod run;
mod schedule;
mod text;
mod transport;

pub use errors::Errors;
pub use process::Usage;
pub use report::Report;
pub use run::{BenchError, Progress, run};
pub use text::Time;

use ::address::Endpoint;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The load of a run. In the report, fields are keys; names end in their unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The server.
    #[serde(rename = "uri", with = "uri")]
    pub endpoint: Endpoint,
    #[serde(rename = "framing")]
    pub shape: Shape,
    /// The length of a message with its line ending, at least 1.
    pub message_bytes: usize,
    /// Open connections, at least 1.
    pub connections: u32,
    /// Threads that generate load, at least 1 and at most one for each connection.
    pub threads: usize,
    /// Messages in flight on a connection, at least 1.
    pub pipeline: usize,
    /// Messages that are due per second on all connections together, whether or not replies keep
    /// up: an open loop. Without it the loop is closed: a message follows a reply.
    pub rate_per_s: Option<u32>,
    /// Messages until a connection is closed and a new one opened.
    pub messages_per_connection: Option<u64>,
    /// The warm-up before measuring.
    #[serde(rename = "warm_up_s", with = "seconds")]
    pub warm_up: Duration,
    /// The measured time.
    #[serde(rename = "duration_s", with = "seconds")]
    pub duration: Duration,
    /// The time limit of a reply, and of opening a connection.
    #[serde(rename = "timeout_s", with = "seconds")]
    pub timeout: Duration,
    /// The server process to measure, if it runs on this machine.
    #[serde(skip)]
    pub server_pid: Option<u32>,
}

/// The format of messages and replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Printable bytes and a line feed; the reply ends with its line feed.
    Lines,
    /// Any bytes; the reply is as long as the message.
    Raw,
}

mod uri {
    use ::address::Endpoint;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(endpoint: &Endpoint, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(endpoint)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Endpoint, D::Error> {
        let uri = String::deserialize(from)?;
        uri.parse().map_err(de::Error::custom)
    }
}

mod seconds {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(time.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(from)?;
        Duration::try_from_secs_f64(seconds).map_err(de::Error::custom)
    }
}
