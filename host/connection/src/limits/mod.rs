//! Every bound the operator can set, and every bound that is fixed, with its unit in its name.

mod guests;
mod reached;

pub use guests::*;
pub use reached::Limit;

use std::time::Duration;

/// Bytes asked of the kernel in one read: a page more than 64 KiB, so that a message of that size does not
/// fill it. After a read that was not filled nothing is left to read, which saves asking once more.
pub const READ_BYTES: usize = 68 << 10;

/// Unsent bytes of one connection from which on its client's messages wait: the high-water mark.
pub const HIGH_WATER_BYTES: usize = 256 << 10;

/// Bytes that are on their way between a connection and a program, in each direction.
pub const PIPE_BYTES: usize = 64 << 10;

/// How long, and how many bytes, a closing connection goes on discarding what its client still sends
/// (RFC 9112, section 9.6, asks the same of HTTP servers).
pub const LINGER_TIME: Duration = Duration::from_secs(1);
/// See [`LINGER_TIME`].
pub const LINGER_BYTES: usize = 1 << 20;

/// How long one step of a probe may take, in which a new version of a handler is asked something.
pub const PROBE_STEP_TIME: Duration = Duration::from_secs(10);

/// The longest guest log line, in bytes; the rest is cut off.
pub const MAX_LOG_LINE_BYTES: usize = 4096;

/// What a guest may print in one call, in bytes: what it is permitted whenever it asks.
pub const MAX_LOG_WRITE_BYTES: usize = 64 << 10;

/// Guest log lines of one instance within one second, and of all instances of a handler together; the rest are
/// counted, not shown.
pub const MAX_LOG_LINES_PER_SECOND: u32 = 100;
/// See [`MAX_LOG_LINES_PER_SECOND`].
pub const MAX_HANDLER_LOG_LINES_PER_SECOND: u32 = 1000;

/// Bytes of log lines that wait until standard error takes them; further lines are dropped and counted.
pub const MAX_LOG_QUEUE_BYTES: usize = 1 << 20;

/// How long a process that ends waits until its log was written.
pub const LOG_FLUSH_TIME: Duration = Duration::from_secs(1);

/// How long a host waits until its addresses were printed on standard output.
pub const STDOUT_TIME: Duration = Duration::from_secs(1);

/// How long a guest that computes without end is set aside at each [`EPOCH_TICK`].
pub const BREATHER: Duration = Duration::from_millis(1);

/// For how long a handler's calls take turns after one of them has computed for as long as an [`EPOCH_TICK`].
pub const LONG_COMPUTING_MEMORY: Duration = Duration::from_millis(500);

/// How often a guest that computes without end lets others run, and the grain of epoch deadlines.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Threads that wait for the disk, mostly for guests that were granted a directory. Further operations wait for one.
pub const MAX_BLOCKING_THREADS: usize = 32;

/// Handshaken connections that the kernel holds for us until they are accepted.
pub const LISTEN_BACKLOG: i32 = 1024;

/// The first and the longest wait after accepting, or receiving, failed for want of a resource.
pub const ACCEPT_BACK_OFF: (Duration, Duration) =
    (Duration::from_millis(5), Duration::from_secs(1));

/// Datagrams that are received, or sent to one peer, in one call of the kernel.
pub const DATAGRAM_BATCH: usize = 32;

/// Room for one received datagram: a power of two that the longest one fits in.
pub const DATAGRAM_SLOT_BYTES: usize = 64 << 10;

/// The most that a datagram can carry: what the 16 bits for a length in the headers of IPv4 and of UDP leave
/// (RFC 791, RFC 768).
pub const MAX_DATAGRAM_BYTES_IPV4: usize = 65_507;
/// The same with IPv6, whose own header does not count (RFC 8200).
pub const MAX_DATAGRAM_BYTES_IPV6: usize = 65_527;

/// What the kernel is asked to hold of a UDP listener's datagrams until they are received.
pub const DATAGRAM_RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Datagrams of one sender that wait until those before them are answered, in number and in bytes. Further ones
/// are dropped.
pub const MAX_WAITING_DATAGRAMS: usize = 1024;
/// See [`MAX_WAITING_DATAGRAMS`].
pub const MAX_WAITING_DATAGRAM_BYTES: usize = 256 << 10;

/// Log lines about how a service's connections ended, within one second; the rest are counted, not shown.
pub const MAX_CONNECTION_LINES_PER_SECOND: u32 = 100;

/// The same of log lines about clients and datagrams that there was no place for.
pub const MAX_NO_PLACE_LINES_PER_SECOND: u32 = 1;

/// The longest request on the control socket, the longest reply, and how much of a refusal's details goes into
/// one, in bytes.
pub const MAX_CONTROL_REQUEST_BYTES: usize = 64 << 10;
/// See [`MAX_CONTROL_REQUEST_BYTES`].
pub const MAX_CONTROL_REPLY_BYTES: usize = 4 << 20;
/// See [`MAX_CONTROL_REQUEST_BYTES`].
pub const MAX_CONTROL_DETAIL_BYTES: usize = 256 << 10;

/// Clients of the control socket that the kernel holds until they are accepted.
pub const CONTROL_BACKLOG: i32 = 128;

/// Clients of the control socket that are served at once; further ones wait.
pub const MAX_CONTROL_CLIENTS: usize = 64;

/// Clients of the metrics that are served at once, and how long each may take.
pub const MAX_METRICS_CLIENTS: usize = 64;
/// See [`MAX_METRICS_CLIENTS`].
pub const METRICS_REQUEST_TIME: Duration = Duration::from_secs(5);
/// How long a client of the metrics keeps its place for certain, where others want one: long enough to send a request.
pub const METRICS_GRACE: Duration = Duration::from_millis(100);

/// Files that come along with a request on the control socket: a handler, and its signature.
pub const MAX_CONTROL_FILES: usize = 2;

/// How long a client of the control socket may take to send its request, and to read the reply.
pub const CONTROL_REQUEST_TIME: Duration = Duration::from_secs(5);

/// How long a client waits for a reply that the host has at hand, and for one that comes when a handler has
/// been loaded.
pub const CONTROL_REPLY_TIME: Duration = Duration::from_secs(10);
/// See [`CONTROL_REPLY_TIME`].
pub const CONTROL_SWAP_TIME: Duration = Duration::from_secs(300);

/// How long a successor that has got the listening sockets may take to be ready.
pub const CONTROL_TAKEOVER_TIME: Duration = Duration::from_secs(300);

/// What one connection may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The longest message, in bytes.
    pub max_message_bytes: usize,
    /// A conversation's connection on which more bytes than this wait to be written is closed.
    pub max_unsent_bytes: usize,
    /// A connection on which no byte moves for so long is closed; `None` for never.
    pub idle_timeout: Option<Duration>,
}

/// What one instance of a guest may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestLimits {
    /// All of an instance's linear memories together, in bytes.
    pub max_memory_bytes: usize,
    /// How long one call may take, and how long making an instance may, waiting included.
    pub call_timeout: Duration,
}

/// What the senders of one UDP listener may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramLimits {
    /// The session of a sender that has sent nothing for so long ends.
    pub idle_timeout: Duration,
    /// Sessions at once; datagrams of further senders are dropped.
    pub max_sessions: usize,
    /// How many times what it has sent a sender may be sent, in bytes on the wire; `None` for any number.
    pub amplification: Option<u32>,
}

/// Client addresses whose rates are counted, each by itself; further ones are counted together.
pub const MAX_RATED_ADDRESSES: usize = 64 << 10;

/// What the whole server may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections served at once; further clients wait in the kernel's queue.
    pub max_connections: usize,
    /// Connections that clients with one address may have at once, and all of an IPv6 network of 64 bits together;
    /// further ones are closed. `None` for any number.
    pub max_connections_per_ip: Option<usize>,
    /// Connections that one user of this machine may have at once by Unix sockets; further ones are closed. `None` for
    /// any number.
    pub max_connections_per_uid: Option<usize>,
    /// What all guests together may have of memory, in bytes; `None` for any amount.
    pub max_guest_memory_bytes: Option<usize>,
    /// What the places of instances that are gone may keep of memory, in bytes.
    pub max_warm_memory_bytes: usize,
    /// How long open connections may go on after the server was told to stop.
    pub drain_timeout: Duration,
}

/// The longest PROXY header, in bytes: addresses take up to 52 (or a line of 107), the rest is what proxies add
/// about a client's certificate.
pub const MAX_PROXY_HEADER_BYTES: usize = 4096;
