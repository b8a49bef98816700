//! Every bound the operator can set, and every bound that is fixed, with its unit in its name.

use std::time::Duration;

/// Bytes asked of the kernel in one read.
pub const READ_BYTES: usize = 64 << 10;

/// Unsent reply bytes of one connection above which no further message is read or answered.
pub const MAX_UNSENT_BYTES: usize = 256 << 10;

/// How long, and how many bytes, a closing connection goes on discarding what its client still sends,
/// so that the kernel does not answer it with a reset that would destroy the last replies on their way
/// (RFC 9112, section 9.6, tells the same of HTTP).
pub const LINGER_TIME: Duration = Duration::from_secs(1);
/// See [`LINGER_TIME`].
pub const LINGER_BYTES: usize = 1 << 20;

/// The longest guest log line, in bytes; the rest is cut off.
pub const MAX_LOG_LINE_BYTES: usize = 4096;

/// Guest log lines of one instance within one second; the rest are counted, not shown.
pub const MAX_LOG_LINES_PER_SECOND: u32 = 100;

/// How often a guest that computes without end lets others run, and the grain of epoch deadlines.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Handshaken connections that the kernel holds for us until they are accepted.
pub const LISTEN_BACKLOG: i32 = 1024;

/// What one connection may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The longest message, in bytes.
    pub max_message_bytes: usize,
    /// A connection on which no byte moves for so long is closed; `None` for never.
    pub idle_timeout: Option<Duration>,
}

/// What one instance of a guest may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestLimits {
    /// All of an instance's linear memories together, in bytes.
    pub max_memory_bytes: usize,
    /// How long one call may take, waiting and instantiation included.
    pub call_timeout: Duration,
}

/// What the whole server may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections served at once; further clients wait in the kernel's queue.
    pub max_connections: usize,
    /// How long open connections may go on after the server was told to stop.
    pub drain_timeout: Duration,
}
