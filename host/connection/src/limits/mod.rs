//! Every limit, configurable or fixed, with its unit in its name.

mod guests;
mod reached;

pub use guests::*;
pub use reached::Limit;

use std::time::Duration;

/// Bytes of one read: a page more than 64 KiB, so that a message of that length does not fill it. A
/// read that is not full means that nothing is left, which saves another system call.
pub const READ_BYTES: usize = 68 << 10;

/// The high-water mark: with more unsent bytes, a connection's next messages wait.
pub const HIGH_WATER_BYTES: usize = 256 << 10;

/// Calls of a session before other connections have a turn.
pub const MAX_CALLS_IN_A_ROW: u8 = 64;

/// The calls that a read without waiting counts as: it may hold thousands of frames that cause
/// none.
pub const CALLS_OF_A_READ: u8 = 16;

/// How often connections are checked for the idle timeout.
pub const IDLE_SWEEP: Duration = Duration::from_secs(1);

/// Bytes in transit between a connection and a program, each way.
pub const PIPE_BYTES: usize = 64 << 10;

/// How long, and how many bytes, a closing connection discards input (RFC 9112, section 9.6, asks
/// the same of HTTP servers).
pub const LINGER_TIME: Duration = Duration::from_secs(1);
/// See [`LINGER_TIME`].
pub const LINGER_BYTES: usize = 1 << 20;

/// The longest telnet subnegotiation, in bytes.
pub const MAX_TELNET_SUBNEGOTIATION_BYTES: usize = 1024;

/// How often a telnet client may speak of options, in one connection.
pub const MAX_TELNET_NEGOTIATIONS: u32 = 1000;

/// Bytes that wait to be sent to a telnet client before no more are read from it: one that asks and
/// does not read gets no more answers.
pub const MAX_TELNET_WAITING_BYTES: usize = 64 << 10;

/// The time limit of a step of a probe.
pub const PROBE_STEP_TIME: Duration = Duration::from_secs(10);

/// The longest guest log line, in bytes; the rest is cut.
pub const MAX_LOG_LINE_BYTES: usize = 4096;

/// The most bytes that a guest may print in one call, and the permit that it gets when it asks.
pub const MAX_LOG_WRITE_BYTES: usize = 64 << 10;

/// Log lines per second of one instance, and of all instances of a handler; the rest are counted
/// and dropped.
pub const MAX_LOG_LINES_PER_SECOND: u32 = 100;
/// See [`MAX_LOG_LINES_PER_SECOND`].
pub const MAX_HANDLER_LOG_LINES_PER_SECOND: u32 = 1000;

/// Bytes of log lines that wait for standard error; further lines are dropped and counted.
pub const MAX_LOG_QUEUE_BYTES: usize = 1 << 20;

/// How long an ending process waits for its log to be written.
pub const LOG_FLUSH_TIME: Duration = Duration::from_secs(1);

/// How long a host waits to print its addresses on standard output.
pub const STDOUT_TIME: Duration = Duration::from_secs(1);

/// How long a handler's calls take turns after one of them computed for an [`EPOCH_TICK`].
pub const LONG_COMPUTING_MEMORY: Duration = Duration::from_millis(500);

/// How often a busy guest yields, and the grain of epoch deadlines.
pub const EPOCH_TICK: Duration = Duration::from_millis(5);

/// Threads for disk operations, mostly of guests with a granted directory: of all workers together.
/// The main thread has as many again. Further operations wait.
pub const MAX_BLOCKING_THREADS: usize = 32;

/// The least that a worker has, however many there are.
pub const MIN_BLOCKING_THREADS_OF_WORKER: usize = 4;

/// Connections that the kernel holds until they are accepted.
pub const LISTEN_BACKLOG: i32 = 1024;

/// The shortest and longest pause after accepting or receiving failed for lack of a resource.
pub const ACCEPT_BACK_OFF: (Duration, Duration) =
    (Duration::from_millis(5), Duration::from_secs(1));

/// Log lines per second about accepting that failed, of all workers; the rest are counted and
/// dropped.
pub const MAX_ACCEPT_ERROR_LINES_PER_SECOND: u32 = 10;

/// Datagrams per system call.
pub const DATAGRAM_BATCH: usize = 32;

/// The buffer of one received datagram: a power of two that fits the longest.
pub const DATAGRAM_SLOT_BYTES: usize = 64 << 10;

/// The largest payload of a datagram, limited by the 16-bit lengths of IPv4 and UDP (RFC 791, RFC
/// 768).
pub const MAX_DATAGRAM_BYTES_IPV4: usize = 65_507;
/// The same for IPv6, whose header does not count (RFC 8200).
pub const MAX_DATAGRAM_BYTES_IPV6: usize = 65_527;

/// The requested receive buffer of a UDP listener, in bytes.
pub const DATAGRAM_RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// Waiting datagrams of one sender, in number and bytes. Further ones are dropped.
pub const MAX_WAITING_DATAGRAMS: usize = 1024;
/// See [`MAX_WAITING_DATAGRAMS`].
pub const MAX_WAITING_DATAGRAM_BYTES: usize = 256 << 10;

/// Log lines per second about ended connections of a service; the rest are counted and dropped.
pub const MAX_CONNECTION_LINES_PER_SECOND: u32 = 100;
/// The same for connections that ended normally.
pub const MAX_ACCESS_LINES_PER_SECOND: u32 = 1000;

/// The same for clients and datagrams beyond a limit.
pub const MAX_NO_PERMIT_LINES_PER_SECOND: u32 = 1;

/// Time between two hints that a client speaks HTTP or TLS to a handler that does not.
pub const FOREIGN_HINT_TIME_SECONDS: u64 = 60;

/// The longest request and reply on the control socket, and the longest details of a refusal, in
/// bytes.
pub const MAX_CONTROL_REQUEST_BYTES: usize = 64 << 10;
/// See [`MAX_CONTROL_REQUEST_BYTES`].
pub const MAX_CONTROL_REPLY_BYTES: usize = 4 << 20;
/// See [`MAX_CONTROL_REQUEST_BYTES`].
pub const MAX_CONTROL_DETAIL_BYTES: usize = 256 << 10;

/// The backlog of the control socket.
pub const CONTROL_BACKLOG: i32 = 128;

/// Concurrent clients of the control socket; further ones wait.
pub const MAX_CONTROL_CLIENTS: usize = 64;

/// Concurrent taps; each is a client of the control socket as well.
pub const MAX_TAPS: usize = 8;
/// What a tap holds that its client has not read: bytes of entries, which count as this many bytes
/// more each. Further entries are dropped.
pub const MAX_TAP_QUEUE_BYTES: usize = 1 << 20;
/// See [`MAX_TAP_QUEUE_BYTES`].
pub const TAP_ENTRY_BYTES: usize = 128;
/// The longest piece that a tap shows at once; what is sent in one go and longer is cut.
pub const MAX_TAP_PIECE_BYTES: usize = 72 << 10;
/// Connections of one line of a reply, which are looked at without a pause.
pub const CONNECTIONS_OF_A_REPLY: usize = 256;
/// How long the time in calls may be measured for one request.
pub const MAX_MEASURING_TIME: Duration = Duration::from_secs(60);

/// How long a profile may take.
pub const MAX_PROFILE_TIME: Duration = Duration::from_secs(300);
/// How often the samples of a profile are sent to its client, and how many may wait for that;
/// further ones are dropped.
pub const PROFILE_FLUSH_TIME: Duration = Duration::from_millis(200);
/// See [`PROFILE_FLUSH_TIME`].
pub const MAX_WAITING_PROFILE_SAMPLES: usize = 16 << 10;
/// The most samples of a profile; further ones are dropped.
pub const MAX_PROFILE_SAMPLES: u64 = 500_000;
/// Functions of a profile that are told apart, and stacks. Further functions count as one; samples
/// with further stacks are dropped.
pub const MAX_PROFILE_FUNCTIONS: usize = 16 << 10;
/// See [`MAX_PROFILE_FUNCTIONS`].
pub const MAX_PROFILE_STACKS: usize = 64 << 10;
/// Functions in a line of a reply, and stacks or samples.
pub const PROFILE_FUNCTIONS_OF_A_REPLY: usize = 512;
/// See [`PROFILE_FUNCTIONS_OF_A_REPLY`].
pub const PROFILE_ROWS_OF_A_REPLY: usize = 4096;

/// Concurrent clients of the metrics, and the time limit of each.
pub const MAX_METRICS_CLIENTS: usize = 64;
/// See [`MAX_METRICS_CLIENTS`].
pub const METRICS_REQUEST_TIME: Duration = Duration::from_secs(5);
/// How long a metrics client is safe from being replaced by another: enough to send a request.
pub const METRICS_GRACE: Duration = Duration::from_millis(100);

/// Files passed with a control request: a handler and its signature.
pub const MAX_CONTROL_FILES: usize = 2;

/// Time limit for a control client to send its request, and to read the reply.
pub const CONTROL_REQUEST_TIME: Duration = Duration::from_secs(5);

/// How long a control client waits for an immediate reply, and for one that needs a handler to be
/// loaded.
pub const CONTROL_REPLY_TIME: Duration = Duration::from_secs(10);
/// See [`CONTROL_REPLY_TIME`].
pub const CONTROL_SWAP_TIME: Duration = Duration::from_secs(300);

/// How long a successor with the listening sockets may take to be ready.
pub const CONTROL_TAKEOVER_TIME: Duration = Duration::from_secs(300);

/// The limits of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// The longest message, in bytes.
    pub max_message_bytes: usize,
    /// A conversation with more unsent bytes is closed.
    pub max_unsent_bytes: usize,
    /// A connection without traffic for this long is closed; `None` for no limit.
    pub idle_timeout: Option<Duration>,
}

/// The limits of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestLimits {
    /// All of an instance's linear memories together, in bytes.
    pub max_memory_bytes: usize,
    /// The time limit of a call, and of an instance's start with waiting.
    pub call_timeout: Duration,
}

/// The limits of a UDP listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramLimits {
    /// The session of a sender that is silent for this long ends.
    pub idle_timeout: Duration,
    /// Concurrent sessions; datagrams of further senders are dropped.
    pub max_sessions: usize,
    /// The most reply bytes, as a multiple of the sender's bytes, with headers; `None` for no
    /// limit.
    pub amplification: Option<u32>,
}

/// Versions of a handler that can be current again.
pub const MAX_KEPT_VERSIONS: usize = 4;
/// Versions of a handler that a history lists.
pub const MAX_LISTED_VERSIONS: usize = 32;
/// How long a swap waits for sessions that are in a call before it says what became of them.
pub const MOVE_REPORT_TIME: Duration = Duration::from_secs(2);

/// Client addresses whose rates are counted, each by itself; further ones are counted together.
pub const MAX_RATED_ADDRESSES: usize = 64 << 10;

/// The limits of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Open connections; further clients wait in the backlog.
    pub max_connections: usize,
    /// Open connections of one address, or of an IPv6 network of 64 bits; further ones are closed.
    /// `None` for no limit.
    pub max_connections_per_ip: Option<usize>,
    /// Open connections of one local user over Unix sockets; further ones are closed. `None` for no
    /// limit.
    pub max_connections_per_uid: Option<usize>,
    /// Memory of all guests together, in bytes; `None` for no limit.
    pub max_guest_memory_bytes: Option<usize>,
    /// Memory that free slots may keep resident, in bytes.
    pub max_warm_memory_bytes: usize,
    /// How long open connections may take to finish after the server is told to stop.
    pub drain_timeout: Duration,
}

/// The longest PROXY header, in bytes: addresses take up to 52 (or a line of 107); the rest is what
/// proxies add about a client's certificate.
pub const MAX_PROXY_HEADER_BYTES: usize = 4096;

/// The longest request of a WebSocket, in bytes, and the most headers it may have. Cookies take the
/// most.
pub const MAX_UPGRADE_BYTES: usize = 16 << 10;
pub const MAX_UPGRADE_HEADERS: usize = 100;
